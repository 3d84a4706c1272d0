"""On PostgreSQL, a claim and the making of a mission as functions: each was several round trips in a row."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# As in the append: plans that do not read a table from end to end, and are kept.
KEPT = "SET enable_seqscan = off SET plan_cache_mode = force_generic_plan"

# turn: the lock that claims follow one another by, where there is a limit; no limit is looked at without it.
# VOLATILE, as functions are: what is behind the lock sees all that was committed before it was had.
CLAIM = f"""
CREATE FUNCTION longline_claim(
  claimer text, now_ms bigint, lease_ends_ms bigint, turn bigint, most_overall integer,
  most_of_one integer, said_name text, said text
) RETURNS SETOF missions LANGUAGE plpgsql {KEPT} AS $$
DECLARE
  chosen bigint;
  place bigint;
BEGIN
  IF turn IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(turn);
  END IF;
  IF most_overall IS NOT NULL THEN
    IF most_overall <= (SELECT count(*) FROM missions WHERE lease_owner IS NOT NULL) THEN
      RETURN;
    END IF;
  END IF;
  SELECT first.id, waiting.id INTO chosen, place
  FROM (
    SELECT w.id FROM workspaces AS w
    WHERE EXISTS (
      SELECT FROM missions AS m
      WHERE m.workspace_id = w.id AND m.status = 'queued'
        AND (m.not_before_ms IS NULL OR m.not_before_ms <= now_ms)
    ) AND (
      turn IS NULL OR coalesce(w.max_running, most_of_one) IS NULL
      OR coalesce(w.max_running, most_of_one) > (
        SELECT count(*) FROM missions AS m
        WHERE m.workspace_id = w.id AND m.status IN ('running', 'waiting')
      )
    )
    ORDER BY w.claimed_ms, w.id LIMIT 10
  ) AS waiting, LATERAL (
    SELECT m.id FROM missions AS m
    WHERE m.workspace_id = waiting.id AND m.status = 'queued'
      AND (m.not_before_ms IS NULL OR m.not_before_ms <= now_ms)
    ORDER BY m.priority DESC, m.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
  ) AS first
  LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  UPDATE missions SET
    status = 'running', attempt = attempt + 1, started_ms = coalesce(started_ms, now_ms),
    lease_owner = claimer, lease_until_ms = lease_ends_ms
  WHERE id = chosen;
  PERFORM longline_append(
    chosen, NULL, NULL, ARRAY['STATUS'], ARRAY[said_name], ARRAY[now_ms],
    ARRAY[NULL]::text[], ARRAY[NULL]::text[], ARRAY[NULL]::text[], ARRAY[said], 1
  );
  UPDATE workspaces SET claimed_ms = now_ms WHERE id = place;
  RETURN QUERY SELECT * FROM missions WHERE id = chosen;
END
$$
"""  # noqa: S608 (our own words)

# Nothing where the caller's access has changed since it was looked up, where as many wait as may, or where the
# key has been used: why, whoever asked finds out.
# job_queue, job_task: what workers hear of it by; NULL where they listen to a word of ours.
CREATE = f"""
CREATE FUNCTION longline_create(
  workspace_id bigint, title text, engine text, project text, spec text, on_worker_lost text,
  created_ms bigint, priority integer, not_before_ms bigint, tasks_total integer, idempotency_key text,
  idempotency_sha256 text, seen_changes integer, key_lock bigint, most_queued integer, actor text, token_id text,
  job_queue text, job_task text, said_name text, said text
) RETURNS TABLE (made bigint, seq bigint) LANGUAGE plpgsql {KEPT} AS $$
#variable_conflict use_variable
DECLARE
  own CONSTANT bigint := workspace_id;
BEGIN
  IF key_lock IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(key_lock);
  END IF;
  IF seen_changes <> (SELECT w.access_changes FROM workspaces AS w WHERE w.id = own) THEN
    RETURN;
  END IF;
  IF most_queued <= (
    SELECT count(*) FROM missions AS m WHERE m.workspace_id = own AND m.status = 'queued'
  ) THEN
    RETURN;
  END IF;
  INSERT INTO missions (
    workspace_id, title, engine, project, spec, status, on_worker_lost, created_ms, priority,
    not_before_ms, tasks_total, idempotency_key, idempotency_sha256
  ) VALUES (
    workspace_id, title, engine, project, spec, 'queued', on_worker_lost, created_ms, priority,
    not_before_ms, tasks_total, idempotency_key, idempotency_sha256
  ) ON CONFLICT ON CONSTRAINT uq_missions_workspace_id_idempotency_key DO NOTHING
  RETURNING id INTO made;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  PERFORM pg_notify('longline_events', '');
  IF job_task IS NULL THEN
    PERFORM pg_notify('longline_work', made::text);
  ELSE
    PERFORM procrastinate_defer_jobs_v1(ARRAY[
      ROW(job_queue, job_task, 0, NULL, NULL, jsonb_build_object('mission_id', made), NULL)
    ]::procrastinate_job_to_defer_v1[]);
  END IF;
  INSERT INTO audit (workspace_id, at_ms, actor, token_id, action, subject)
  VALUES (workspace_id, created_ms, actor, token_id, 'mission.created', 'mission ' || made);
  seq := longline_append(
    made, NULL, NULL, ARRAY['STATUS'], ARRAY[said_name], ARRAY[created_ms],
    ARRAY[NULL]::text[], ARRAY[NULL]::text[], ARRAY[NULL]::text[], ARRAY[said], 1
  );
  RETURN NEXT;
END
$$
"""  # noqa: S608 (our own words)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(CLAIM)
        op.execute(CREATE)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION longline_claim")
        op.execute("DROP FUNCTION longline_create")
