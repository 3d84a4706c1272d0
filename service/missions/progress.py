"""What a running attempt records: its events, its usage, its finished tasks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from models import missions, task_outputs
from service import clock
from service.events import log
from service.events.kinds import Kind, NewEvent
from service.events.text import encode, repair

# A USAGE call's data, and the columns of the mission that hold the sums.
COUNTED = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")


def record(
    conn: Connection, mission_id: int, batch: Sequence[NewEvent], *, fence: log.Fence
) -> log.Appended:
    """Append a batch; the mission's row follows the usage and the STATUS events in it. Raises LeaseLost."""
    appended = log.append(conn, mission_id, batch, fence=fence)
    values = _added_usage(batch) | _revision(batch, appended)
    if values:
        conn.execute(update(missions).where(missions.c.id == mission_id).values(values))
    return appended


def _revision(batch: Sequence[NewEvent], appended: log.Appended) -> dict[str, Any]:
    seqs = [appended.first_seq + i for i, event in enumerate(batch) if event.kind is Kind.STATUS]
    return {"rev": seqs[-1]} if seqs else {}


def _added_usage(batch: Sequence[NewEvent]) -> dict[str, Any]:
    calls = [event.data for event in batch if event.kind is Kind.USAGE and event.name == "call"]
    if not calls:
        return {}
    values: dict[str, Any] = {
        name: missions.c[name] + sum(call.get(name) or 0 for call in calls) for name in COUNTED
    }
    costs = [call["cost_usd"] for call in calls if call.get("cost_usd") is not None]
    if costs:
        values["cost_usd"] = func.coalesce(missions.c.cost_usd, 0.0) + sum(costs)
    return values


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


def finished(conn: Connection, mission_id: int) -> list[dict[str, Any]]:
    """Outputs of finished tasks as mappings of the table's columns, json still as text."""
    query = select(task_outputs).where(task_outputs.c.mission_id == mission_id)
    return [dict(row) for row in conn.execute(query).mappings()]
