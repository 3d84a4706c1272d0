"""How files are given to processes: those that use one server go to one of them, which starts it alone."""

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).resolve().parents[1]
# Fixtures of a session that cost ten CPU seconds each, by the words that ask for them.
SERVERS = {
    "equipped": re.compile(r"\bequipped_longline: "),
    "longline": re.compile(r"^def test_\w+\([^)]*\blongline: ", re.MULTILINE),
}


class SharedServers(LoadFileScheduling):
    """As `--dist loadfile`, but for the files that share a server."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return server_of(file) or file


@cache
def server_of(file: str) -> str | None:
    text = (ROOT / file).read_text()
    return next((name for name, asked in SERVERS.items() if asked.search(text)), None)
