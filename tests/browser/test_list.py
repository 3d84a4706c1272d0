"""The list of missions: narrowed by what stands in the address, and acted on where they stand."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from service.missions import projects
from service.missions.projects import Found
from tests.browser import scenes
from tests.browser.stage import Stage, staged
from tests.contract import given as the

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def row(page: Page, mission_id: int) -> Locator:
    return page.locator(f"[data-mission='{mission_id}']")


def test_chips_and_search_stand_in_the_address(page: Page, stage: Stage) -> None:
    failed, done = scenes.failed_brief(stage), scenes.done_brief(stage)
    page.goto(stage.url)
    page.get_by_role("button", name="failed").click()
    expect(row(page, failed.mission_id)).to_be_visible()
    expect(row(page, done.mission_id)).to_have_count(0)
    page.get_by_label("Search").fill("DIGEST")
    page.wait_for_url("**/?status=failed&q=DIGEST")

    page.reload()
    expect(page.get_by_role("button", name="failed")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Search")).to_have_value("DIGEST")
    expect(row(page, failed.mission_id)).to_be_visible()

    page.get_by_label("Search").fill("100%")
    expect(page.get_by_text("No mission fits.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(row(page, done.mission_id)).to_be_visible()


def test_a_mission_that_no_longer_fits_leaves_the_list(page: Page, stage: Stage) -> None:
    claimed = stage.running(title="Soon done")
    page.goto(f"{stage.url}/?status=running")
    expect(row(page, claimed.mission_id)).to_be_visible()
    the.complete(stage.db, claimed)
    expect(row(page, claimed.mission_id)).to_have_count(0)


def test_missions_are_cancelled_and_run_again_from_the_list(page: Page, stage: Stage) -> None:
    queued = the.make_mission(stage.db, title="Not yet")
    page.goto(stage.url)
    row(page, queued).get_by_role("button", name="Cancel").click()
    expect(row(page, queued).locator(".status")).to_have_text("cancelled")
    row(page, queued).get_by_role("button", name="Run again").click()
    expect(row(page, queued + 1).locator(".status")).to_have_text("queued")
    the.cancel(stage.db, queued + 1)


def test_missions_of_a_project_are_picked_out(page: Page, stage: Stage, tmp_path: Path) -> None:
    found = Found(kind="crew", engine="crewai", description="Writes digests.", inputs=None)
    with stage.db.transaction() as conn:
        projects.register(conn, "digest", str(tmp_path), found, source="command")
    of_project, other = the.project_mission(stage.db, "digest"), the.make_mission(stage.db)
    page.goto(stage.url)
    expect(row(page, other)).to_be_visible()
    page.get_by_label("Project").select_option("digest")
    expect(row(page, other)).to_have_count(0)
    expect(row(page, of_project)).to_contain_text("digest, crewai")

    page.goto(f"{stage.url}/?project=forgotten")
    expect(page.get_by_label("Project")).to_have_value("forgotten")
    expect(page.get_by_text("No mission fits.")).to_be_visible()
    for mission_id in (of_project, other):
        the.cancel(stage.db, mission_id)


def test_an_empty_list_offers_the_example(page: Page, tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        page.goto(stage.url)
        page.get_by_label("Start the example").fill("night trains")
        page.get_by_role("button", name="Start the example").click()
        page.wait_for_url("**/m/1")
        expect(page.get_by_role("heading", level=1)).to_have_text("Brief on night trains")
        page.goto("about:blank")  # so that the server can end
