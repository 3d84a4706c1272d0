"""The table of docs/frameworks.md: every row names a test that there is."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_row_of_the_table_names_a_test() -> None:
    page = (ROOT / "docs" / "frameworks.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")][2:]
    written = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))

    assert len(rows) >= 15
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert all(f"def {name}(" in written for name in named), row
