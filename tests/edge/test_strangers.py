"""Clients that come on new connections with what others have asked before: as if each had been parsed."""

from collections.abc import Iterator

import pytest

from service import clock
from service.missions import retention
from service.security import tokens
from tests.contract import given as the
from tests.processes import until


@pytest.fixture
def bearer(site) -> Iterator[dict[str, str]]:
    """A token with which somebody has polled before, so that its requests are known."""
    with site.db.transaction() as conn:
        token = tokens.create(conn, the.WORKSPACE, ["read"])
    given = {"Authorization": f"Bearer {token}"}
    mission = the.make_mission(site.db)
    with site.wire(**given) as wire:
        after = wire.get("/events?after=now&wait=0").json["next"]
        site.hold(wire, f"/missions/{mission}/events?after={after}&wait=20")
        yield given


def path(mission: int, after: int) -> str:
    return f"/missions/{mission}/events?after={after}&wait=20"


def now(site, bearer) -> int:
    with site.wire(**bearer) as wire:
        return int(wire.get("/events?after=now&wait=0").json["next"])


def test_each_gets_what_is_for_its_mission(site, bearer):
    missions = [the.make_mission(site.db) for _ in range(3)]
    after = now(site, bearer)
    wires = [site.wire(**bearer) for _ in missions]
    for wire, mission in zip(wires, missions, strict=True):
        site.hold(wire, path(mission, after))
    for mission in reversed(missions):
        the.append(site.db, mission, the.delta(f"of {mission}"))
    for wire, mission in zip(wires, missions, strict=True):
        answer = wire.answer().json
        [event] = answer["events"]
        assert (event["mission"], event["data"]["delta"]) == (mission, f"of {mission}")
        assert answer["status"] == "queued"
        wire.socket.close()


def test_who_has_missed_something_gets_it_at_once(site, bearer):
    mission = the.make_mission(site.db)
    after = now(site, bearer)
    the.append(site.db, mission, the.delta("one"), the.delta("two"))
    the.make_mission(site.db)
    with site.wire(**bearer) as wire:
        answer = wire.get(path(mission, after)).json
    assert [event["data"]["delta"] for event in answer["events"]] == ["one", "two"]


def test_where_others_have_gone_on_nothing_is_missed(site, bearer):
    mission = the.make_mission(site.db)
    after = now(site, bearer)
    the.make_mission(site.db)
    with site.wire(**bearer) as wire:
        answer = site.leaves(
            wire, path(mission, after), lambda: the.append(site.db, mission, the.delta("late"))
        )
    assert [event["data"]["delta"] for event in answer.json["events"]] == ["late"]


def test_the_end_of_a_mission_is_told(site, bearer):
    claimed = the.running(site.db)
    the.complete(site.db, claimed)
    after = now(site, bearer)
    with site.wire(**bearer) as wire:
        answer = wire.get(path(claimed.mission_id, after)).json
    assert (answer["closed"], answer["status"]) == (True, "completed")


def test_one_connection_may_follow_now_this_and_now_that(site, bearer):
    missions = [the.make_mission(site.db) for _ in range(2)]
    after = now(site, bearer)
    with site.wire(**bearer) as wire:
        for number in range(4):
            mission = missions[number % 2]
            answer = site.leaves(
                wire,
                path(mission, after),
                lambda mission=mission: the.append(site.db, mission, the.delta("word")),
            ).json
            assert [event["mission"] for event in answer["events"]] == [mission]
            after = answer["next"]
        assert wire.get("/missions/999999/events?after=0&wait=20").status == 404
        assert wire.get("/healthz").json == {"status": "ok"}


def test_what_is_not_there_or_not_theirs_is_not_found(site, bearer):
    other = the.make_workspace(site.db, f"other-{site.edge}")
    theirs = the.make_mission(site.db, other)
    after = now(site, bearer)
    for mission in (theirs, 999_999):
        with site.wire(**bearer) as wire:
            assert wire.get(path(mission, after)).status == 404


def test_a_mission_that_was_deleted_is_not_found(site, bearer):
    claimed = the.running(site.db)
    the.complete(site.db, claimed)
    following = the.make_mission(site.db)
    for _ in retention.prune(site.db, before_ms=clock.now_ms() + 1000):
        pass
    after = now(site, bearer)
    with site.wire(**bearer) as wire, site.wire(**bearer) as further:
        assert wire.get(path(claimed.mission_id, after)).status == 404
        site.hold(further, path(following, after))


def test_a_cursor_that_no_log_has_is_refused(site, bearer):
    mission = the.make_mission(site.db)
    after = now(site, bearer)
    with site.wire(**bearer) as wire:
        assert wire.get(path(mission, after + 100)).json["code"] == "cursor_ahead"


def test_a_token_that_was_revoked_opens_nothing(site, bearer):
    mission = the.make_mission(site.db)
    after = now(site, bearer)
    with site.db.transaction() as conn:
        token = bearer["Authorization"].removeprefix("Bearer ")
        assert tokens.revoke(conn, tokens.id_of(token)) is not None
    for _ in range(2):
        with site.wire(**bearer) as wire:
            assert wire.get(path(mission, after)).status == 401


def test_a_share_link_opens_one_mission(site, bearer):
    """Its requests differ from each other in the mission only."""
    own, other = the.make_mission(site.db), the.make_mission(site.db)
    with site.db.transaction() as conn:
        link = tokens.create(conn, the.WORKSPACE, ["read"], mission_id=own)
    after = now(site, bearer)
    opened = {"Authorization": f"Bearer {link}"}
    with site.wire(**opened) as wire, site.wire(**opened) as further:
        site.hold(wire, path(own, after))
        assert further.get(path(other, after)).status == 403


def test_polls_of_kin_are_counted(site, bearer):
    def counted() -> float:
        with site.wire(**admin) as wire:
            lines = wire.get("/metrics").body.decode().splitlines()
        return sum(
            float(each.split()[-1]) for each in lines if each.startswith("longline_polls_total")
        )

    with site.db.transaction() as conn:
        text = tokens.create(conn, the.WORKSPACE, ["admin"])
    admin = {"Authorization": f"Bearer {text}"}
    mission = the.make_mission(site.db)
    after = now(site, bearer)
    before = counted()
    with site.wire(**bearer) as wire:
        site.leaves(wire, path(mission, after), lambda: the.append(site.db, mission, the.delta()))
    until(lambda: counted() == before + 1, what="count")
