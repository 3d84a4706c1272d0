"""`make screenshots`: the pages as docs/page.md shows them, light and dark, into docs/images."""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import scenes
from tests.browser.conftest import launch
from tests.browser.stage import Stage, staged

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SIZE = {"width": 1200, "height": 760}
COLOURS = 160  # of a page that has few: half of the bytes
SCHEMES = ("light", "dark")


def addresses(stage: Stage) -> dict[str, str]:
    """What is shown, by the name of its picture."""
    asked = scenes.asked_brief(stage)
    scenes.done_brief(stage)
    scenes.failed_brief(stage)
    live = scenes.live_brief(stage)
    return {
        "missions": stage.url,
        "live": stage.page(live),
        "question": stage.page(asked),
        "timeline": stage.page(live, "timeline"),
        "events": stage.page(live, "events"),
        "usage": stage.page(live, "usage"),
        "inbox": f"{stage.url}/inbox",
        "new": f"{stage.url}/new",
    }


def take(browser: Browser, address: str, scheme: str) -> bytes:
    with browser.new_context(viewport=SIZE, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Loading…")
        page.wait_for_load_state("load")
        if page.locator("#footer").count():
            expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
        page.wait_for_timeout(500)  # nothing is asserted here: for what is still being drawn
        return page.screenshot()


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
        for name, address in addresses(stage).items():
            for scheme in SCHEMES:
                save(take(browser, address, scheme), IMAGES / f"{name}-{scheme}.png")


if __name__ == "__main__":
    main()
