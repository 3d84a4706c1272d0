"""What holds for every page: accessible, small, quick to see, and honest about its age."""

import re
import time
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import scenes
from tests.browser.stage import Stage, staged
from tests.contract import given as the

pytestmark = [pytest.mark.browser, pytest.mark.processes]

STATIC = Path(__file__).parents[2] / "static"
OURS_MAX_BYTES = 100_000
FIRST_VIEW_S = 1.0
VIEWS = ("", "timeline", "events", "logs", "usage", "files", "spec")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(browser: Browser, stage: Stage, scheme: str) -> None:
    asked = scenes.asked_brief(stage)
    addresses = [stage.page(asked, view) for view in VIEWS]
    addresses += [
        stage.url,
        f"{stage.url}/new",
        f"{stage.url}/inbox",
        f"{stage.url}/login",
        f"{stage.page(asked)}/plain",
    ]
    found = []
    with browser.new_context(color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        for address in addresses:
            page.goto(address)
            expect(page.get_by_role("heading", level=1)).not_to_have_text("Loading…")
            if page.locator("#footer").count():
                expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
            violations = Axe().run(page).response["violations"]
            found += [
                (address, fault["id"], [node["html"][:120] for node in fault["nodes"]][:3])
                for fault in violations
                if fault["impact"] in ("serious", "critical")
            ]
    the.complete(stage.db, asked)
    assert found == []


@pytest.mark.parametrize("width", [360, 2560])
def test_no_page_is_wider_than_the_screen(browser: Browser, stage: Stage, width: int) -> None:
    asked = scenes.asked_brief(stage)
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        for address in (
            *[stage.page(asked, view) for view in VIEWS],
            stage.url,
            f"{stage.url}/new",
            f"{stage.url}/inbox",
        ):
            page.goto(address)
            expect(page.get_by_role("heading", level=1)).not_to_have_text("Loading…")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    the.complete(stage.db, asked)


@pytest.mark.parametrize("name", ["index", "mission", "inbox", "new", "login"])
def test_a_page_loads_at_most_100_kb_of_ours(stage: Stage, name: str) -> None:
    html = (STATIC / f"{name}.html").read_text()
    styles = re.findall(r'href="/static/(css/[^"]+)"', html)
    scripts = modules(set(re.findall(r'src="/static/(js/[^"]+)"', html)))
    assert sum(sent_bytes(stage, path) for path in {*styles, *scripts}) <= OURS_MAX_BYTES


def sent_bytes(stage: Stage, path: str) -> int:
    """What goes over the line for a file: it is sent compressed."""
    with httpx.stream("GET", f"{stage.url}/static/{path}") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        return sum(map(len, response.iter_raw()))


def modules(found: set[str]) -> set[str]:
    """With all that they import, at once or later."""
    ahead = list(found)
    while ahead:
        text = (STATIC / ahead.pop()).read_text()
        imported = {
            f"js/{name}" for name in re.findall(r'(?:from|import\()\s*"\./([^"]+)"', text)
        } - found
        found |= imported
        ahead += imported
    return found


def test_all_that_lies_in_static_is_used() -> None:
    pages = "".join(path.read_text() for path in STATIC.rglob("*.html"))
    scripts = modules(set(re.findall(r'src="/static/(js/[^"]+)"', pages)))
    assert {f"js/{path.name}" for path in (STATIC / "js").iterdir()} == scripts
    assert {path.name for path in (STATIC / "css").iterdir()} == set(
        re.findall(r"css/([a-z-]+\.css)", pages)
    )


def test_the_first_view_takes_less_than_a_second(page: Page, stage: Stage) -> None:
    claimed = scenes.live_brief(stage)
    took = []
    for _ in range(3):  # one of them is enough: the machine may be busy with something else
        page.goto("about:blank")
        begun = time.monotonic()
        page.goto(stage.page(claimed), wait_until="commit")
        page.locator("[data-call=c2] [data-stream=text] h4").wait_for()
        took.append(time.monotonic() - begun)
    the.complete(stage.db, claimed)
    assert min(took) < FIRST_VIEW_S, took


def test_a_page_that_was_open_during_an_upgrade_says_so(page: Page, tmp_path: Path) -> None:
    build = ["one"]

    def tell(route: Route) -> None:
        route.fulfill(json={"build": build[0]})

    with staged(tmp_path) as stage:
        page.route("**/static/build.json", tell)
        page.goto(stage.url)
        expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
        build[0] = "two"
        stage.longline.kill("web")
        expect(page.locator("#footer")).to_have_attribute("data-connection", "reconnecting")
        stage.longline.start("web")
        expect(page.get_by_text("Longline was upgraded")).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="Reload the page").click()
        expect(page.get_by_text("Longline was upgraded")).to_have_count(0)
        page.goto("about:blank")


def test_the_build_names_what_is_served(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/static/build.json")
    assert re.search(r'"build":\s*"[0-9a-f]{16}"', page.content())
