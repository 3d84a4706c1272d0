"""What a mission's process would load and build first, done once in the process it is forked from.

The preload module of the forkserver: importing it costs three seconds, a child forked after it
begins its crew in a tenth of one. Leaves no thread behind: a child forked after one would hang.
"""

import gc

import crewai.hooks.contexts
import crewai.llms.cache
import genai_prices.data
import httpcore
import openai.resources.chat

from service.agents import runner
from service.agents.crewai.llm import Model
from service.agents.crewai.rehearsal import NOWHERE, rehearse, unheard

TIMES = 3  # what was adapted to its use in here need not be so in each child, in memory of its own

LOADED = (  # imported for their own sake
    crewai.hooks.contexts,
    crewai.llms.cache,
    genai_prices.data,
    httpcore,
    openai.resources.chat,
    runner,
)

Model.at(NOWHERE).close()  # the real client: whom we trust is read from the disk
with unheard():
    rehearse(TIMES)

# A collection in a child would walk, and so copy, all that it shares with its parent.
gc.collect()
gc.freeze()
