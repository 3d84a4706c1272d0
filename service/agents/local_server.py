"""The embedded model's server process: `python -m service.agents.local_server FOLDER WEIGHTS`.

llama.cpp's own OpenAI-compatible server, on a free port of 127.0.0.1 with a random key. The
command returns when it serves, and leaves it running in the background; local_model is what
starts it. Ends by itself when nobody uses it any more. Needs nothing but xllamacpp, so that it
starts fast.
"""

import argparse
import fcntl
import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import IO, Any

ALIAS = "smollm2-135m"
STATE = "state.json"  # written when it serves: address, api_key, pid
USERS = "users"  # each user holds a shared lock on it

# Two requests at once share 4096 tokens: 275 MB. Twice the tokens would cost 90 MB more.
CONTEXT_TOKENS = 4096
PARALLEL = 2

LOOK_S = 0.5
IDLE_S = 5.0  # a worker that is restarted finds it still warm


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the embedded model in the background.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("weights", type=Path)
    args = parser.parse_args()
    ready, writing = os.pipe()
    if os.fork():
        os.close(writing)
        # b"" when the server ended without a word
        sys.exit(0 if os.read(ready, 1) else 1)
    os.close(ready)
    os.setsid()  # Ctrl-C on the terminal is for others: missions may still be ending
    serve(args.folder, args.weights, writing)


def serve(folder: Path, weights: Path, ready: int) -> None:
    """Load the model, say so on `ready`, and stay while somebody uses it."""
    api_key = secrets.token_urlsafe(32)
    server = _llama(weights, api_key)
    _write_state(folder, server.listening_address, api_key)
    os.write(ready, b"1")
    os.close(ready)
    with (folder / USERS).open("a") as users:
        _wait_while_used(folder, users)
        # Still locked: who comes now waits until we are gone, and starts another.
        os._exit(0)  # llama.cpp's own way out waits for open requests


def _llama(weights: Path, api_key: str) -> Any:
    import xllamacpp  # here, because the fork above should not copy a loaded library

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {ALIAS}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [api_key]  # without one it warns that any page in a browser may call it
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = PARALLEL
    params.kv_unified = True
    params.cache_ram_mib = 0
    params.use_jinja = True
    params.ui = False
    params.verbosity = 1  # errors: the log is nobody's to read otherwise, and is not rotated
    return xllamacpp.Server(params)


def _write_state(folder: Path, address: str, api_key: str) -> None:
    fresh = folder / f"{STATE}.{os.getpid()}"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"address": address, "api_key": api_key, "pid": os.getpid()}, file)
    fresh.replace(folder / STATE)


def _wait_while_used(folder: Path, users: IO[str]) -> None:
    """Returns with the lock held when nobody has used the server for a while."""
    last_used = time.monotonic()
    while _is_current(folder):
        time.sleep(LOOK_S)
        if not _lock(users):
            last_used = time.monotonic()
        elif time.monotonic() - last_used >= IDLE_S:
            return
        else:
            fcntl.flock(users, fcntl.LOCK_UN)


def _is_current(folder: Path) -> bool:
    """False when the folder is gone, or another server took our place because we did not answer."""
    try:
        return bool(json.loads((folder / STATE).read_text())["pid"] == os.getpid())
    except (OSError, ValueError):
        return False


def _lock(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
