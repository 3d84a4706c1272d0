"""What holds for every page: accessible, small, quick to see, and honest about its age."""

import re
import time
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from service.missions.attempts import Claim
from tests.browser import scenes
from tests.browser.stage import Stage
from tests.contract import given as the

pytestmark = [pytest.mark.browser, pytest.mark.processes]

STATIC = Path(__file__).parents[2] / "static"
OURS_MAX_BYTES = 100_000
FIRST_VIEW_S = 1.0
RESTART_MS = 30_000  # and the page's pause before it looks again
WIDTHS = (360, 2560)
VIEWS = ("", "timeline", "events", "logs", "usage", "files", "spec")


def pages_of(stage: Stage, asked: Claim) -> list[str]:
    """Every page there is, and every view of a mission that waits for an answer."""
    views = [stage.page(asked, view) for view in VIEWS]
    others = ["", "/new", "/inbox", "/login", "/docs", "/plain", "/m/987654"]
    others.append(f"/m/{asked.mission_id}/plain")
    return views + [f"{stage.url}{path}" for path in others]


def open_page(page: Page, address: str) -> None:
    """Wait until it shows what it has to show."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Loading…")
    if page.locator("#footer").count():
        expect(page.locator("#footer")).to_have_attribute(
            "data-connection", re.compile("live|refused")
        )


def serious(page: Page, **options: object) -> list[tuple[str, list[str]]]:
    """Without the rule against refreshing: a page without scripts has no other way to be live."""
    options = {"rules": {"meta-refresh": {"enabled": False}}} | options
    violations = Axe().run(page, options=options).response["violations"]
    return [
        (fault["id"], [node["html"][:120] for node in fault["nodes"]][:3])
        for fault in violations
        if fault["impact"] in ("serious", "critical")
    ]


def is_wider(page: Page, width: int) -> bool:
    page.set_viewport_size({"width": width, "height": 800})
    return int(page.evaluate("document.documentElement.scrollWidth")) > width


def test_each_page_fits_its_screen_and_axe_finds_nothing_serious(
    browser: Browser, stage: Stage
) -> None:
    asked = scenes.asked_brief(stage)
    found: dict[tuple[str, str], object] = {}
    with browser.new_context(color_scheme="light") as context:
        page = context.new_page()
        for address in pages_of(stage, asked):
            page.emulate_media(color_scheme="light")
            open_page(page, address)
            found[address, "light"] = serious(page)
            page.emulate_media(color_scheme="dark")  # which changes colours and nothing else
            found[address, "dark"] = serious(page, runOnly=["color-contrast"])
            found[address, "wider"] = [width for width in WIDTHS if is_wider(page, width)]
            page.set_viewport_size({"width": 1280, "height": 720})
    the.complete(stage.db, asked)
    assert {where: faults for where, faults in found.items() if faults} == {}


def test_all_of_our_script_and_style_is_100_kb_at_most(stage: Stage) -> None:
    """Of all pages together, as it goes over the line: compressed."""
    ours = [path for kind in ("js", "css") for path in (STATIC / kind).iterdir()]
    with httpx.Client(base_url=f"{stage.url}/static/") as client:
        sizes = {path.name: sent_bytes(client, f"{path.parent.name}/{path.name}") for path in ours}
    assert sum(sizes.values()) <= OURS_MAX_BYTES, sizes


def sent_bytes(client: httpx.Client, path: str) -> int:
    with client.stream("GET", path) as response:
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


@pytest.mark.alone
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


def test_a_page_that_was_open_during_an_upgrade_says_so(page: Page, stage: Stage) -> None:
    build = ["one"]

    def tell(route: Route) -> None:
        route.fulfill(json={"build": build[0]})

    page.route("**/static/build.json", tell)
    page.goto(stage.url)
    expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
    build[0] = "two"
    stage.longline.kill("web")
    expect(page.locator("#footer")).to_have_attribute("data-connection", "reconnecting")
    expect(page.locator("#footer")).to_contain_text(re.compile(r"reconnecting in \d+ s"))
    stage.longline.start("web")
    expect(page.get_by_text("Longline was upgraded")).to_be_visible(timeout=RESTART_MS)
    page.get_by_role("button", name="Reload the page").click()
    expect(page.get_by_text("Longline was upgraded")).to_have_count(0)


def test_the_build_names_what_is_served(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/static/build.json")
    assert re.search(r'"build":\s*"[0-9a-f]{16}"', page.content())
