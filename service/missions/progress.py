"""What a running attempt records: its events, its usage, its finished tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from models import events, missions, task_outputs
from service import clock
from service.events import log
from service.events.kinds import Kind, NewEvent
from service.events.text import decode, encode, repair, repair_or_none
from service.missions import transitions

# A USAGE call's data, and the columns of the mission that hold the sums.
COUNTED = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")


def record(
    conn: Connection, mission_id: int, batch: Sequence[NewEvent], *, fence: log.Fence
) -> log.Appended:
    """Append a batch; the mission's row follows the usage in it. Raises LeaseLost."""
    appended = log.append(conn, mission_id, batch, fence=fence)
    values = _added_usage(conn, mission_id, batch)
    if values:
        conn.execute(update(missions).where(missions.c.id == mission_id).values(values))
    return appended


def rehearse(conn: Connection, mission_id: int, event: NewEvent) -> None:
    """Store an event of a mission that there is not, as a run does: nothing changes.

    What is done for the first time takes several times as long. Raises LeaseLost.
    """
    record(conn, mission_id, [event], fence=log.Fence(0, ""))


def only_appends(batch: Sequence[NewEvent]) -> bool:
    """Whether to `record` them is to append them, which is one statement."""
    return not any(map(_is_call, batch))


def find(
    conn: Connection, mission_id: int, event: NewEvent, *, attempt: int, after: int
) -> int | None:
    """The seq behind `after` under which an attempt has stored this event; None when it has not.

    By its time, kind, name and call: what one writer stores behind `after` is only what it tries to.
    Locks the mission's row first: the transaction that lost its client may just be committing.
    """
    transitions.lock(conn, mission_id)
    found = (
        select(events.c.seq)
        .where(events.c.mission_id == mission_id, events.c.seq > after)
        .where(events.c.attempt == attempt, events.c.at_ms == event.at_ms)
        .where(events.c.kind == event.kind.value, events.c.name == repair(event.name))
        .where(events.c.call.is_not_distinct_from(repair_or_none(event.call)))
    )
    return conn.execute(found.limit(1)).scalar()


def _is_call(event: NewEvent) -> bool:
    return event.kind is Kind.USAGE and event.name == "call"


def _added_usage(conn: Connection, mission_id: int, batch: Sequence[NewEvent]) -> dict[str, Any]:
    events = [event for event in batch if _is_call(event)]
    if not events:
        return {}
    calls = [event.data for event in events]
    values: dict[str, Any] = {
        name: missions.c[name] + sum(call.get(name) or 0 for call in calls) for name in COUNTED
    }
    costs = [call["cost_usd"] for call in calls if call.get("cost_usd") is not None]
    if costs:
        values["cost_usd"] = func.coalesce(missions.c.cost_usd, 0.0) + sum(costs)
    return values | {"usage_by_agent": _added_by_agent(conn, mission_id, events)}


def _added_by_agent(conn: Connection, mission_id: int, calls: Sequence[NewEvent]) -> str:
    """As JSON text; the append holds the mission's row, so nobody adds in between."""
    stored = select(missions.c.usage_by_agent).where(missions.c.id == mission_id)
    agents: dict[str, Any] = decode(conn.execute(stored).scalar_one()) or {}
    for call in calls:
        agent = agents.setdefault(repair(call.agent or ""), {"calls": 0, "cost_usd": None})
        agent["calls"] += 1
        for name in COUNTED:
            agent[name] = agent.get(name, 0) + (call.data.get(name) or 0)
        if call.data.get("cost_usd") is not None:
            agent["cost_usd"] = (agent["cost_usd"] or 0.0) + call.data["cost_usd"]
    return encode(agents)


def plan(conn: Connection, mission_id: int, *, total: int) -> None:
    """Note how many tasks a mission has, as far as is known: a project's are not in its spec."""
    conn.execute(update(missions).where(missions.c.id == mission_id).values(tasks_total=total))


def finish_task(
    conn: Connection,
    mission_id: int,
    *,
    attempt: int,
    task: str,
    agent: str | None,
    text: str,
    json: Any,
) -> None:
    """Store a task's output: from here on no attempt of a planned mission runs it again.

    A flow begins anew in each attempt: a step that it does again replaces what it did before.

    In the transaction that has appended its events, for that is where the fence is checked.
    """
    again = conn.execute(
        delete(task_outputs).where(
            task_outputs.c.mission_id == mission_id, task_outputs.c.task == task
        )
    ).rowcount
    conn.execute(
        insert(task_outputs).values(
            mission_id=mission_id,
            task=task,
            attempt=attempt,
            agent=agent,
            text=repair(text),
            json=None if json is None else encode(json),
            created_ms=clock.now_ms(),
        )
    )
    conn.execute(
        update(missions)
        .where(missions.c.id == mission_id)
        .values(tasks_done=missions.c.tasks_done + 1 - again)
    )


@dataclass(frozen=True, slots=True)
class StartedTool:
    """A tool call of which no end is known. args: as its event shows them."""

    call: str
    tool: str
    args: Any
    agent: str | None
    task: str | None


# They go on where they were, or only hand work to an agent whose own tools are told of.
RESUMED = ("ask_human", "delegate_work_to_coworker", "ask_question_to_coworker")


def unfinished_tools(conn: Connection, mission_id: int) -> list[StartedTool]:
    """Tool calls of earlier attempts that started and did not end, of tasks that are not finished."""
    done = select(task_outputs.c.task).where(task_outputs.c.mission_id == mission_id)
    rows = conn.execute(
        select(events.c.name, events.c.call, events.c.agent, events.c.task, events.c.data)
        .where(events.c.mission_id == mission_id, events.c.kind == Kind.ACTION)
        .where(events.c.name.in_(("tool.started", "tool.finished", "tool.failed", "tool.blocked")))
        .where(func.coalesce(events.c.task, "").not_in(done))
        .order_by(events.c.seq)
    )
    running: dict[str, StartedTool] = {}
    for row in rows:
        running.pop(row.call, None)
        data = decode(row.data)
        if row.name == "tool.started" and data.get("tool") not in RESUMED:
            running[row.call] = StartedTool(
                row.call, str(data.get("tool")), data.get("args"), row.agent, row.task
            )
    return list(running.values())


def finished(conn: Connection, mission_id: int) -> list[dict[str, Any]]:
    """Outputs of finished tasks as mappings of the table's columns, json still as text."""
    query = select(task_outputs).where(task_outputs.c.mission_id == mission_id)
    return [dict(row) for row in conn.execute(query).mappings()]


def more_to_do(conn: Connection, mission_id: int) -> bool:
    """Whether a mission has tasks that no attempt has finished."""
    query = select(missions.c.tasks_done < missions.c.tasks_total)
    return bool(conn.execute(query.where(missions.c.id == mission_id)).scalar_one())
