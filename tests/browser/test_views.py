"""What a mission's page shows is its log: live, as a waterfall, raw, as lines, plots, files."""

import re

import pytest
from playwright.sync_api import Page, expect

from service.events.kinds import Kind, NewEvent
from service.requests.question import Question
from tests.browser import scenes
from tests.browser.stage import Stage, line, spoken, status
from tests.contract import given as the
from tests.missions import spoken as spoken_in
from tests.processes import until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

STANDS = "new Promise(r => { const y = scrollY; setTimeout(() => r(y === scrollY), 100) })"
ONE_SHOT = """async (text) => {
  const { blocks, draw } = await import(new URL('markdown.js', document.querySelector('script').src));
  const whole = document.createElement('div');
  draw(whole, blocks(text));
  return whole.textContent.replace(/\\s+/g, ' ').trim();
}"""


def texts(page: Page) -> dict[str, str]:
    return dict(
        page.locator("[data-call] [data-stream=text]").evaluate_all(
            "all => all.map(e => [e.closest('[data-call]').dataset.call, e.textContent])"
        )
    )


def test_text_that_grew_is_the_same_as_text_that_was_there_at_once(
    page: Page, stage: Stage
) -> None:
    claimed = stage.running(**scenes.BRIEF)
    page.goto(stage.page(claimed))
    expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
    for call, text in (("c1", scenes.RESEARCH), ("c2", scenes.DRAFT)):
        for event in spoken(text, call, piece=7):
            stage.write(claimed, event)

    expect(page.locator("[data-call=c2][data-state=done]")).to_be_visible()
    for call, text in (("c1", scenes.RESEARCH), ("c2", scenes.DRAFT)):
        shown = re.sub(r"\s+", " ", texts(page)[call]).strip()
        assert shown == page.evaluate(ONE_SHOT, text)
    expect(page.locator("[data-call=c1] table td").first).to_have_text("mild")
    expect(page.locator("[data-call=c2] pre code")).to_contain_text("cop = heat_delivered")
    the.complete(stage.db, claimed)


def test_text_as_it_was_written_is_the_folded_log(page: Page, stage: Stage) -> None:
    claimed = scenes.live_brief(stage)
    the.complete(stage.db, claimed, "The end.")
    page.goto(stage.page(claimed))
    expect(page.locator("#footer")).to_have_attribute("data-connection", "closed")
    expect(page.locator("[data-call=c1] table")).to_be_visible()

    page.get_by_label("Text as it was written").check()

    assert texts(page) == spoken_in(stage.longline.events(claimed.mission_id))
    lines = page.locator("[data-output=final] [data-slot=text]").text_content()
    assert lines == "The end."


def test_the_waterfall_leads_to_the_event(page: Page, stage: Stage) -> None:
    claimed = scenes.live_brief(stage)
    page.goto(stage.page(claimed, "timeline"))

    rows = page.locator(".span-row")
    expect(rows.filter(has_text="http_get")).to_have_attribute("data-state", "done")
    expect(rows.filter(has_text="draft")).to_have_attribute("data-state", "open")
    stage.ask(claimed, scenes.SEND)
    expect(rows.filter(has_text="May the writer")).to_have_attribute("data-span", "human")

    rows.filter(has_text="http_get").get_by_role("button").click()

    expect(page.get_by_role("tab", name="Events")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_label("One event")).to_contain_text("https://example.org/trial-2024")
    assert "view=events" in page.url
    the.complete(stage.db, claimed)


def test_the_raw_log_is_narrowed_by_kind_agent_and_text(page: Page, stage: Stage) -> None:
    claimed = scenes.live_brief(stage)
    page.goto(stage.page(claimed, "events"))
    view = page.locator("#view-events")

    view.get_by_label("Kind").select_option("ACTION")
    view.get_by_label("Agent").select_option("researcher")
    view.get_by_label("Text").fill("TRIAL-2024")

    expect(view.get_by_role("status")).to_contain_text("1 of")
    expect(view.get_by_role("listitem")).to_have_count(1)
    view.get_by_role("listitem").get_by_role("button").press("Enter")
    expect(view.get_by_label("One event")).to_contain_text('"name": "tool.started"')

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.get_by_role("button", name="Copy as curl").click()
    expect(view.get_by_role("button", name="Copied")).to_be_visible()
    assert "kind=ACTION" in page.evaluate("navigator.clipboard.readText()")
    the.complete(stage.db, claimed)


