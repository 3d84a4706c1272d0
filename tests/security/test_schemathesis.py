"""schemathesis over the whole document: every operation, with all of its checks, thousands of cases."""

import gzip
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from werkzeug.wrappers import Response

from service.api import doctor
from service.api.limits import Allowance
from service.api.openapi.document import document
from service.api.services import NAME
from service.feed import cursor
from tests.api.server import Server
from tests.contract import given as the

# Its client leaves the bodies that it sends to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CASES_MIN = 2_000
CASES_OF_EACH = 12  # drawn at random, beside those that cover every limit of every value
WALKS, STEPS = 25, 8
HOLD_S = 0.005

# Refused though its schema says yes: what hangs together, and what exists, is not in a schema.
SEMANTIC = ["2xx", "303", "401", "403", "404", "409", "410", "422", "429"]

REFUSED = ["400", "401", "403", "404", "405", "408", "409", "410", "413", "415", "422", "429"]

CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 7,
        "checks": {
            "positive_data_acceptance": {"expected-statuses": SEMANTIC},
            "negative_data_rejection": {"expected-statuses": REFUSED},
        },
        "generation": {"max-examples": CASES_OF_EACH},
    }
)
load_all_checks()
cases: Counter[str] = Counter()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A mission that waits for an answer, a file, a webhook, a token; holds that are over at once."""
    patch = pytest.MonkeyPatch()
    patch.setattr(cursor, "WAIT_MAX_S", HOLD_S)
    patch.setattr(cursor, "WAIT_DEFAULT_S", HOLD_S)
    patch.setattr(doctor, "WAIT_MAX_S", HOLD_S)
    patch.setattr(doctor, "TICK_S", HOLD_S)
    folder = tmp_path_factory.mktemp("schemathesis")
    with Server(folder, requests_per_s=1e6, max_queued=10**6) as running:
        limits = running.app.extensions[NAME].limits
        limits.still = limits.still_all = limits.logins = Allowance(at_once=1e9, per_s=1e9)
        claimed = the.running(running.db)
        the.ask(running.db, claimed)
        running.store_file(claimed.mission_id, "notes.md", b"*Notes*")
        running.store_delivery(claimed.mission_id)
        running.admin = running.token("admin")
        running.begun = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(running.file)) as stored:
            stored.backup(running.begun)
        delegate.server = running
        yield running
        running.begun.close()
    patch.undo()


def put_back(server: Server) -> None:
    """All that is stored, as it was when the server was made."""
    with closing(sqlite3.connect(server.file)) as stored:
        server.begun.backup(stored)


class Delegate:
    """A WSGI application that is there when tests are collected; the server comes with the first."""

    server: Server

    def __call__(self, environ, start_response):
        answer = Response.from_app(self.server.app, environ, buffered=True)  # which closes files
        if answer.content_encoding == "gzip":  # its client asks for that, and does not unpack it
            answer.set_data(gzip.decompress(answer.get_data()))
        return answer(environ, start_response)


delegate = Delegate()
schema = schemathesis.openapi.from_dict(document(), config=CONFIG)
schema.app = delegate


def test_what_answers_lead_to_is_as_the_document_says(server):
    """Scenarios along the document's links: what was made is there, what was removed is not."""
    walks: Counter[str] = Counter()

    class Walk(schema.exclude(tag=["Pages", "Operations"]).as_state_machine()):
        def setup(self):
            put_back(
                server
            )  # what can be drawn depends on what is there: each walk begins with the same

        def get_call_kwargs(self, case):
            return {"headers": server.admin}

        def after_call(self, response, case):
            walks[case.operation.label] += 1
            super().after_call(response, case)

        def validate_response(self, response, case, additional_checks=None, **_):
            case.validate_response(response, headers=server.admin, recorder=self.recorder)

    Walk.run(
        settings=settings(
            Walk.TestCase.settings, max_examples=WALKS, stateful_step_count=STEPS, derandomize=True
        )
    )
    assert len(walks) >= 12, walks


@schema.parametrize()
@settings(max_examples=CASES_OF_EACH, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_the_document_says(case, server):
    cases[case.operation.label] += 1
    case.call_and_validate(headers=server.admin)


def test_that_was_all_of_it_with_all_checks():
    assert len(CHECKS.get_all()) >= 13
    print(sum(cases.values()), "cases")
    assert sum(cases.values()) >= CASES_MIN
