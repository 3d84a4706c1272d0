"""What a run's process does first with its database, done once in the process that it is forked from.

A preload module of the forkserver. What an engine builds when it is made, and a driver when it connects, was
3 MB in each run's own memory. No connection is carried across a fork: this one is refused.
"""

import gc
from contextlib import closing, suppress

from service.config import Settings
from service.db import UNAVAILABLE, Database
from service.worker import cold

NOWHERE = "postgresql://nobody@127.0.0.1:9/none"  # the port of `discard`, where nobody listens

with (
    suppress(*UNAVAILABLE),
    closing(Database(Settings(database_url=NOWHERE), pool_size=1)) as db,
    db.reading(),
):
    pass
del db

# As in service.agents.warm: a collection in a child would copy what it walks.
gc.collect()
gc.freeze()
gc.set_threshold(*cold.OWN)