def test_logs_files_usage_and_spec_have_their_views(page: Page, stage: Stage) -> None:
    claimed = scenes.live_brief(stage)
    page.goto(stage.page(claimed, "logs"))
    expect(page.locator(".log-line[data-level=warning]")).to_contain_text("cache is stale")
    stage.write(claimed, line("one more"))
    expect(page.locator(".log-line").last).to_contain_text("one more")

    page.get_by_role("tab", name="Files").click()
    with page.expect_download() as download:
        page.locator("#view-files").get_by_role("link", name="sources.csv").click()
    assert download.value.path().read_bytes() == b"source,year\ntrial,2024\n"

    page.get_by_role("tab", name="Usage").click()
    usage = page.locator("#view-usage")
    expect(usage.locator("canvas")).to_have_count(4)
    expect(usage.get_by_role("row").filter(has_text="researcher")).to_contain_text("120")

    page.get_by_role("tab", name="Spec").click()
    expect(page.locator("#view-spec")).to_contain_text('"goal": "Find"')
    page.get_by_role("tab", name="Spec").press("ArrowLeft")
    expect(page.locator("#view-files")).to_be_visible()
    the.complete(stage.db, claimed)


def test_who_reads_further_up_is_left_there(page: Page, stage: Stage) -> None:
    claimed = stage.running(**scenes.BRIEF)
    stage.write(claimed, *[event for n in range(30) for event in spoken(scenes.RESEARCH, f"c{n}")])
    page.goto(stage.page(claimed))
    jump = page.get_by_role("button", name="Jump to live")
    expect(page.locator("[data-call=c29]")).to_be_in_viewport()
    expect(jump).to_be_hidden()

    page.mouse.move(600, 400)
    page.mouse.wheel(0, -900)
    expect(jump).to_be_visible()
    until(lambda: page.evaluate(STANDS), what="page that stands still")
    before = page.evaluate("scrollY")
    stage.write(claimed, *spoken(scenes.DRAFT, "c30"))
    expect(page.locator("[data-call=c30]")).to_be_attached()
    assert page.evaluate("scrollY") == before

    jump.click()
    expect(page.locator("[data-call=c30]")).to_be_in_viewport()
    expect(jump).to_be_hidden()
    the.complete(stage.db, claimed)


@pytest.mark.parametrize("how", ["pointer", "focus"])
def test_a_question_that_is_being_answered_stands_still(page: Page, stage: Stage, how: str) -> None:
    claimed = stage.running(**scenes.BRIEF)
    stage.ask(claimed, Question("review:draft:1", "Is this right?"))
    page.goto(stage.page(claimed))
    form = page.locator("form.question")
    expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
    until(lambda: page.evaluate(STANDS), what="page that stands still")
    if how == "pointer":
        form.get_by_role("textbox").hover()
    else:
        form.get_by_role("textbox").fill("My words")
    before = form.bounding_box()
    stage.write(claimed, *spoken(scenes.RESEARCH, "c1"), *spoken(scenes.DRAFT, "c2"))
    expect(page.locator("[data-call=c2][data-state=done]")).to_be_attached()
    assert page.evaluate("document.scrollingElement.scrollHeight > 1.5 * innerHeight")
    assert form.bounding_box() == before

    page.mouse.move(1, 1)
    page.evaluate("document.activeElement.blur()")
    stage.write(claimed, *spoken("The end.", "c3"))
    expect(page.locator("[data-call=c3]")).to_be_in_viewport()
    the.complete(stage.db, claimed)


def test_a_failure_is_told_at_the_top(page: Page, stage: Stage) -> None:
    page.goto(stage.page(scenes.failed_brief(stage)))
    expect(page.get_by_role("alert").first).to_contain_text("The model is away.")
    expect(page).to_have_title(re.compile("✕ Weekly digest"))


def test_a_thought_is_folded_and_opens_by_keyboard(page: Page, stage: Stage) -> None:
    claimed = scenes.live_brief(stage)
    page.goto(stage.page(claimed))
    thought = page.locator("details.thought")
    expect(thought).not_to_have_attribute("open", "")
    thought.locator("summary").press("Enter")
    expect(thought.locator("strong")).to_have_text("field data")

    tool_card = page.locator("details[data-tool=http_get]")
    expect(tool_card.locator(".took")).to_have_text("840 ms")
    tool_card.locator("summary").press("Enter")
    expect(tool_card.locator("[data-slot=args]")).to_contain_text("https://example.org/trial-2024")
    expect(tool_card.locator("[data-slot=output]")).to_have_text("COP by month: …")
    outline = page.get_by_role("navigation", name="Tasks").get_by_role("listitem")
    expect(outline).to_contain_text(["researchresearcher", "draftwriter", "reviewresearcher"])
    the.complete(stage.db, claimed)


def test_an_attempt_that_was_lost_is_marked(page: Page, stage: Stage) -> None:
    claimed = stage.running()
    stage.write(claimed, status("task.started", task="draft"), *spoken("Half a", "c1")[:-2])
    page.goto(stage.page(claimed))
    expect(page.locator("[data-call=c1]")).to_have_attribute("data-state", "open")
    the.lose(stage.db, claimed, fence=claimed.fence)
    expect(page.locator("[data-call=c1]")).to_have_attribute("data-state", "interrupted")
    again = the.claim(stage.db)
    stage.write(again, NewEvent(Kind.THOUGHT, "plan", {"text": "Again."}, task="draft"))
    expect(page.locator("[data-attempt-line='2']")).to_be_visible()
    the.complete(stage.db, again)
