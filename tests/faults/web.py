"""`longline web` by the clock of `shifted`; all around it is as it always is."""

import os
import sys

from service.cli.web import command

if __name__ == "__main__":
    os.execv(sys.executable, [*command()[:-1], "tests.faults.shifted:create_app()"])
