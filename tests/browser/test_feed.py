"""One poll per browser, however many tabs; whoever leads, and whatever lies between, nothing is missed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.browser.stage import Stage, spoken
from tests.browser.ticks import CLOCK, HOLD_TICKS, TAKEOVER_TICKS, ticks_until_poll, wait_until
from tests.contract import given as the

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def is_held(request: Request) -> bool:
    return "events?" in request.url and "wait=0" not in request.url


class Polls:
    """The held polls that are open in a browser, by page."""

    def __init__(self, context: BrowserContext) -> None:
        self.open: dict[Request, Page] = {}
        context.on("request", self._begun)
        context.on("requestfinished", lambda request: self.open.pop(request, None))
        context.on("requestfailed", lambda request: self.open.pop(request, None))

    def _begun(self, request: Request) -> None:
        if is_held(request):
            self.open[request] = request.frame.page

    @property
    def pages(self) -> list[Page]:
        return [page for page in self.open.values() if not page.is_closed()]


WITHOUT_LOCKS = "Object.defineProperty(navigator, 'locks', {value: undefined})"


@pytest.mark.parametrize("script", ["", WITHOUT_LOCKS], ids=["locks", "no locks"])
def test_all_tabs_of_a_browser_hold_one_poll_and_another_takes_over(
    context: BrowserContext, stage: Stage, script: str
) -> None:
    polls = Polls(context)
    context.add_init_script(script + CLOCK)
    claimed = stage.running()
    tabs = [context.new_page() for _ in range(3)]
    for tab, address in zip(
        tabs, (stage.page(claimed), stage.url, stage.page(claimed)), strict=True
    ):
        tab.goto(address)
        expect(tab.locator("#footer")).to_have_attribute("data-connection", "live")

    wait_until(tabs[0], lambda: len(polls.pages) == 1, "single poll")
    written = tabs[0].evaluate("ticks")
    stage.write(claimed, *spoken("Told to all tabs.", "c1"))

    for tab in (tabs[0], tabs[2]):
        expect(tab.locator("[data-call=c1]")).to_contain_text("Told to all tabs.")
    assert tabs[0].evaluate("ticks") - written < HOLD_TICKS  # told, and not found when a hold ended
    row = tabs[1].locator(f"[data-mission='{claimed.mission_id}']")
    expect(row.locator("[data-slot=tokens]")).not_to_have_text("0")
    wait_until(tabs[0], lambda: len(polls.pages) == 1, "single poll")

    leader = polls.pages[0]
    others = [tab for tab in tabs if tab is not leader]
    begun = [tab.evaluate("[ticks, polled.length]") for tab in others]
    leader.close()
    wait_until(others[0], lambda: set(polls.pages) & set(others), "poll of another tab")
    took = [ticks_until_poll(tab, *then) for tab, then in zip(others, begun, strict=True)]
    assert min(took) < TAKEOVER_TICKS

    stage.write(claimed, *spoken("Still told.", "c2"))
    reader = next(tab for tab in others if tab is not tabs[1])
    expect(reader.locator("[data-call=c2]")).to_contain_text("Still told.")
    wait_until(reader, lambda: len(polls.pages) == 1, "single poll")
    the.complete(stage.db, claimed)
    if tabs[1] in others:
        expect(row.locator(".status")).to_have_text("completed")


def test_a_tab_that_hangs_is_relieved(context: BrowserContext, stage: Stage) -> None:
    polls = Polls(context)
    claimed = stage.running()
    tabs = [context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(stage.page(claimed))
        expect(tab.locator("#footer")).to_have_attribute("data-connection", "live")
    wait_until(tabs[0], lambda: len(polls.pages) == 1, "single poll")
    leader = polls.pages[0]
    follower = next(tab for tab in tabs if tab is not leader)

    with hanging(context, leader):
        stage.write(claimed, *spoken("Told while one hangs.", "c1"))
        expect(follower.locator("[data-call=c1]")).to_contain_text("Told while one hangs.")

    expect(leader.locator("[data-call=c1]")).to_contain_text("Told while one hangs.")
    wait_until(follower, lambda: len(polls.pages) == 1, "single poll again")
    the.complete(stage.db, claimed)


def test_a_tab_that_is_to_be_frozen_hands_its_poll_over(
    context: BrowserContext, stage: Stage
) -> None:
    polls = Polls(context)
    claimed = stage.running()
    leader = context.new_page()
    leader.goto(stage.page(claimed))
    wait_until(leader, lambda: polls.pages == [leader], "poll")
    follower = context.new_page()
    follower.goto(stage.page(claimed))
    expect(follower.locator("#footer")).to_have_attribute("data-connection", "live")

    # What the browser says before it freezes a tab; that it then stands still is the test above.
    leader.evaluate("document.dispatchEvent(new Event('freeze'))")
    wait_until(follower, lambda: follower in polls.pages, "poll of the other tab")
    stage.write(claimed, *spoken("Told by the other.", "c1"))
    expect(follower.locator("[data-call=c1]")).to_contain_text("Told by the other.")
    expect(leader.locator("[data-call=c1]")).to_contain_text("Told by the other.")
    leader.evaluate("document.dispatchEvent(new Event('resume'))")
    assert polls.pages == [follower]
    follower.close()
    wait_until(leader, lambda: polls.pages == [leader], "poll of who was frozen")
    the.complete(stage.db, claimed)


@contextmanager
def hanging(context: BrowserContext, page: Page) -> Iterator[None]:
    """Its scripts stand still, as in a tab that the browser has frozen: its poll stays open."""
    session = context.new_cdp_session(page)
    session.send("Debugger.enable")
    session.send("Debugger.pause")
    try:
        yield
    finally:
        session.send("Debugger.resume")
        session.detach()


def test_a_hidden_tab_is_told_as_well(context: BrowserContext, stage: Stage) -> None:
    claimed = stage.running()
    page = context.new_page()
    page.add_init_script(
        "Object.defineProperty(document, 'hidden', {get: () => true});"
        "Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'});"
        "window.requestAnimationFrame = () => 0;"
    )
    page.goto(stage.page(claimed))
    expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
    stage.write(claimed, *spoken("Nobody looks.", "c1"))
    expect(page.locator("[data-call=c1]")).to_contain_text("Nobody looks.")
    the.complete(stage.db, claimed)


def test_another_log_is_begun_anew(context: BrowserContext, stage: Stage) -> None:
    claimed = stage.running()
    stage.write(claimed, *spoken("Once.", "c1"))
    page = context.new_page()
    renamed = threading.Event()

    def rename(route: Route) -> None:
        answer = route.fetch()
        name = answer.json()["feed"]
        body = answer.text()
        if renamed.is_set():
            body = body.replace(f'"{name}"', '"restored"', 1)
        route.fulfill(response=answer, body=body)

    page.route("**/events?*", rename)
    page.goto(stage.page(claimed))
    expect(page.locator("[data-call=c1]")).to_contain_text("Once.")
    renamed.set()
    stage.write(claimed, *spoken("Twice.", "c2"))

    expect(page.locator("[data-call=c2]")).to_contain_text("Twice.")
    expect(page.locator("[data-call=c1]")).to_have_count(1)
    the.complete(stage.db, claimed)
    expect(page.locator("#footer")).to_have_attribute("data-connection", "closed")
    page.unroute_all(behavior="ignoreErrors")
