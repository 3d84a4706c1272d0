"""50,000 events: scrolling stays smooth, new ones cost no more than the first, and memory settles."""

from functools import partial

import pytest
from playwright.sync_api import CDPSession, Page, expect

from service.events.kinds import NewEvent
from tests.browser.stage import Stage, line, spoken, status, tool
from tests.contract import given as the
from tests.processes import until

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.alone]

EVENTS = 50_000
FRAMES_A_SECOND = 30
USUAL = 60  # frames a second of a page in which nothing moves
TRIES = 4  # of a view: others may have the machine for a moment
# Of the page's thread, whoever else is on the machine: half of what 30 frames a second leave.
CPU_MS_A_FRAME = 16.0
CPU_MS_A_THOUSAND_EVENTS = (
    400.0  # 50 to 70 were measured when they come at once, 200 to 400 one call after the other
)
SETTLED = 1.25  # heap after another round of looking at everything, against before
FRAMES = 60

SCROLL = """([selector, frames]) => new Promise((resolve) => {
  const box = selector ? document.querySelector(selector) : document.scrollingElement;
  const step = (box.scrollHeight - box.clientHeight) / frames;
  const start = performance.now();
  let shown = 0;
  const move = () => {
    box.scrollTop = step * shown;
    if (++shown < frames) requestAnimationFrame(move);
    else resolve(shown / ((performance.now() - start) / 1000));
  };
  requestAnimationFrame(move);
})"""
VIEWS = {
    "Live": None,
    "Events": "#view-events .box",
    "Logs": "#view-logs .box",
    "Timeline": "#view-timeline .box",
}


def many() -> list[NewEvent]:
    """A long mission: what models said, tools, and lines of output."""
    events: list[NewEvent] = [status("task.started", task="draft")]
    round_ = 0
    while len(events) < EVENTS:
        round_ += 1
        events += spoken("Some **words** about heat pumps.\n\n" * 12, f"c{round_}", piece=10)
        events += tool("calculator", {"expression": "6*7"}, "42", f"t{round_}")
        events += [line(f"line {n} of round {round_}") for n in range(10)]
    return events[:EVENTS]


class Costs:
    """What the page has cost its browser so far."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def cpu_ms(self) -> float:
        """Time of a core, so what else the machine does hardly counts."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(m["value"] for m in metrics if m["name"] == "TaskDuration")

    def heap_bytes(self) -> float:
        self._session.send("HeapProfiler.collectGarbage")
        return float(self._session.send("Runtime.getHeapUsage")["usedSize"])


def scroll(page: Page, costs: Costs, view: str) -> tuple[float, float]:
    """Once through all of a view: frames a second, and milliseconds of a core for each.

    The frames are those of a machine that draws 60 a second when nothing moves: one that others
    keep busy draws fewer whatever the page does.
    """
    page.get_by_role("tab", name=view).click()
    usual = page.evaluate(SCROLL, ["#footer", FRAMES])
    before = costs.cpu_ms()
    rate = page.evaluate(SCROLL, [VIEWS[view], FRAMES])
    return rate * max(1.0, USUAL / usual), (costs.cpu_ms() - before) / FRAMES


def smoothest(page: Page, costs: Costs, view: str) -> tuple[float, float]:
    rate, cpu_ms = scroll(page, costs, view)
    for _ in range(TRIES - 1):
        if rate > FRAMES_A_SECOND and cpu_ms < CPU_MS_A_FRAME:
            break
        again = scroll(page, costs, view)
        rate, cpu_ms = max(rate, again[0]), min(cpu_ms, again[1])
    return rate, cpu_ms


def is_shown(page: Page, call: str) -> bool:
    """Not by `expect`, whose report of a failure would be all of this page's text."""
    state = page.evaluate("c => document.querySelector(`[data-call=${c}]`)?.dataset.state", call)
    return bool(state == "done")


def test_fifty_thousand_events_scroll_smoothly_and_memory_settles(page: Page, stage: Stage) -> None:
    claimed = stage.running()
    stage.write(claimed, *many())
    costs = Costs(page)
    page.goto(stage.page(claimed))
    page.get_by_role("tab", name="Events").click()
    total = page.locator("#view-events").get_by_role("status")
    expect(total).to_contain_text("50,00", timeout=60_000)
    assert costs.cpu_ms() / (EVENTS / 1000) < CPU_MS_A_THOUSAND_EVENTS

    figures, sizes = {}, []
    for _ in range(2):
        for view in VIEWS:
            figures[view] = rate, cpu_ms = smoothest(page, costs, view)
            assert rate > FRAMES_A_SECOND, figures
            assert cpu_ms < CPU_MS_A_FRAME, figures
        sizes.append(costs.heap_bytes())
    assert sizes[-1] < sizes[0] * SETTLED, sizes

    page.get_by_role("tab", name="Live").click()
    before = costs.cpu_ms()
    for n in range(10):
        call = f"more{n}"
        stage.write(claimed, *spoken("More **words**.\n\n" * 30, call, piece=10))
        until(partial(is_shown, page, call), what=f"text of {call}")
    assert (
        costs.cpu_ms() - before < CPU_MS_A_THOUSAND_EVENTS
    )  # for about 500 events, in ten batches
    the.complete(stage.db, claimed)
