"""`make chaos SEED=7 SECONDS=60`: the fault run on both databases, or on DATABASE= one."""

import argparse
import random
import tempfile
from pathlib import Path

from tests.faults.play import play

DATABASES = ("sqlite", "postgresql")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--database", choices=DATABASES, action="append")
    given = parser.parse_args()
    for database in given.database or DATABASES:
        with tempfile.TemporaryDirectory() as folder:
            told = play(Path(folder), database, given.seed, given.seconds)
        print(f"{database}: all holds: {told}", flush=True)


if __name__ == "__main__":
    main()
