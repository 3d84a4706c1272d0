"""What becomes of a mission when its child has gone: by what it sent, why it was told to stop, or how it died."""

from collections.abc import Callable

from sqlalchemy import Connection

from service.missions import attempts
from service.missions.states import Status
from service.worker import limits
from service.worker.child import Child, describe_exit


def settlement(child: Child) -> Callable[[Connection], Status | None]:
    """The transaction that brings a mission to where its child's end leads. Returns its new status."""
    claim, outcome = child.claim, child.outcome
    if outcome is not None and outcome.kind == "completed":
        text, json = child.redactor.text(outcome.text), child.redactor.value(outcome.json)
        return lambda conn: attempts.complete(conn, claim, text=text, json=json)
    if outcome is not None and outcome.kind == "failed":
        return lambda conn: attempts.fail(
            conn,
            claim,
            code=outcome.code,
            message=child.redactor.text(outcome.message),
            retryable=outcome.retryable,
        )
    match child.reason:
        case "cancel":
            return lambda conn: attempts.end_cancelled(conn, claim)
        case "stopping":
            return lambda conn: attempts.hand_over(conn, claim)
        case "finish" if outcome is not None:
            return lambda conn: attempts.hand_over(conn, claim)
        case "limit":
            breach = limits.too_long(claim.spec.limits.max_seconds)
            return lambda conn: attempts.fail(
                conn,
                claim,
                code="limit",
                message=breach.message,
                retryable=False,
                before=[breach.as_event()],
            )
    reason = f"its process ended with {describe_exit(child.exit_code)}"
    return lambda conn: attempts.lose(conn, claim.mission_id, reason=reason, fence=claim.fence)
