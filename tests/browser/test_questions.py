"""A question is seen, answered once, and told the truth about; wherever the one who answers looks."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from service.requests.question import Question
from tests.browser import scenes
from tests.browser.stage import Stage, spoken
from tests.contract import given as the
from tests.processes import until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

FORM = Question(
    "form",
    "Where shall it go?",
    type="form",
    schema={
        "type": "object",
        "required": ["city", "guests"],
        "properties": {
            "city": {"type": "string", "title": "City", "pattern": "^[A-Z]"},
            "guests": {"type": "integer", "title": "Guests", "minimum": 1},
            "tone": {"enum": ["calm", "loud"], "title": "Tone"},
            "vegan": {"type": "boolean", "title": "Vegan"},
            "tags": {"type": "array", "items": {"type": "string"}, "title": "Tags"},
            "venue": {
                "type": "object",
                "properties": {"name": {"type": "string", "title": "Name"}},
            },
        },
    },
)


@pytest.fixture(autouse=True)
def _nobody_else_asks(stage: Stage) -> Any:
    """Each test leaves the inbox empty, so that the next can count."""
    yield
    for asked in stage.longline.client.pending():
        the.expire(stage.db, asked["id"]) or the.cancel(stage.db, asked["mission"])


def question(page: Page) -> Locator:
    return page.locator("form.question")


def test_changed_arguments_are_shown_as_a_difference(page: Page, stage: Stage) -> None:
    claimed = scenes.asked_brief(stage)
    page.goto(stage.page(claimed))
    for view in ("Spec", "Live"):  # a pinned question lies over no tab
        page.get_by_role("tab", name=view).click()
    changed = question(page).get_by_role("button", name="Approve with these arguments")
    expect(changed).to_be_hidden()
    field = question(page).get_by_label("Arguments for send_mail")
    field.fill(field.input_value().replace("team@", "all@"))

    expect(question(page).locator("del")).to_contain_text("team@example.org")
    expect(question(page).locator("ins")).to_contain_text("all@example.org")
    changed.click()

    expect(question(page)).to_have_count(0)
    [response] = the.responses(stage.db, claimed)
    assert response["data"]["answer"]["decision"] == "edit"
    assert response["data"]["answer"]["args"]["to"] == "all@example.org"
    the.complete(stage.db, claimed)


def test_a_form_is_drawn_from_its_schema_and_a_fault_is_at_its_field(
    page: Page, stage: Stage
) -> None:
    claimed = stage.running()
    stage.ask(claimed, FORM)
    page.goto(stage.page(claimed))
    form = question(page)
    form.get_by_label("City").fill("berlin")
    form.get_by_role("button", name="Send answer").click()
    expect(form.locator("label", has_text="Guests").locator("+ .field-fault")).to_have_text(
        "This is needed."
    )

    form.get_by_label("Guests").fill("12")
    form.get_by_label("Tone").select_option("loud")
    form.get_by_label("Vegan").check()
    form.get_by_label("Tags").fill("one\ntwo")
    form.get_by_label("Name").fill("Hall")
    form.get_by_role("button", name="Send answer").click()
    expect(form.get_by_label("City")).to_have_attribute("aria-invalid", "true")

    form.get_by_label("City").fill("Berlin")
    form.get_by_role("button", name="Send answer").click()
    expect(form).to_have_count(0)
    [response] = the.responses(stage.db, claimed)
    assert response["data"]["answer"] == {
        "city": "Berlin",
        "guests": 12,
        "tone": "loud",
        "vegan": True,
        "tags": ["one", "two"],
        "venue": {"name": "Hall"},
    }
    the.complete(stage.db, claimed)


def test_a_question_counts_down_and_says_what_happens_then(page: Page, stage: Stage) -> None:
    claimed = stage.running(human={"timeout_s": 60, "on_timeout": "fail"})
    request = stage.ask(claimed, the.question(), timeout_s=2)
    page.goto(stage.page(claimed))
    expect(question(page)).to_contain_text("then the mission fails")
    question(page).get_by_role("textbox").fill("My words")
    expect(question(page)).to_contain_text("no time left")
    the.expire(stage.db, request)

    expect(question(page)).to_contain_text("The deadline has passed. Your answer was not taken.")
    expect(question(page).get_by_role("textbox")).to_have_value("My words")
    the.complete(stage.db, claimed)


def test_the_inbox_has_all_questions_and_every_page_their_number(
    context: BrowserContext, stage: Stage
) -> None:
    first, second = stage.running(title="First"), stage.running(title="Second")
    page, other = context.new_page(), context.new_page()
    page.goto(f"{stage.url}/inbox")
    expect(page.get_by_text("No agent waits for an answer.")).to_be_visible()
    other.goto(f"{stage.url}/new")
    stage.ask(first, the.question())
    request = stage.ask(second, the.question())

    expect(question(page)).to_have_count(2)
    expect(other.get_by_role("link", name="Inbox, open questions: 2")).to_be_visible()
    expect(other).to_have_title(re.compile(r"^\(2\) "))
    the.answer(stage.db, request, "no", by="Bob")
    expect(page.get_by_text("Bob was first")).to_be_visible()
    expect(other).to_have_title(re.compile(r"^\(1\) "))

    page.get_by_role("button", name="Dismiss").click()
    question(page).get_by_role("textbox").fill("Fine by me")
    question(page).get_by_role("textbox").press("Control+Enter")
    expect(page.get_by_text("No agent waits for an answer.")).to_be_visible()
    assert the.responses(stage.db, first)[0]["data"]["answer"] == "Fine by me"
    for claimed in (first, second):
        the.complete(stage.db, claimed)


def test_a_new_question_is_notified_where_nobody_looks(
    context: BrowserContext, stage: Stage
) -> None:
    page = context.new_page()
    page.add_init_script(
        "window.said = []; Object.defineProperty(document, 'hidden', {get: () => true});"
        "window.Notification = class extends EventTarget { static permission = 'granted';"
        " constructor(title, {body, tag}) { super(); said.push([title, body, tag]); } };"
    )
    claimed = stage.running()
    page.goto(stage.url)
    expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
    expect(page.locator("[data-slot=inbox]")).to_have_attribute("data-open", "0")
    request = stage.ask(claimed, the.question())

    # Not wait_for_function: between two looks it evaluates its string, which the CSP refuses.
    until(lambda: page.evaluate("said.length === 1"), what="notification")
    assert page.evaluate("said[0]") == [
        "An agent asks",
        "Is this draft right?",
        f"longline-{request}",
    ]
    the.complete(stage.db, claimed)


def test_who_was_given_a_link_reads_along_and_the_question_waits_for_somebody_else(
    context: BrowserContext, stage: Stage
) -> None:
    claimed = stage.running(title="Shared")
    link = httpx.post(f"{stage.url}/missions/{claimed.mission_id}/links", json={}).json()
    page = context.new_page()
    page.goto(stage.url + link["path"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Shared")
    expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    stage.write(claimed, *spoken("Told to guests too.", "c1"))
    request = stage.ask(claimed, the.question())

    expect(page.locator("[data-call=c1]")).to_contain_text("Told to guests too.")
    expect(question(page)).to_contain_text("waiting for somebody else")
    expect(question(page).get_by_role("button")).to_have_count(0)
    the.answer(stage.db, request, "no", by="Bob")
    expect(question(page)).to_have_count(0)
    the.complete(stage.db, claimed)
