"""A mission is composed as a form and as JSON at once, and what the server refuses is told at the field."""

import re
from pathlib import Path

import orjson
import pytest
from playwright.sync_api import Page, expect

from service.missions import projects
from service.missions.projects import Found
from tests.browser.stage import Stage
from tests.contract import given as the

pytestmark = [pytest.mark.browser, pytest.mark.processes]

DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, {type: 'text/plain'}));
  const drop = new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true});
  document.querySelector('.drop').dispatchEvent(drop);
}"""


def as_json(page: Page) -> dict:
    return orjson.loads(page.get_by_role("textbox", name="The same as JSON").input_value())


def test_the_form_and_the_json_are_kept_in_step(page: Page, stage: Stage) -> None:
    page.goto(f"{stage.url}/new")
    page.get_by_label("Title").fill("A brief")
    page.get_by_label("Description").fill("Write about {topic}.")
    page.get_by_label("topic", exact=True).fill("bees")
    page.get_by_label("calculator").check()
    page.get_by_text("Humans and limits").click()
    page.get_by_label("Most tokens").fill("5000")

    spec = as_json(page)
    assert (spec["title"], spec["inputs"]) == ("A brief", {"topic": "bees"})
    assert spec["agents"][0]["tools"] == ["calculator"]
    assert spec["limits"] == {"max_tokens": 5000}

    spec["agents"].append({"name": "editor", "role": "Editor", "goal": "g", "backstory": "b"})
    spec["plan"][0]["agent"] = "editor"
    page.get_by_role("textbox", name="The same as JSON").fill(orjson.dumps(spec).decode())
    expect(page.get_by_label("Role").nth(1)).to_have_value("Editor")
    expect(page.locator("[data-pointer='/plan/0/agent']")).to_have_value("editor")

    page.get_by_role("textbox", name="The same as JSON").fill("{")
    expect(page.get_by_role("alert").filter(has_text="This is not a mission")).to_be_visible()


def test_what_the_server_refuses_is_told_at_its_field(page: Page, stage: Stage) -> None:
    page.goto(f"{stage.url}/new")
    page.get_by_role("button", name="Fill in the example").click()
    page.get_by_label("Role").fill("")
    page.get_by_label("topic", exact=True).fill("")
    page.get_by_role("button", name="Start the mission").click()

    role = page.get_by_label("Role")
    expect(role).to_have_attribute("aria-invalid", "true")
    expect(role).to_be_focused()
    role.fill("Writer")
    page.get_by_role("button", name="Start the mission").click()
    expect(page.locator(".field-fault").first).to_contain_text("{topic} has no value in /inputs")


def test_files_are_dropped_and_go_with_the_mission(page: Page, stage: Stage) -> None:
    page.goto(f"{stage.url}/new")
    page.get_by_role("button", name="Fill in the example").click()
    page.evaluate(DROP, ["notes.md", "Bees fly."])
    expect(page.locator(".drop")).to_contain_text("notes.md")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "-F 'file=@\"notes.md\"'" in page.evaluate("navigator.clipboard.readText()")

    page.get_by_role("button", name="Start the mission").click()
    page.wait_for_url(re.compile(r"/m/\d+$"))
    expect(page.locator(".side").get_by_role("link", name="notes.md")).to_be_visible()
    the.cancel(stage.db, int(page.url.rsplit("/", 1)[1]))


def test_a_project_s_inputs_are_a_form(page: Page, stage: Stage, tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "required": ["topic"],
        "properties": {"topic": {"type": "string"}, "pages": {"type": "integer", "default": 2}},
    }
    found = Found(kind="crew", engine="crewai", description="Writes reports.", inputs=schema)
    with stage.db.transaction() as conn:
        projects.register(conn, "report", str(tmp_path), found, source="command")
    page.goto(f"{stage.url}/new")
    page.get_by_label("From").select_option("report")
    expect(page.get_by_text("Writes reports.")).to_be_visible()
    page.get_by_role("button", name="Start the mission").click()
    expect(page.locator(".compose-form .field-fault")).to_have_text("This is needed.")

    page.get_by_label("topic").fill("bees")
    assert as_json(page) == {"project": "report", "inputs": {"topic": "bees", "pages": 2}}
    page.get_by_role("button", name="Start the mission").click()
    page.wait_for_url(re.compile(r"/m/\d+$"))
    the.cancel(stage.db, int(page.url.rsplit("/", 1)[1]))


def test_a_new_mission_is_made_from_an_old_one(page: Page, stage: Stage) -> None:
    claimed = stage.running(title="Old one")
    the.complete(stage.db, claimed)
    page.goto(f"{stage.page(claimed)}?view=spec")
    page.get_by_role("link", name="New mission from this one").click()
    expect(page.get_by_label("Title")).to_have_value("Old one")
    expect(page.get_by_label("Goal")).to_have_value("Write")
