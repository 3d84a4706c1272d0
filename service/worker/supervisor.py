"""The supervisor: claims missions, owns their children, keeps their leases. One thread does it all."""

import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

from sqlalchemy import Connection

from service import config, durations
from service.agents import local_model
from service.agents.context import MissionFailed
from service.agents.endpoint import Endpoint
from service.config import LOCAL_MODEL, Settings
from service.db import UNAVAILABLE, Database, reason
from service.dispatch import choose
from service.errors import LeaseLost
from service.missions import attempts, leases, queue
from service.missions.queue import Due, Limits
from service.missions.states import Status
from service.worker import identity, registry
from service.worker.alarm import Alarm
from service.worker.child import Child
from service.worker.forks import wait_until_warm, warm_context
from service.worker.once import Printed
from service.worker.projects import Looks
from service.worker.reaper import Reaper
from service.worker.settling import settlement
from service.worker.standby import Reserve

TICK_S = 0.02  # where nothing tells of a commit, a claim or a cancel follows within this time
REAP_EVERY_S = 1.0
ANSWERS_EVERY_S = 0.1  # looked for where one waits: once for all, so that not each does so itself
RETRY_S = 1.0  # after the database did not answer
LEAVE_AFTER_S = 2.0  # behind the drain, without a database to hand missions over in

logger = logging.getLogger(__name__)


