"""`make bench`: runs the measurements on this machine and prints one table. ROWS=one,hundred names some."""

import sys
import tempfile
import time
from pathlib import Path

from tests.bench import first_word
from tests.bench.full_house import full_house
from tests.bench.postgres import POSTGRES
from tests.bench.rows import DELIVERY, Bench, install_nchan
from tests.bench.running import compile_client
from tests.bench.simulated import simulated
from tests.bench.sizing import SIZING
from tests.bench.storage import STORAGE
from tests.bench.table import Figure, show
from tests.conftest import settings_for
from tests.model_server import ModelServer
from tests.processes import Longline

# Of these, each needs a folder and nothing else.
ALONE = STORAGE | POSTGRES | SIZING | {"pg-full": full_house, "pg-thousand": simulated}
ROWS = [*DELIVERY, *ALONE, "first"]


def main() -> None:
    wanted = [name for name in ",".join(sys.argv[1:]).split(",") if name] or ROWS
    if unknown := set(wanted) - set(ROWS):
        sys.exit(f"no such rows: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    install_nchan()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's children are somebody else
        bench = Bench(folder, compile_client(folder))
        for row in wanted:
            begin = time.monotonic()
            found = _figures(row, bench)
            print(f"{row}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
            print(show(found), flush=True)
            figures += found
    print(f"\n{show(figures)}")


def _figures(row: str, bench: Bench) -> list[Figure]:
    if row in DELIVERY:
        return DELIVERY[row](bench)
    return ALONE[row](bench.folder) if row in ALONE else _first_word(bench.folder)


def _first_word(folder: Path) -> list[Figure]:
    (folder / "first").mkdir()
    with ModelServer() as server, Longline(folder / "first", **settings_for(server)) as longline:
        return first_word.measure(longline, server)


if __name__ == "__main__":
    main()
