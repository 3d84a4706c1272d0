"""Whatever lies between the page and its server: nothing is missed, nothing comes twice."""

import re

import orjson
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.proxy import CuttingProxy
from tests.browser.stage import Stage, spoken
from tests.browser.ticks import CLOCK, TAKEOVER_TICKS, ticks_until_poll, wait_until
from tests.contract import given as the

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.waits]


def test_a_proxy_that_cuts_after_3_s_is_lived_with(context: BrowserContext, stage: Stage) -> None:
    claimed = stage.running()
    page = context.new_page()
    with CuttingProxy(stage.longline.port, after_s=3.0) as proxy:
        page.goto(f"{proxy.url}/m/{claimed.mission_id}")
        expect(page.locator("#footer")).to_contain_text("a proxy that cuts after 3 s")
        expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
        assert page.evaluate("JSON.parse(localStorage.getItem('longline.hold')).seconds") == 5

        stage.write(claimed, *spoken("Through the proxy.", "c1"))
        expect(page.locator("[data-call=c1]")).to_contain_text("Through the proxy.")
        the.complete(stage.db, claimed)
        expect(page.locator("#footer")).to_have_attribute("data-connection", "closed")
        assert proxy.cuts >= 2


def test_a_shorter_hold_that_was_learned_is_kept(context: BrowserContext, stage: Stage) -> None:
    learned = "localStorage.setItem('longline.hold', JSON.stringify({seconds: 7, until: Date.now() + 1e6}))"
    page = context.new_page()
    page.add_init_script(learned)
    with page.expect_request(lambda request: "wait=7&" in request.url):
        page.goto(stage.url)


def test_answers_that_a_proxy_spoils_are_asked_for_again(
    context: BrowserContext, stage: Stage
) -> None:
    left = [as_error_page, cut, without_an_event, with_an_event_twice, as_html]
    spoiled = len(left)

    def spoil(route: Route) -> None:
        body = route.fetch().body()
        events = orjson.loads(body)["events"]
        events = [] if "kind=" in route.request.url else events  # a filtered one may have holes
        if left and len(events) > 2:
            left.pop(0)(route, body)
        else:
            route.fulfill(status=200, content_type="application/json", body=body)

    claimed = stage.running()
    page = context.new_page()
    page.route("**/events?*", spoil)
    page.goto(stage.page(claimed))
    for n in range(spoiled):
        stage.write(claimed, *spoken(f"The part {n} of all that there is.", f"c{n}"))
        wait_until(page, lambda n=n: len(left) < spoiled - n, "answer that is spoiled")

    for n in range(spoiled):
        shown = page.locator(f"[data-call=c{n}] [data-stream=text]")
        expect(shown).to_have_text(f"The part {n} of all that there is.")
    the.complete(stage.db, claimed)
    expect(page.locator("#footer")).to_have_attribute("data-connection", "closed")
    page.unroute_all(behavior="ignoreErrors")


def as_error_page(route: Route, _body: bytes) -> None:
    route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")


def as_html(route: Route, _body: bytes) -> None:
    route.fulfill(status=200, content_type="text/html", body="<h1>Please wait</h1>")


def cut(route: Route, body: bytes) -> None:
    route.fulfill(status=200, content_type="application/json", body=body[: len(body) // 2])


def without_an_event(route: Route, body: bytes) -> None:
    answer = orjson.loads(body)
    del answer["events"][1]
    route.fulfill(status=200, content_type="application/json", body=orjson.dumps(answer))


def with_an_event_twice(route: Route, body: bytes) -> None:
    answer = orjson.loads(body)
    answer["events"].insert(0, answer["events"][0])
    route.fulfill(status=200, content_type="application/json", body=orjson.dumps(answer))


def test_a_closed_laptop_goes_on_when_it_is_opened(context: BrowserContext, stage: Stage) -> None:
    claimed = stage.running()
    page = context.new_page()
    page.clock.install()
    page.goto(stage.page(claimed))
    expect(page.locator("#footer")).to_have_attribute("data-connection", "live")

    lost: list[Route] = []  # polls that are never answered any more
    page.route("**/events?*", lambda route: lost.append(route))
    stage.write(claimed, *spoken("Before.", "c1"))
    wait_until(page, lambda: lost, "poll that is lost")
    page.unroute_all(behavior="ignoreErrors")
    stage.write(claimed, *spoken("While it was closed.", "c2"))
    page.clock.fast_forward("01:00:00")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(page.locator("[data-call=c1]")).to_contain_text("Before.")
    expect(page.locator("[data-call=c2]")).to_contain_text("While it was closed.")
    the.complete(stage.db, claimed)


def test_a_network_that_comes_back_is_used_at_once(context: BrowserContext, stage: Stage) -> None:
    claimed = stage.running()
    page = context.new_page()
    page.add_init_script(CLOCK)
    page.goto(stage.page(claimed))
    footer = page.locator("#footer")
    expect(footer).to_have_attribute("data-connection", "live")

    context.set_offline(True)
    expect(footer).to_contain_text(re.compile(r"reconnecting in \d+ s"))
    stage.write(claimed, *spoken("Meanwhile.", "c1"))
    then = page.evaluate("[ticks, polled.length]")
    context.set_offline(False)

    expect(page.locator("[data-call=c1]")).to_contain_text("Meanwhile.")
    expect(footer).to_contain_text("live, last event")
    assert ticks_until_poll(page, *then) < TAKEOVER_TICKS
    the.complete(stage.db, claimed)


def test_who_says_when_to_come_again_is_not_asked_before(
    context: BrowserContext, stage: Stage
) -> None:
    claimed = stage.running()
    page = context.new_page()
    busy = {"code": "unavailable", "detail": "Too many.", "retry_s": 120}
    page.route("**/events?*", lambda route: route.fulfill(status=503, json=busy))
    page.goto(stage.page(claimed))
    expect(page.locator("#footer")).to_contain_text(
        re.compile(r"reconnecting in (2 min 0|1 min 5)\d s")
    )
    the.complete(stage.db, claimed)
    page.unroute_all(behavior="ignoreErrors")


def test_those_that_were_cut_off_together_come_back_apart(page: Page, stage: Stage) -> None:
    page.goto(f"{stage.url}/login")
    pauses = page.evaluate(
        """async (failures) => {
          const { pauseMs } = await import("/static/js/backoff.js");
          return failures.map((n) => Array.from({ length: 200 }, () => pauseMs(n)));
        }""",
        [0, 3, 50],
    )
    for drawn, longest in zip(pauses, (500, 4000, 8000), strict=True):  # anything in between
        assert min(drawn) >= 0
        assert longest * 0.5 < max(drawn) <= longest
        assert min(drawn) < longest * 0.5