class Supervisor:
    """Runs until SIGTERM or SIGINT, then hands over what it holds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._identity = identity.own()
        self._db = Database(settings)
        self._db.tidy()
        self._limits = Limits(settings.max_running_overall, settings.max_running)
        self._alarm = Alarm()
        self._dispatch = choose.for_worker(
            settings, self._db, self._alarm.ring, name=self._identity.id
        )
        self._reaper = Reaper(
            self._db, self._dispatch, lease_s=settings.lease_s, renew_s=settings.renew_s
        )
        config.prepare_agent_environment(settings)
        self._context = warm_context()
        self._reserve = Reserve(self._context, settings)
        self._looks = Looks(self._context, settings)
        self._children: dict[int, Child] = {}
        self._appends = durations.none()  # of the children that have gone
        self._printed: dict[int, Printed] = {}  # what the children say
        self._local_model: Endpoint | None = None  # it ends when nobody holds it
        self._stopping = False
        self._stop_by: float | None = None  # when what still runs is told to stop at once
        self._full = False
        self._renew_at = 0.0
        self._reap_at = 0.0
        self._answers_at = float("inf")

    def run(self) -> None:
        """Claim and run missions until told to stop. Returns when no child is left."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._sign_on()
        while not self._stopping or self._children:
            if not self._answered(self._turn) and self._late:
                break  # without a database nothing can be handed over: the leases will run out
        self._sign_off()

    def _answered(self, act: Callable[[], object]) -> bool:
        """Do what needs the database. False, after a pause, where it does not answer."""
        try:
            act()
        except UNAVAILABLE as error:
            logger.warning("the database does not answer: %s", reason(error))
            time.sleep(RETRY_S)
            return False
        return True

    def _until_answered(self, act: Callable[[], object]) -> None:
        while not self._stopping and not self._answered(act):
            pass

    @property
    def _late(self) -> bool:
        """Whether all should have ended by now."""
        return self._stop_by is not None and time.monotonic() >= self._stop_by + LEAVE_AFTER_S

    def _on_signal(self, *_: Any) -> None:
        """The first asks for an end at the next task boundary, a further one for an end now."""
        now = time.monotonic()
        self._stop_by = now if self._stopping else now + self._settings.drain_s
        self._stopping = True
        self._alarm.ring()

    def _sign_on(self) -> None:
        """Ready to claim, or told to stop: a database that is away is waited for."""
        self._until_answered(self._register)
        self._until_answered(self._reaper.recover_neighbours)
        self._keep_local_model()
        wait_until_warm(self._context)  # a mission claimed before would stand still till then
        self._until_answered(lambda: self._looks.forget_others(self._db))
        logger.info("worker %s runs %s at once", self._identity.id, self._settings.concurrency)

    def _register(self) -> None:
        with self._db.transaction() as conn:
            registry.sign_on(conn, self._identity, concurrency=self._settings.concurrency)

    def _keep_local_model(self) -> None:
        """Hold the embedded model, where it may be asked for, so that no mission waits for its start."""
        if LOCAL_MODEL in self._settings.allowed_models:
            Thread(target=self._start_local_model, daemon=True).start()

    def _start_local_model(self) -> None:
        try:
            self._local_model = local_model.ensure(self._settings)
        except MissionFailed as failure:
            logger.warning("%s", failure.message)

    def _sign_off(self) -> None:
        self._looks.end()
        self._reserve.end()
        for child in self._children.values():
            child.kill("lost")
        with suppress(*UNAVAILABLE), self._db.transaction() as conn:
            self._note_alive(conn)
            registry.sign_off(conn, self._identity.id)
        self._dispatch.close()
        self._db.close()

    def _turn(self) -> None:
        """One round: hear the children, look after leases, follow orders, claim."""
        heard: list[Any] = [w for c in self._children.values() for w in c.waitables()]
        heard += [*self._looks.waitables(), *self._reserve.waitables()]
        told = [self._alarm.fileno(), *self._dispatch.waitables()]
        wait([*told, *heard], self._dispatch.pause_s(TICK_S))
        self._alarm.clear()
        news = not self._stopping and self._dispatch.has_news()
        called = news and self._dispatch.told
        if called:
            self._claim_all()  # first: somebody waits for it
        self._hear_children()
        self._end_children()
        self._renew_and_reap()
        if self._stopping:
            self._drain()
            return
        self._looks.go_on(self._db)
        if self._children and (news or time.monotonic() >= self._answers_at):
            with self._db.glance() as conn:
                self._follow(leases.orders(conn, self._identity.id))
        if (news and not called) or self._full:
            self._claim_all()
        self._reserve.fill(room=self._room)

    def _drain(self) -> None:
        """Let each child go on to the end of its task, for a while."""
        self._looks.end()
        self._reserve.end()
        late = self._stop_by is not None and time.monotonic() >= self._stop_by
        for child in self._children.values():
            child.stop("stopping") if late else child.finish_task()

    def _claim_all(self) -> None:
        """Claim until there is nothing left or no room; `_full` says to look again when there is."""
        self._full = False
        told = self._dispatch.told
        while self._room:
            claim = self._claim(told=told)
            told = False
            if claim is None:
                break
            self._children[claim.mission_id] = Child(claim, self._settings, self._reserve)
            self._printed[claim.mission_id] = Printed(self._db, claim)
            self._db.ring()
            self._log(claim, "begins")
        else:
            self._full = True
        self._dispatch.settled(has_room=self._room > 0)

    @property
    def _room(self) -> int:
        return self._settings.concurrency - len(self._children)

    def _claim(self, *, told: bool) -> attempts.Claim | None:
        """told: of a mission, so it need not be looked for before."""
        due = queue.expected() if told else self._look()
        if due is None:
            return None
        lease_s, limits = self._settings.lease_s, self._limits
        return attempts.claim_next(
            self._db, self._identity.id, lease_s=lease_s, limits=limits, due=due
        )

    def _look(self) -> Due | None:
        with self._db.glance() as conn:
            return queue.look(conn, self._limits)

    def _hear_children(self) -> None:
        for mission_id, child in self._children.items():
            printed = self._printed[mission_id]
            printed.add(child.read_output())
            try:
                printed.write()
            except LeaseLost:
                child.kill("lost")
                printed.forget()

    def _end_children(self) -> None:
        for mission_id, child in list(self._children.items()):
            if child.deadline.passed:
                child.stop("limit")
            child.kill_if_overdue()
            if child.ended() and not self._printed[mission_id]:
                self._settle(child)
                self._appends = durations.added(self._appends, child.appends)
                child.release()
                del self._children[mission_id], self._printed[mission_id]

    def _settle(self, child: Child) -> None:
        """Bring the mission to where its child's end leads."""
        settle = settlement(child)
        try:
            with self._db.transaction() as conn:
                status = settle(conn)
                if status is Status.QUEUED:
                    self._dispatch.hand_over(conn, child.claim.mission_id)
        except LeaseLost:
            self._log(child.claim, "the lease was lost", logging.WARNING)
        else:
            how = (child.outcome.kind if child.outcome else None, child.reason, status)
            self._log(child.claim, f"ends: {', '.join(filter(None, how))}")

    def _log(self, claim: attempts.Claim, text: str, level: int = logging.INFO) -> None:
        numbers = {"mission": claim.mission_id, "attempt": claim.fence.attempt}
        logger.log(level, "mission %s: %s", claim.mission_id, text, extra=numbers)

    def _renew_and_reap(self) -> None:
        now = time.monotonic()
        if now >= self._renew_at:
            self._renew()
            self._renew_at = now + self._settings.renew_s
        if now >= self._reap_at:
            self._reaper.turn(self._settings.data)
            self._reap_at = now + REAP_EVERY_S

    def _renew(self) -> None:
        if not self._children:
            with self._db.statement(news=False) as conn:
                self._note_alive(conn)
            return
        with self._db.transaction() as conn:
            self._note_alive(conn)
            held = leases.renew(
                conn, self._identity.id, self._children, lease_s=self._settings.lease_s
            )
        self._follow(held)

    def _note_alive(self, conn: Connection) -> None:
        living = (child.appends for child in self._children.values())
        appends = durations.added(self._appends, *living)
        registry.note_alive(conn, self._identity.id, appends=appends)

    def _follow(self, orders: leases.Renewed) -> None:
        self._answers_at = time.monotonic() + ANSWERS_EVERY_S if orders.waiting else float("inf")
        for mission_id, child in self._children.items():
            child.tell(orders.held.get(mission_id, 0))
            if mission_id in orders.cancelled:
                child.stop("cancel")
            elif mission_id not in orders.held:
                child.kill("lost")
