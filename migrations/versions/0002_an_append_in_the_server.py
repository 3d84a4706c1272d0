"""On PostgreSQL, an append as a function: the server keeps its plans, also for those behind a pooler."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Each statement needs the row of the one before: so they are locked in this order, the workspace last.
# last_status: the place of the last STATUS event among those that are added, from 1; 0 when there is none.
# VOLATILE, as functions are: each statement sees what was committed before it began, and the second
# adds to the counter that it has waited for.
APPEND = """
CREATE FUNCTION longline_append(
  to_mission bigint, held_attempt integer, held_by text, kinds text[], names text[], moments bigint[],
  agents text[], tasks text[], calls text[], texts text[], last_status integer
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  added CONSTANT integer := cardinality(kinds);
  own record;
  newest bigint;
BEGIN
  UPDATE missions SET mseq = mseq + added
  WHERE id = to_mission AND status NOT IN ('completed', 'failed', 'cancelled')
    AND (held_attempt IS NULL OR (attempt = held_attempt AND lease_owner = held_by))
  RETURNING workspace_id, mseq, attempt INTO own;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE workspaces SET head = head + added WHERE id = own.workspace_id RETURNING head INTO newest;
  INSERT INTO events
    (workspace_id, seq, mission_id, mseq, attempt, kind, name, at_ms, agent, task, call, data)
  SELECT own.workspace_id, newest - added + e.place, to_mission, own.mseq - added + e.place, own.attempt,
    e.kind, e.name, e.at_ms, e.agent, e.task, e.call, e.data
  FROM unnest(kinds, names, moments, agents, tasks, calls, texts)
    WITH ORDINALITY AS e (kind, name, at_ms, agent, task, call, data, place);
  IF last_status > 0 THEN
    UPDATE missions SET rev = newest - added + last_status WHERE id = to_mission;
  END IF;
  RETURN newest;
END
$$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(APPEND)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION longline_append")
