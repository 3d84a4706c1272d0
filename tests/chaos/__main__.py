"""`make chaos SEED=7 SECONDS=60`: the fault run on both databases, or on DATABASE= one."""

import argparse
import random
import tempfile
from pathlib import Path

from tests.chaos.play import play


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    given = parser.parse_args()
    for database in given.database or ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory() as folder:
            told = play(Path(folder), database, given.seed, given.seconds)
        print(f"{database}: all holds, after {', '.join(told)}")


if __name__ == "__main__":
    main()
