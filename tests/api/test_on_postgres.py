"""What of the HTTP API leans on the database, once more on PostgreSQL. All of it: --api-on-postgres."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import (
    test_answers,
    test_cancel_and_retry,
    test_feed,
    test_holding,
    test_mission_list,
    test_missions,
    test_problems,
    test_requests,
)
from tests.api.routes import ROUTES
from tests.api.server import Server
from tests.contract import given as the
from tests.contract.databases import Postgres
from tests.contract.test_plans import reads_all_events, recorded

NARROWED = ("mission=1", "mission=1,2", "kind=STATUS", "kind=-STREAM", "mission=1&kind=STATUS")
PAGES = ("/", "/plain", "/m/1/plain", "/q/1", "/missions/1/events?after=-3&wait=0")

# The names of the suites' own functions: pytest collects each of them here again.
test_pages_follow_each_other = test_feed.test_following_next_gives_every_event_once
test_a_scan_finds = test_feed.test_a_filtered_scan_goes_all_the_way_to_the_one_event_it_finds
test_a_mebibyte = test_feed.test_a_page_ends_before_a_mebibyte
test_next_advances = test_feed.test_next_advances_over_other_missions
test_the_newest = test_feed.test_the_newest_of_one_mission_are_its_own
test_text = test_feed.test_text_arrives_as_it_was_written
test_beyond_the_end = test_feed.test_a_cursor_beyond_the_end_is_gone_and_tells_where_the_log_stands
test_one_workspace = test_feed.test_each_workspace_has_a_log_of_its_own
test_an_event_ends_a_hold = test_holding.test_an_event_ends_it
test_one_poll_after_the_other = (
    test_holding.test_events_are_told_from_each_other_while_one_poll_follows_the_next
)
test_filters = test_holding.test_two_filters_get_exactly_theirs
test_workspaces = test_holding.test_nobody_hears_of_another_workspace
test_readiness = test_holding.test_readiness_counts_those_that_are_held
test_keys = test_missions.test_the_same_key_and_body_give_the_same_mission_again
test_refused_keys = test_missions.test_the_same_key_with_another_body_is_refused
test_the_list = test_mission_list.test_the_list_is_newest_first_and_goes_on_before_an_id
test_statuses = test_mission_list.test_the_list_shows_those_of_a_status
test_the_inbox = test_requests.test_the_inbox_is_over_all_missions_newest_first
test_an_answer_ends_a_hold = test_requests.test_an_answer_ends_the_hold
test_the_first_answer = test_answers.test_the_first_answer_is_taken
test_another_answer = test_answers.test_another_answer_is_told_who_was_first_with_what_and_when
test_a_cancel = test_cancel_and_retry.test_a_running_mission_is_told_to_end
test_a_retry = test_cancel_and_retry.test_a_retry_is_a_new_mission_from_the_same_spec
test_an_outage = test_problems.test_without_its_database_a_server_says_when_to_come_back
test_readiness_in_an_outage = test_problems.test_without_its_database_a_server_is_up_but_not_ready


@pytest.fixture
def server(on_postgres: Server) -> Server:
    return on_postgres


@pytest.fixture
def by_index(tmp_path: Path, postgres: Postgres) -> Iterator[Server]:
    """A server whose planner reads a table from end to end only where it has no other way."""
    settings = postgres.settings(tmp_path)
    postgres.migrate(settings)
    url = f"{settings.database_url}?options=-c%20enable_seqscan%3Doff"
    with Server(tmp_path, database_url=url) as running:
        yield running


def test_no_request_has_the_events_read_from_end_to_end(by_index: Server) -> None:
    claimed = the.running(by_index.db)
    by_index.store_file(claimed.mission_id, "a.txt", b"text")
    by_index.store_delivery(claimed.mission_id)
    the.ask(by_index.db, claimed)
    further = [f"/events?after=0&{narrowed}&wait=0" for narrowed in NARROWED]
    with recorded(by_index.db) as statements:
        for route in ROUTES:
            now = {"wait": 0} if route.path.endswith("/events") else None
            by_index.request(route.method, route.path, json=route.body, query_string=now)
        for path in (*further, *PAGES):
            by_index.get(path)
    assert len(statements) > len(ROUTES)
    for statement, parameters in statements:
        assert not reads_all_events(by_index.db, statement, parameters)
