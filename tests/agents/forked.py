"""A worker's way to a mission: `python -m tests.agents.forked DATA BASE_URL KEY MODEL`.

A forkserver that has loaded service.agents.warm, and a child of it that runs a mission.
Prints the child's result, and then when the child was started.
"""

import multiprocessing
import sys
import time
from pathlib import Path

from pydantic import SecretStr

from service import config
from service.config import Settings
from tests.agents.given import single
from tests.agents.recording import RecordingContext


def run(settings: Settings) -> None:
    import threading

    from service.agents import runner

    assert threading.active_count() == 1
    before = set(sys.modules)
    print(runner.run(RecordingContext(single()), settings).text, flush=True)
    late = [
        name for name in set(sys.modules) - before if name.startswith(("langchain", "langgraph"))
    ]
    assert late == [], "a crew's process loads nothing of the other framework"


def main() -> None:
    data, base_url, key, model = sys.argv[1:]
    settings = Settings(
        data=Path(data), model=model, openai_base_url=base_url, openai_api_key=SecretStr(key)
    )
    config.prepare_agent_environment(settings)
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["service.agents.warm"])
    for target in (int, run):  # the first child waits until the forkserver is warm
        print(time.time(), flush=True)
        child = forking.Process(target=target, args=(settings,) if target is run else ())
        child.start()
        child.join()


if __name__ == "__main__":
    main()
