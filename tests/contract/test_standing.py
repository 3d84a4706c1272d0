"""Where missions stand, of many at once: what strangers are compared with."""

from service.missions import queries
from tests.contract import given as the


def test_each_has_its_status_and_its_newest_event(db):
    claimed = the.running(db)
    queued = the.make_mission(db)
    the.record(db, claimed, the.delta())
    newest = {id_: the.events_of(db, id_)[-1]["seq"] for id_ in (claimed.mission_id, queued)}
    with db.reading() as conn:
        found = queries.status_and_newest(conn, the.WORKSPACE, [claimed.mission_id, queued, 999])
    assert found == {
        claimed.mission_id: ("running", newest[claimed.mission_id]),
        queued: ("queued", newest[queued]),
    }


def test_nobody_s_missions_are_another_workspace_s(db):
    mission = the.make_mission(db, the.make_workspace(db, "other"))
    with db.reading() as conn:
        assert queries.status_and_newest(conn, the.WORKSPACE, [mission]) == {}
        assert queries.status_and_newest(conn, the.WORKSPACE, []) == {}
