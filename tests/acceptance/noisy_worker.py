"""`longline worker` with the engine of `noisy`; all around it is as it always is."""

from service import config, logs
from service.worker import entry
from service.worker.supervisor import Supervisor
from tests.acceptance import noisy

if __name__ == "__main__":
    logs.configure()
    entry.enter = noisy.enter
    Supervisor(config.load()).run()
