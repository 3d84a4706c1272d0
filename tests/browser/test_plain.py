"""Without scripts: a mission, its words, and its questions as forms."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import scenes
from tests.browser.stage import Stage
from tests.contract import given as the

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(java_script_enabled=False) as context:
        yield context.new_page()


def test_a_mission_is_read_and_answered_without_scripts(page: Page, stage: Stage) -> None:
    claimed = scenes.asked_brief(stage)
    page.goto(stage.page(claimed))
    page.wait_for_url(f"{stage.page(claimed)}/plain")
    expect(
        page.get_by_text("it delivers two to four of heat", exact=False).or_(
            page.get_by_text("kilowatt-hour")
        )
    ).to_be_visible()
    expect(page.get_by_role("link", name="sources.csv")).to_be_visible()
    assert page.locator("meta[http-equiv=refresh]").count() == 0  # it would take the draft with it

    page.get_by_label("Comment for the agent").fill("Not outside.")
    page.get_by_role("button", name="Reject").click()

    expect(page.locator("form.question")).to_have_count(0)
    [response] = the.responses(stage.db, claimed)
    assert response["data"]["answer"] == {"decision": "reject", "comment": "Not outside."}
    assert page.locator("meta[http-equiv=refresh]").get_attribute("content") == "5"
    the.complete(stage.db, claimed)


def test_who_is_too_late_is_told_so(page: Page, stage: Stage) -> None:
    claimed = stage.running()
    request = stage.ask(claimed, the.question())
    page.goto(f"{stage.page(claimed)}/plain")
    page.get_by_label("Your answer").fill("Mine")
    the.answer(stage.db, request, "Theirs", by="Bob")
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("alert")).to_contain_text("Bob was first")
    the.complete(stage.db, claimed)


def test_the_list_leads_there(page: Page, stage: Stage) -> None:
    claimed = stage.running(title="From the list")
    page.goto(stage.url)
    page.get_by_role("link", name="From the list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("From the list")
    the.complete(stage.db, claimed)
