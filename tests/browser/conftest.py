"""A browser, and a page in it that must not break its own security policy."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.stage import Stage, staged
from tests.debian import have, need, where

# A deadline, not a measure: other suites run beside this one, and each page is a process or two.
expect.set_options(timeout=60_000)

WINDOWLESS = "chromium-headless-shell"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def launch(playwright: Playwright) -> Iterator[Browser]:
    """Debian's chromium; where it can be had the one without windows, in which a page costs half."""
    if not have(**{WINDOWLESS: WINDOWLESS}):
        need(chromium="chromium")
    program = where(WINDOWLESS) or where("chromium")
    browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Each context has a profile of its own. Gone before other suites run: it holds this thread's event loop."""
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server without a worker: the tests write the logs that its pages show."""
    with staged(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser's profile. Fails the test when a script has failed or the policy stopped something."""
    faults: list[str] = []
    # What runs pulses, which costs an eighth of a core for as long as it is shown.
    with browser.new_context(reduced_motion="reduce") as context:
        context.on("weberror", lambda error: faults.append(str(error.error)))
        context.on(
            "console",
            lambda message: faults.append(message.text) if is_fault(message.text) else None,
        )
        yield context
    assert faults == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def is_fault(line: str) -> bool:
    """Not a refused connection, which is what a restart looks like."""
    return "Content Security Policy" in line or "TrustedHTML" in line
