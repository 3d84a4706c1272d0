"""What holds for every page: accessible, small, quick to see, and honest about its age."""

import re
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from service.missions.attempts import Claim
from tests.browser import scenes
from tests.browser.stage import Stage
from tests.contract import given as the

pytestmark = [pytest.mark.browser, pytest.mark.processes]

STATIC = Path(__file__).parents[2] / "static"
OURS_MAX_BYTES = 100_000
FIRST_VIEW_S = 1.0
VIEWED = 5  # times, at most
PLAIN_TIMES = 12.0  # was 4 to 6
WIDTHS = (360, 2560)
AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text()


def pages_of(stage: Stage, asked: Claim) -> list[str]:
    """Every page there is; the last is of a mission that waits for an answer."""
    paths = ("", "/new", "/inbox", "/login", "/docs", "/plain", "/m/987654")
    plain = f"{stage.page(asked)}/plain"
    return [*(f"{stage.url}{path}" for path in paths), plain, stage.page(asked)]


def views_of(page: Page) -> Iterator[str]:
    """Its tabs, each while it is open; a page without tabs is one view."""
    tabs = page.get_by_role("tab").all()
    for tab in tabs:
        tab.click()
        yield tab.inner_text()
    if not tabs:
        yield ""


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
    rules = {"meta-refresh": {"enabled": False}}
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
    found = page.evaluate(
        "options => axe.run(document, options)",
        {"rules": rules, "resultTypes": ["violations"]} | options,
    )
    return [
        (fault["id"], [node["html"][:120] for node in fault["nodes"]][:3])
        for fault in found["violations"]
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
            for view in views_of(page):
                where = f"{address} {view}"
                page.emulate_media(color_scheme="light")
                found[where, "light"] = serious(page)
                page.emulate_media(color_scheme="dark")  # which changes colours and nothing else
                found[where, "dark"] = serious(page, runOnly=["color-contrast"])
                found[where, "wider"] = [width for width in WIDTHS if is_wider(page, width)]
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
    """By the best of some, or by what a page of two fields takes: the machine may be slow, or busy."""
    claimed = scenes.live_brief(stage)
    took = []
    for _ in range(VIEWED):
        plain = seconds_until(page, f"{stage.url}/login", "form")
        full = seconds_until(page, stage.page(claimed), "[data-call=c2] [data-stream=text] h4")
        took.append((full, plain))
        if full < max(FIRST_VIEW_S, PLAIN_TIMES * plain):
            break
    the.complete(stage.db, claimed)
    assert min(full / max(FIRST_VIEW_S, PLAIN_TIMES * plain) for full, plain in took) < 1, took


def seconds_until(page: Page, address: str, there: str) -> float:
    page.goto("about:blank")
    begun = time.monotonic()
    page.goto(address, wait_until="commit")
    page.locator(there).wait_for()
    return time.monotonic() - begun


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
    expect(page.get_by_text("Longline was upgraded")).to_be_visible()
    page.get_by_role("button", name="Reload the page").click()
    expect(page.get_by_text("Longline was upgraded")).to_have_count(0)


def test_the_build_names_what_is_served(stage: Stage, page: Page) -> None:
    page.goto(f"{stage.url}/static/build.json")
    assert re.search(r'"build":\s*"[0-9a-f]{16}"', page.content())
