"""What ends a poll that is held, and a connection that asks again and again: at once, on both edges."""

import resource
import signal
import time
from pathlib import Path

import pytest

from service import clock
from service.missions import retention
from service.security import tokens
from tests.contract import given as the
from tests.edge.many import Many
from tests.edge.wire import seconds
from tests.processes import until

MANY_BY_EDGE = {"edge": 1_000, "stock": 200}  # a greenlet each costs more
GONE_WITHIN_S = 25.0  # a deadline and no measure: `make bench ROWS=drain` says how long it takes
SOON_S = 15.0  # what happens at once, on a busy machine; a hold of 20 s ends by itself after 18


def make_token(site, *scopes):
    with site.db.transaction() as conn:
        workspace = tokens.workspace_named(conn, "default")
        return tokens.create(conn, workspace, scopes)


def revoke(site, token):
    with site.db.transaction() as conn:
        assert tokens.revoke(conn, tokens.id_of(token)) is not None


def test_the_first_token_ends_what_open_loopback_held(site, head):
    with site.wire() as wire:
        before = site.held()
        wire.send(f"/events?after={head}&wait=20")
        until(lambda: site.held() > before, what="held poll")
        begin = time.monotonic()
        make_token(site, "read")
        assert wire.answer().status == 401
        assert seconds(begin) < SOON_S


def test_a_token_that_is_revoked_ends_what_it_holds(site):
    token, other = make_token(site, "read"), make_token(site, "read")
    with (
        site.wire(Authorization=f"Bearer {token}") as wire,
        site.wire(Authorization=f"Bearer {other}") as further,
    ):
        after = wire.get("/events?after=now&wait=0").json["next"]
        for connection in (wire, further):
            site.hold(connection, f"/events?after={after}&wait=20")
        revoke(site, token)
        refused = wire.answer()
        assert (refused.status, refused.json["code"]) == (401, "unauthorized")
        the.make_mission(site.db)
        assert further.answer().json["next"] == after + 1


def test_a_token_that_is_revoked_between_two_polls_is_refused(site):
    token = make_token(site, "read")
    with site.wire(Authorization=f"Bearer {token}") as wire:
        after = wire.get("/events?after=now&wait=0").json["next"]
        assert wire.get(f"/events?after={after}&wait=1").json["reason"] == "timeout"
        revoke(site, token)
        assert wire.get(f"/events?after={after}&wait=1").status == 401


def test_a_token_that_expires_is_refused(site):
    with site.db.transaction() as conn:
        workspace = tokens.workspace_named(conn, "default")
        lasting = tokens.create(conn, workspace, ["read"])
        token = tokens.create(conn, workspace, ["read"], expires_ms=clock.now_ms() + 1_500)
    with site.wire(Authorization=f"Bearer {lasting}") as wire:
        after = wire.get("/events?after=now&wait=0").json["next"]
    with site.wire(Authorization=f"Bearer {token}") as wire:

        def status():
            return wire.get(f"/events?after={after}&wait=1").status

        until(lambda: status() == 401, within_s=SOON_S, what="refusal")


def test_a_mission_that_is_deleted_ends_what_follows_it(site):
    claimed = the.running(site.db)
    the.complete(site.db, claimed)
    token = make_token(site, "read")
    path = f"/events?after={{}}&wait=20&mission={claimed.mission_id}"
    with site.wire(Authorization=f"Bearer {token}") as wire:
        after = wire.get("/events?after=now&wait=0").json["next"]
        site.hold(wire, path.format(after))
        the.make_mission(site.db)  # the log goes on, for others
        for _ in retention.prune(site.db, before_ms=clock.now_ms() + 1000):
            pass
        assert wire.answer().status in (404, 410)
        assert wire.get(path.format(after)).status in (404, 410)


def test_a_reload_answers_what_is_held_and_another_process_goes_on(site):
    """SIGHUP, as gunicorn has it: the next process begins before the last one ends."""
    bearer = {"Authorization": f"Bearer {make_token(site, 'read')}"}
    with site.wire(**bearer) as wire:
        after = wire.get("/events?after=now&wait=0").json["next"]
        site.hold(wire, f"/events?after={after}&wait=25")
        master = site.longline.processes["web"]
        before = children(master.pid)
        master.send_signal(signal.SIGHUP)
        assert wire.answer().json["reason"] == "drain"
        assert wire.ends()
        until(lambda: before.isdisjoint(children(master.pid)), what="process that is gone")
    with site.wire(**bearer) as wire:
        site.hold(wire, f"/events?after={after}&wait=25")
        the.make_mission(site.db)
        assert wire.answer().json["next"] == after + 1


def test_a_drain_answers_all_and_the_process_is_gone(site):
    """The last one of this file: it ends the process."""
    count = MANY_BY_EDGE[site.edge]
    allow_files(2 * count + 200)
    bearer = {"Authorization": f"Bearer {make_token(site, 'read')}"}
    with site.wire(**bearer) as wire:
        after = wire.get("/events?after=now&wait=0").json["next"]
    with Many(site.longline.port, f"/events?after={after}&wait=25", count, **bearer) as many:
        many.hold(site.held)
        begin = time.monotonic()
        site.longline.stop("web")
        assert seconds(begin) < GONE_WITHIN_S
        ends = many.reasons()
        assert ends["drain"] + ends["timeout"] == count
        assert ends["drain"] > count / 2  # the time of the others was over in that moment


def children(pid: int) -> set[str]:
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        if hard < count:
            pytest.skip(f"only {hard} files may be open")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
