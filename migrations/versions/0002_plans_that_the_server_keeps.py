"""On PostgreSQL, the append and the watcher's look as functions: the server keeps the plans of what they do.

Also for those behind a pooler in transaction mode, where no statement can be prepared.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A plan is kept till the table's statistics change. One that was made for a table of a few rows must not read it
# from end to end when it has a million: hence without sequential scans.

# Each statement needs the row of the one before: so they are locked in this order, the workspace last.
# last_status: the place of the last STATUS event among those that are added, from 1; 0 when there is none.
# VOLATILE, as functions are: each statement sees what was committed before it began, and the second
# adds to the counter that it has waited for.
APPEND = """
CREATE FUNCTION longline_append(
  to_mission bigint, held_attempt integer, held_by text, kinds text[], names text[], moments bigint[],
  agents text[], tasks text[], calls text[], texts text[], last_status integer
) RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off AS $$
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

# Of each reader's workspace: its head as of one moment, beside each of the first events behind the cursor.
NEWS = """
CREATE FUNCTION longline_news(readers bigint[], cursors bigint[], most integer)
RETURNS TABLE (
  id bigint, feed text, head bigint, oldest bigint, access_changes integer,
  seq bigint, mission_id bigint, mseq bigint, attempt integer, kind text, name text, at_ms bigint,
  agent text, task text, call text, data text
) STABLE LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT log.id, log.feed, log.head, log.oldest, log.access_changes, event.*
  FROM unnest(readers, cursors) AS reader (id, after)
  JOIN workspaces AS log ON log.id = reader.id
  LEFT JOIN LATERAL (
    SELECT e.seq, e.mission_id, e.mseq, e.attempt, e.kind, e.name, e.at_ms, e.agent, e.task, e.call, e.data
    FROM events AS e
    WHERE e.workspace_id = log.id AND e.seq > reader.after AND e.seq <= log.head
    ORDER BY e.seq LIMIT most
  ) AS event ON true;
END
$$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(APPEND)
        op.execute(NEWS)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION longline_append")
        op.execute("DROP FUNCTION longline_news")
