"""The watcher: one greenlet per web process that sees the log grow and answers those who wait."""

import logging
import time

import gevent
from gevent.event import Event

from service import clock
from service.db import Database
from service.errors import Problem
from service.events import log
from service.feed import page
from service.feed.waiters import Group, Waiters
from service.feed.witness import Witness

TICK_S = 0.002  # how late a hint is taken; to ask for one costs 3 µs
RETRY_S = 0.5  # after the database did not answer

logger = logging.getLogger(__name__)


class Watcher:
    """Sleeps while nobody waits; looks at the heads of the workspaces that are waited for."""

    def __init__(self, db: Database, waiters: Waiters, witness: Witness) -> None:
        self._db = db
        self._witness = witness
        self._waiters = waiters
        self._hint = db.change_hint()
        self._somebody = Event()
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    @property
    def alive(self) -> bool:
        return self._greenlet is not None and not self._greenlet.dead

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
        self._hint.close()

    def look_for(self) -> None:
        """Somebody has begun to wait: what came since their read has to be looked for once."""
        self._somebody.set()

    def _run(self) -> None:
        while True:
            self._somebody.wait()
            try:
                self._watch()
            except Exception:  # the greenlet's edge: without it, no poll would ever wake again
                logger.exception("the watcher failed; looking again in %s s", RETRY_S)
                gevent.sleep(RETRY_S)
                self._somebody.set()

    def _watch(self) -> None:
        """Look once for those who just came, and then at each change while anybody waits."""
        while self._waiters.count:
            joined = self._somebody.is_set()
            self._somebody.clear()
            if self._hint.changed(asked=joined):
                self._look()
            gevent.sleep(TICK_S)

    def _look(self) -> None:
        """One query for the heads of all workspaces that are waited for: they are the truth."""
        begin = time.monotonic()
        with self._db.glance() as conn:
            heads = log.heads(conn, self._waiters.workspaces())
        took_s = time.monotonic() - begin
        found = [self._look_at(workspace_id, head) for workspace_id, head in heads.items()]
        self._hint.looked(took_s, found=any(found))
        self._witness.woken(found=any(found))

    def _look_at(self, workspace_id: int, head: int) -> bool:
        """Serve who has not seen the head. Whether there was anybody."""
        behind = [g for g in self._waiters.groups(workspace_id) if g.seen < head]
        if behind:
            self._serve(workspace_id, behind, head)
        return bool(behind)

    def _serve(self, workspace_id: int, behind: list[Group], head: int) -> None:
        """One query for what was touched; then one read and one rendering per group it is for."""
        since = min(group.seen for group in behind)
        with self._db.glance() as conn:
            touched = log.touched(conn, workspace_id, since, head)
        for group in behind:
            if any(group.filter.wants(mission_id, kind) for mission_id, kind in touched):
                self._answer(group)
            else:
                self._waiters.advance(group, head, head)

    def _answer(self, group: Group) -> None:
        try:
            found = page.read(self._db, group.filter, group.after)
        except Problem:
            for place in group.places:  # each finds out for itself, and answers with the problem
                place.result.set(None)
            return
        if found.complete:
            group.answer(page.render(found, "events" if found.events else "closed"))
            self._tell_how_late(found)
        else:
            self._waiters.advance(group, found.next, found.next)
            if found.more:
                self.look_for()  # it was a long scan, and no further commit may come to wake us

    def _tell_how_late(self, found: page.Page) -> None:
        happened_ms = found.newest_ms
        if happened_ms is not None:
            self._witness.delivered(max(0, clock.now_ms() - happened_ms) / 1000)
