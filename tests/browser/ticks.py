"""Time as a page has it: it stands still while the machine does something else, so no test fails by that."""

from playwright.sync_api import Page

from tests.processes import until

TICK_MS = 50
# In the time of the page that takes over, which stands still while the machine does something else.
TAKEOVER_TICKS = 2000 / TICK_MS
HOLD_TICKS = 15_000 / TICK_MS  # shorter than any poll of the page is held
# How far a page's clock was whenever it began a poll.
CLOCK = f"""
window.ticks = 0;
setInterval(() => window.ticks++, {TICK_MS});
window.polled = [];
const ask = window.fetch;
window.fetch = (...what) => {{
  if (/events\\?/.test(what[0]) && !/wait=0/.test(what[0])) window.polled.push(window.ticks);
  return ask(...what);
}};
"""


def ticks_until_poll(page: Page, ticks: int, polls: int) -> float:
    """From then on, to the first poll that this page began later."""
    began = page.evaluate("n => polled[n] ?? null", polls)
    return float("inf") if began is None else began - ticks


def wait_until(page: Page, look: object, what: str, within_s: float = 60.0) -> None:
    """As `until`, with the browser's events coming in meanwhile."""
    until(lambda: page.wait_for_timeout(20) or look(), within_s=within_s, what=what)  # type: ignore[operator]
