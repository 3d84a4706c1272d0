"""/docs shows every operation of the document, offline and under the policy of all pages."""

import pytest
from playwright.sync_api import Page, expect

from service.api.openapi.document import document
from tests.browser.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def test_the_page_shows_every_operation_and_leaves_our_server_for_nothing(
    page: Page, stage: Stage
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{stage.url}/docs")
    operations = [one for item in document()["paths"].values() for one in item.values()]
    expect(page.locator("[data-slot=operations] .operation")).to_have_count(len(operations))
    assert all(url.startswith((stage.url, "data:")) for url in asked)

    answer = page.locator("#answer_request")
    answer.locator("summary").click()
    expect(answer.get_by_text("Idempotency-Key")).to_be_visible()
    expect(answer.get_by_text("already_answered").first).to_be_visible()
    expect(answer.get_by_text('"answer": "Shorter, please."').first).to_be_visible()
