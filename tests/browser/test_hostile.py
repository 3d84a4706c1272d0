"""Whatever a mission says stays text: nothing runs, nothing is fetched, nothing breaks the page."""

import pytest
from playwright.sync_api import Page, expect

from service.events.kinds import Kind, NewEvent
from service.requests.question import Question
from tests.browser.stage import Stage, line, spoken, status, tool
from tests.contract import given as the

pytestmark = [pytest.mark.browser, pytest.mark.processes]

EVIL = (
    "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>"
    "<svg onload=document.title='owned'> [click](javascript:document.title='owned') "
    "![pic](http://example.invalid/p.png) \u202eright to left\u202c {{7*7}} <style>*{display:none}</style>"
)
MEGABYTE = "x" * 1_000_000
# What has no end, or no bottom, for who reads it as markdown.
ENDLESS = ("> " * 4000, "1. " * 4000, "[" * 9000, "a*" * 5000, "a@b.c " * 2000)


def test_nothing_that_a_mission_says_is_more_than_text(page: Page, stage: Stage) -> None:
    asked_elsewhere: list[str] = []
    page.on("request", lambda request: asked_elsewhere.append(request.url))
    task = {"name": EVIL[:90], "description": EVIL, "expected_output": EVIL, "agent": "writer"}
    agent = {"name": "writer", "role": EVIL, "goal": EVIL, "backstory": EVIL}
    claimed = stage.running(title=EVIL, agents=[agent], plan=[task], inputs={"7*7": "x"})
    where = {"task": task["name"], "agent": EVIL, "call": "c1"}
    stage.write(
        claimed,
        status("task.started", task=task["name"], agent=EVIL),
        NewEvent(Kind.THOUGHT, "plan", {"text": EVIL}, **where),
        *spoken(EVIL, "c1", agent=EVIL, task=task["name"]),
        *tool(EVIL, {EVIL: EVIL}, EVIL, "c2", agent=EVIL, task=task["name"]),
        NewEvent(Kind.OUTPUT, "task", {"text": EVIL, "json": {EVIL: EVIL}}, **where),
        NewEvent(Kind.ERROR, "task", {"code": EVIL, "message": EVIL}, task=task["name"]),
        line(EVIL, "stderr", EVIL),
    )
    stage.keep_file(claimed, EVIL.replace("/", "")[:100], b"<script>", task["name"])
    stage.ask(
        claimed, Question("q", EVIL, type="choice", context=EVIL, options=[EVIL, "b"], agent=EVIL)
    )

    page.goto(stage.page(claimed))
    expect(page.locator("form.question")).to_be_visible()
    expect(page.locator("[data-call=c1] [data-stream=text]")).to_contain_text(
        "document.title='owned'"
    )
    for view in ("Timeline", "Events", "Logs", "Usage", "Files", "Spec", "Live"):
        page.get_by_role("tab", name=view).click()
    page.goto(f"{stage.url}/inbox")
    expect(page.locator("form.question").first).to_be_visible()
    for address in (
        stage.url,
        f"{stage.url}/new?from={claimed.mission_id}",
        f"{stage.page(claimed)}/plain",
    ):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(stage.page(claimed))
    expect(page.get_by_role("heading", level=1)).to_have_text(EVIL)

    assert page.locator("main :is(img, script, svg, style, iframe)").count() == 0
    assert page.locator("a[href^='javascript:' i]").count() == 0
    assert "owned" not in page.title().replace(EVIL, "")
    assert [url for url in asked_elsewhere if not url.startswith((stage.url, "data:"))] == []
    the.complete(stage.db, claimed)


def test_a_megabyte_on_one_line_is_shown_and_the_page_still_answers(
    page: Page, stage: Stage
) -> None:
    claimed = stage.running()
    stage.write(claimed, *spoken(MEGABYTE, "c1", piece=50_000), line(MEGABYTE[:200_000]))
    page.goto(stage.page(claimed))

    expect(page.locator("[data-call=c1]")).to_have_attribute("data-state", "done")
    assert len(page.locator("[data-call=c1] [data-stream=text]").text_content() or "") == len(
        MEGABYTE
    )
    page.get_by_role("tab", name="Logs").click()
    expect(page.locator(".log-line")).to_contain_text("more characters")
    page.get_by_role("tab", name="Events").click()
    expect(page.locator(".event-row").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    the.complete(stage.db, claimed)


def test_text_that_is_no_prose_stays_text_and_what_follows_is_markdown(
    page: Page, stage: Stage
) -> None:
    claimed = stage.running()
    text = "".join(f"Before.\n\n{odd}\n\nAfter **{n}**.\n\n" for n, odd in enumerate(ENDLESS))
    page.goto(stage.page(claimed))
    expect(page.locator("#footer")).to_have_attribute("data-connection", "live")
    stage.write(claimed, *spoken(text, "c1", piece=900))

    shown = page.locator("[data-call=c1] [data-stream=text]")
    expect(shown.locator("strong")).to_have_text([str(n) for n in range(len(ENDLESS))])
    assert "".join((shown.text_content() or "").split()) == "".join(text.replace("**", "").split())
    the.complete(stage.db, claimed)
