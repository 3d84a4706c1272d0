"""A server with what an operator adds: tools of their own, and prices. For tests that need them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import MODEL, settings_for
from tests.model_server import ModelServer
from tests.processes import Longline

PRICES = {f"openai/{MODEL}": {"input": 100.0, "output": 1000.0, "cached": 10.0}}

TOOLS = '''
import time
from pathlib import Path

def linger(file: str) -> str:
    """Notes in a file that it began, and then does nothing for a long time."""
    with Path(file).open("a") as lines:
        lines.write("began\\n")
    time.sleep(600)
    return "done"

def note(file: str) -> str:
    """Notes in a file that it was called."""
    with Path(file).open("a") as lines:
        lines.write("called\\n")
    return "noted"

def hang_at_the_end() -> str:
    """Has the crew that calls it hang when its last task is done."""
    from crewai import Crew
    Crew.calculate_usage_metrics = lambda crew: time.sleep(600)
    return "it will"
'''

NAMES = ("linger", "note", "hang_at_the_end")


@contextmanager
def equipped(folder: Path, model_server: ModelServer, **environment: str) -> Iterator[Longline]:
    """Web and worker whose tools are NAMES besides, and whose model has a price."""
    install_tools(folder / "site")
    (folder / "prices.json").write_text(json.dumps(PRICES))
    settings = {
        **settings_for(model_server),
        "PYTHONPATH": str(folder / "site"),
        "LONGLINE_TOOLS": ", ".join(NAMES),
        "LONGLINE_PRICES": str(folder / "prices.json"),
        **environment,
    }
    with Longline(folder, **settings) as running:
        yield running


def install_tools(site: Path) -> None:
    """As pip would leave a distribution with its entry points."""
    info = site / "house_tools-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "house_tools.py").write_text(TOOLS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: house-tools\nVersion: 1.0\n")
    lines = [f"{name} = house_tools:{name}" for name in NAMES]
    (info / "entry_points.txt").write_text("\n".join(["[longline.tools]", *lines]))
