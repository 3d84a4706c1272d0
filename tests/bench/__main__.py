"""`make bench`: runs all measurements on this machine and prints one table."""

import tempfile
from pathlib import Path

from tests.bench import delivery, first_word
from tests.bench.table import show
from tests.conftest import settings_for
from tests.model_server import ModelServer
from tests.processes import Longline


def main() -> None:
    with ModelServer() as server, tempfile.TemporaryDirectory() as folder:
        longline = Longline(Path(folder), **settings_for(server))
        longline.start("web")
        delivered = delivery.measure(longline)
        longline.start("worker")
        with longline:
            spoken = first_word.measure(longline, server)
        print(show([spoken, delivered]))


if __name__ == "__main__":
    main()
