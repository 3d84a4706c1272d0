"""`make screenshots`: the pages as docs/page.md shows them, light and dark, into docs/images."""

import io
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from service import clock
from service.events.kinds import Kind, NewEvent
from service.missions.attempts import Claim
from tests.browser import scenes
from tests.browser.conftest import launch
from tests.browser.stage import Stage, staged
from tests.contract import given as the

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SIZE = {"width": 1200, "height": 760}
COLOURS = 160  # of a page that has few: half of the bytes
SCHEMES = ("light", "dark")
SETTLED = re.compile("live|closed")


# What passes before an event of this name, else of this kind.
PACE_MS = {
    "llm.started": 350,
    "tool.finished": 1840,
    "plan": 2600,
    Kind.STREAM: 130,
    Kind.STATUS: 40,
}
# What the writer goes on with while the pictures are taken.
GOES_ON = (
    " with small radiators can be warmed at all. Field trials say that it can, most of the year."
)
PAST = (
    ("Compare three vendors of industrial heat pumps", scenes.done_brief, 340),
    ("Weekly digest", scenes.failed_brief, 190),
    ("Brief on lithium recycling", scenes.done_brief, 95),
    ("Brief on night trains", scenes.done_brief, 47),
)


class PacedStage(Stage):
    """Writes what happens one after the other, as long ago as it would have been."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.longline, stage.db)
        self._ms = 0

    @contextmanager
    def ago(self, seconds: float) -> Iterator[None]:
        """What is written inside began then."""
        self._ms = clock.now_ms() - round(1000 * seconds)
        with patch.object(clock, "now_ms", lambda: self._ms):
            yield

    def write(self, claimed: Claim, *events: NewEvent) -> None:
        for event in events:
            self._ms += PACE_MS.get(event.name, PACE_MS.get(event.kind, 5))
            super().write(claimed, replace(event, at_ms=self._ms))


def played(stage: Stage) -> tuple[Claim, Claim, Claim]:
    """A day's missions. Returns one that waits for a person, one that is at work, one that has ended."""
    paced = PacedStage(stage)
    for title, scene, minutes in PAST:
        with paced.ago(60 * minutes):
            done = scene(paced, title=title)
    with paced.ago(96):
        asked = scenes.asked_brief(paced, title="Brief on heat pumps for landlords")
    with paced.ago(41):
        live = scenes.live_brief(paced)
    with paced.ago(12):
        the.make_mission(stage.db, title="Translate the brief into French", engine="langchain")
    return asked, live, done


def addresses(stage: Stage, asked: Claim, live: Claim, done: Claim) -> dict[str, str]:
    """What is shown, by the name of its picture."""
    return {
        "missions": stage.url,
        "live": stage.page(live),
        "question": stage.page(asked),
        "timeline": stage.page(live, "timeline"),
        "events": stage.page(live, "events"),
        "usage": stage.page(done, "usage"),
        "inbox": f"{stage.url}/inbox",
        "new": f"{stage.url}/new",
    }


def take(browser: Browser, address: str, scheme: str, go_on: Callable[[], None]) -> bytes:
    with browser.new_context(viewport=SIZE, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Loading…")
        page.wait_for_load_state("load")
        if page.locator("#footer").count():
            expect(page.locator("#footer")).to_have_attribute("data-connection", SETTLED)
        if address.endswith("/new"):
            page.get_by_role("button", name="Fill in the example").click()
        go_on()
        page.wait_for_timeout(1500)  # nothing is asserted here: for what is still being drawn
        return page.screenshot()


def words(stage: Stage, live: Claim) -> Iterator[None]:
    """At each step a word more: the pictures are of something that happens."""
    for word in GOES_ON.split(" ")[1:]:
        event = NewEvent(
            Kind.STREAM, "text", {"delta": f" {word}"}, agent="writer", task="draft", call="c2"
        )
        stage.write(live, event)
        yield


def save(picture: bytes, path: Path) -> None:
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        staged(Path(folder)) as stage,
        sync_playwright() as playwright,
        launch(playwright) as browser,
    ):
        asked, live, done = played(stage)
        told = words(stage, live)
        for name, address in addresses(stage, asked, live, done).items():
            for scheme in SCHEMES:
                picture = take(browser, address, scheme, lambda: next(told))
                save(picture, IMAGES / f"{name}-{scheme}.png")


if __name__ == "__main__":
    main()
