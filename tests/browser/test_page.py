"""The page shows a mission as it happens: all of its text, once, whatever lies between."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.missions import agent, mission, spoken, task
from tests.model_server import ModelServer, Reply, Rule, ToolCall
from tests.processes import Longline, until

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.agents]

# Words enough for some seconds, with what a page may trip over.
PROSE = "".join(f"Sentence {n} – <b>not bold</b> & “quoted” ☀️.\n" for n in range(12))
SLOW = Reply(PROSE, delay_s=0.02)


@pytest.fixture(autouse=True)
def _text_as_it_was_written(page: Page) -> None:
    """So that the page's text is the log's, to the character; test_markdown.py looks at the other."""
    page.add_init_script("localStorage.setItem('longline.plain', '1')")


def shown(page: Page) -> dict[str, str]:
    """The text that the page shows for each call of a model."""
    texts = page.locator("[data-call] [data-stream=text]").evaluate_all(
        "all => all.map(e => [e.closest('[data-call]').dataset.call, e.textContent])"
    )
    return {call: text for call, text in texts if text}


def letters(page: Page) -> int:
    return sum(map(len, shown(page).values()))


def shows_all(page: Page, longline: Longline, mission_id: int) -> bool:
    return shown(page) == spoken(longline.events(mission_id))


def open_mission(page: Page, longline: Longline, spec: dict[str, Any]) -> int:
    """Create a mission and wait until its page shows its first words."""
    created: int = longline.client.create(spec)["id"]
    page.goto(f"{longline.url}/m/{created}")
    until(lambda: letters(page), what="text on the page")
    return created


def wait_until_ended(page: Page, status: str = "completed") -> None:
    expect(page.locator("#footer")).to_have_attribute("data-connection", "closed")
    expect(page.locator("main")).to_have_attribute("data-status", status)


def question(page: Page) -> Locator:
    return page.locator("form.question")


def test_the_example_runs_from_the_page_to_its_end(
    page: Page, longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [
        Rule(Reply("Shorter."), any="User feedback: Make it shorter"),
        Rule(SLOW, times=1),
        Rule(Reply(PROSE)),
    ]
    page.goto(f"{longline.url}/new")
    page.get_by_role("button", name="Fill in the example").click()
    page.get_by_label("topic", exact=True).fill("night trains")
    page.get_by_role("button", name="Start the mission").click()
    page.wait_for_url(re.compile(r"/m/\d+$"))
    mission_id = int(page.url.rsplit("/", 1)[1])
    expect(page.get_by_role("heading", level=1)).to_have_text("Brief on heat pumps")

    first = until(lambda: letters(page), what="text on the page")
    until(lambda: letters(page) > first, what="text that grows")
    assert longline.client.mission(mission_id)["ended_at"] is None

    expect(question(page)).to_be_visible()
    question(page).get_by_role("textbox").fill("Make it shorter")
    question(page).get_by_role("button", name="Send feedback").click()
    expect(question(page).locator(".question-context")).to_have_text("Shorter.")
    question(page).get_by_role("button", name="Accept").click()

    wait_until_ended(page)
    expect(question(page)).to_have_count(0)
    expect(page.locator("[data-output=final]")).to_contain_text("Shorter.")
    expect(page.locator("[data-task][data-status=completed]")).to_have_count(3)
    until(lambda: shows_all(page, longline, mission_id), what="all of it, a frame later")
    assert len(shown(page)) == 4


def test_a_reload_half_way_loses_and_doubles_nothing(
    page: Page, longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(SLOW)]
    mission_id = open_mission(page, longline, mission(task("first"), task("second")))

    before = letters(page)
    page.reload()

    until(lambda: letters(page) >= before, what="text of before the reload")
    wait_until_ended(page)
    until(lambda: shows_all(page, longline, mission_id), what="all of it, a frame later")


@pytest.mark.parametrize("end", [Longline.stop, Longline.kill])
def test_the_page_outlives_the_server(
    page: Page, longline: Longline, model_server: ModelServer, end: Any
) -> None:
    model_server.rules = [Rule(SLOW)]
    mission_id = open_mission(page, longline, mission(task("first"), task("second")))

    end(longline, "web")
    expect(page.locator("#footer")).to_have_attribute("data-connection", "reconnecting")
    longline.start("web")

    wait_until_ended(page)
    until(lambda: shows_all(page, longline, mission_id), what="all of it, a frame later")


def test_what_a_lost_worker_left_is_marked_as_interrupted(
    page: Page, longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply(PROSE, delay_s=0.5), times=1), Rule(Reply(PROSE))]
    mission_id = open_mission(page, longline, mission())

    longline.kill("worker")
    longline.start("worker")

    wait_until_ended(page)
    states = page.locator(".call").evaluate_all("all => all.map(e => e.dataset.state)")
    assert states == ["interrupted", "done"]
    expect(page.locator("[data-attempt-line='2']")).to_be_visible()
    until(lambda: shows_all(page, longline, mission_id), what="all of it, a frame later")


def test_another_ones_answer_is_told_and_a_draft_is_kept(
    page: Page, longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("A draft."))]
    mission_id = open_mission(page, longline, mission(task("draft", human_input=True)))
    expect(question(page)).to_be_visible()
    question(page).get_by_role("textbox").fill("My words")

    asked = longline.wait_for_question(mission_id)
    longline.client.answer(asked["id"], "")

    expect(question(page).get_by_role("alert").last).to_contain_text("was first")
    expect(question(page).get_by_role("textbox")).to_have_value("My words")
    question(page).get_by_role("button", name="Dismiss").click()
    expect(question(page)).to_have_count(0)
    wait_until_ended(page)


def test_a_choice_is_made_with_the_keyboard(
    page: Page, longline: Longline, model_server: ModelServer
) -> None:
    ask = ToolCall("ask_human", {"question": "Which tone?", "options": ["calm", "loud"]})
    model_server.rules = [Rule(Reply(tool_calls=[ask]), tools=True, times=1), Rule(Reply("Done."))]
    created = longline.client.create(mission(agents=[agent(tools=["ask_human"])]))
    page.goto(f"{longline.url}/m/{created['id']}")

    question(page).get_by_label("calm").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    wait_until_ended(page)
    expect(page.locator("[data-task] [data-request] .reply")).to_have_text("loud")
    expect(page.locator("details[data-tool=ask_human]")).to_have_attribute("data-state", "done")


def test_the_list_follows_its_missions(
    page: Page, longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply("A draft."))]
    page.goto(longline.url)
    expect(page.locator("#footer")).to_have_attribute("data-connection", "live")

    created = longline.client.create(mission(task("draft", human_input=True), title="New one"))
    row = page.locator(f"[data-mission='{created['id']}']")
    expect(row).to_contain_text("New one")
    expect(row.locator(".status")).to_have_text("waiting")
    asked = longline.wait_for_question(created["id"])
    longline.client.answer(asked["id"], "")

    expect(row.locator(".status")).to_have_text("completed")
    expect(row).to_contain_text("1/1")


def test_a_running_mission_is_cancelled_from_its_page(
    page: Page, longline: Longline, model_server: ModelServer
) -> None:
    model_server.rules = [Rule(Reply(PROSE, delay_s=0.5))]
    mission_id = open_mission(page, longline, mission(task("draft"), task("review")))

    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the mission").click()

    wait_until_ended(page, "cancelled")
    expect(page.locator("#task-review")).to_have_attribute("data-status", "skipped")
    until(lambda: shows_all(page, longline, mission_id), what="all of it, a frame later")


def test_a_mission_that_is_not_there_is_said_so(page: Page, longline: Longline) -> None:
    page.goto(f"{longline.url}/m/987654321")
    expect(page.get_by_role("heading", level=1)).to_have_text("No such mission")
    page.get_by_role("link", name="All missions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Missions")
