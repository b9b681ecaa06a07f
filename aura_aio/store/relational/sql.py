"""The statements, under names; a test holds each of them to an index.

May import the standard library only. What is pasted into them are constants of this module;
values are always bound. Where a statement may only use one index, it names it, so that the planner
can never fall back on walking over the table.
"""
# ruff: noqa: S608, S105 (what is called TOKEN here is a statement)

from typing import Final

MOST_JOINED: Final = 1_000
"""Delayed runs that join the queue in one operation: some 10 ms, then others have their turn."""
MOST_COUNTED: Final = 10_000
"""Runs of the same priority that a position counts one by one: under a millisecond."""
MOST_WAITS: Final = 1_000
MOST_KEYS_PRUNED: Final = 16
"""Keys that are too old go faster than new ones come."""

# --- Columns, in the order in which rows.py reads them

_RUN: Final = (
    "cid, plan_name, task_name, state, attempt, priority, rank, definition_digest, created_at, "
    "on_crash, run_at, started_at, finished_at, timeout_sec, labels, worker, error, cancel, "
    "limits, parent_cid, depth, origin, arrival, retry_of, callback_url, "
    "traceparent, tracestate, plan_digest, "
)
_BARE_RUN: Final = _RUN + "NULL, NULL, NULL"
_WHOLE_RUN: Final = _RUN + "inputs, sealed, result"
_TASKLET: Final = (
    "cid, plan_name, task_name, definition_digest, created_at, attempt, inputs, priority, run_at, "
    "timeout_sec, on_crash, labels, limits, parent_cid, depth, origin, sealed, retry_of, "
    "traceparent, tracestate, plan_digest"
)
_INSERTED: Final = _TASKLET + ", arrival, callback_url"
_HEAD: Final = "plan_name, plan_digest, limits, priority, rank, arrival, cid"
_STEP: Final = (
    "cid, attempt, step, status, started_at, finished_at, tries, output, error, worker, calls"
)
ENTRY: Final = (
    "seq, timestamp, level, logger, message, cid, plan_name, task_name, step, attempt, worker, data"
)

_SCHEDULE: Final = (
    "id, created, enabled, basis, decided_at, last_run_at, last_cid, outcome, message"
)

_SUM: Final = "CAST(COALESCE(SUM(n), 0) AS BIGINT)"


def _or_replace(columns: str, *key: str) -> str:
    """What an INSERT of these columns ends with that takes the place of the row with its key."""
    others = [name for name in columns.split(", ") if name not in key]
    changes = ", ".join(f"{name} = excluded.{name}" for name in others)
    return f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"


def columns_of_run(include: frozenset[str]) -> str:
    """The columns of a run, with `inputs` and `result` if they are wanted."""
    inputs, result = (each if each in include else "NULL" for each in ("inputs", "result"))
    return f"{_RUN}{inputs}, NULL, {result}"


# --- Runs come

_KEY: Final = "key, body_digest, cids, memo, kept_at"

FIND_KEY: Final = """
    SELECT body_digest, cids, memo FROM idempotency WHERE key = ? AND kept_at > ?
"""
KEEP_KEY: Final = f"""
    INSERT INTO idempotency ({_KEY}) VALUES (?, ?, ?, ?, ?) {_or_replace(_KEY, "key")}
"""
PRUNE_KEYS: Final = f"""
    DELETE FROM idempotency WHERE key IN (
        SELECT key FROM idempotency WHERE kept_at <= ? ORDER BY kept_at LIMIT {MOST_KEYS_PRUNED}
    )
"""
KEEP_DEFINITION: Final = """
    INSERT INTO definitions (digest, document) VALUES (?, ?) ON CONFLICT DO NOTHING
"""
INSERT_RUN: Final = f"""
    INSERT INTO runs (state, worker, started_at, ready_at, delayed, rank, {_INSERTED}) VALUES
    (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
FIND_CHILD: Final = """
    SELECT cid FROM runs INDEXED BY runs_by_call WHERE parent_cid = ? AND origin = ?
    ORDER BY cid LIMIT 1
"""
HAND_DOWN: Final = f"""
    INSERT INTO steps ({_STEP}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# --- Runs change; the guard: the run is as it was when the change was decided

_AS_HELD: Final = "WHERE cid = ? AND attempt = ? AND state = ?"

HOLD: Final = """
    SELECT cid, state, attempt, priority, plan_name, delayed, on_crash, cancel, task_name,
        started_at, callback_url IS NOT NULL, arrival <> cid
    FROM runs WHERE cid IN (SELECT value FROM json_each(?))
"""
END: Final = f"UPDATE runs SET state = ?, finished_at = ?, result = ?, error = ? {_AS_HELD}"
CANCEL: Final = f"UPDATE runs SET state = ?, finished_at = ?, cancel = ? {_AS_HELD}"
# By the states that they may have, a planner would read all such runs, of a table that was small.
CHILDREN_UNDER_WAY: Final = """
    SELECT parent_cid, cid FROM runs INDEXED BY runs_by_parent
    WHERE parent_cid IN (SELECT value FROM json_each(?))
        AND state NOT IN ('succeeded', 'failed', 'timed_out', 'cancelled')
"""
REQUEUE: Final = f"""
    UPDATE runs SET state = ?, ready_at = ?, attempt = attempt + 1, delayed = 0,
        started_at = NULL, worker = NULL {_AS_HELD}
"""
ATTEMPTS_UNDER_WAY: Final = """
    SELECT cid, attempt, worker FROM runs INDEXED BY runs_by_state
    WHERE state IN ('running', 'cancelling')
"""

# --- The queue: runs without limits and runs with them have an index each, and are merged in order

_READY: Final = "WHERE state = 'queued' AND delayed = 0"
_UNLIMITED: Final = f"runs INDEXED BY runs_ready {_READY} AND limits = '[]'"
_LIMITED: Final = f"runs INDEXED BY runs_limited {_READY} AND limits <> '[]'"
_OF_PLAN: Final = f"runs INDEXED BY runs_of_plan {_READY} AND limits = '[]'"
_LANES: Final = f"runs INDEXED BY runs_lanes {_READY} AND limits <> '[]'"
_IN_ORDER: Final = "ORDER BY priority DESC, rank, arrival"
_DELAYED: Final = "runs INDEXED BY runs_waiting WHERE state = 'queued' AND delayed = 1"

DUE: Final = f"""
    SELECT cid, attempt, priority, plan_name, ready_at, arrival <> cid
    FROM {_DELAYED} AND ready_at <= ?
    ORDER BY ready_at, cid LIMIT {MOST_JOINED}
"""
JOIN: Final = "UPDATE runs SET delayed = 0 WHERE cid = ? AND attempt = ? AND state = 'queued'"
NEXT: Final = f"""
    SELECT {_TASKLET}, rank, arrival FROM {_UNLIMITED} UNION ALL
    SELECT {_TASKLET}, rank, arrival FROM {_LIMITED} {_IN_ORDER} LIMIT ?
"""
FIRST_UNLIMITED: Final = f"SELECT {_HEAD} FROM {_UNLIMITED} {_IN_ORDER} LIMIT 1"
FIRST_OF_PLAN: Final = f"""
    SELECT {_HEAD} FROM {_OF_PLAN} AND plan_name = ? AND plan_digest = ? {_IN_ORDER} LIMIT 1
"""
FIRST_OF_NEXT_PLAN: Final = f"""
    SELECT {_HEAD} FROM {_OF_PLAN} AND (plan_name, plan_digest) > (?, ?)
    ORDER BY plan_name, plan_digest, priority DESC, rank, arrival LIMIT 1
"""
FIRST_OF_LANE: Final = f"""
    SELECT {_HEAD} FROM {_LANES} AND plan_name = ? AND plan_digest = ? AND limits = ?
    {_IN_ORDER} LIMIT 1
"""
FIRST_OF_NEXT_LANE: Final = f"""
    SELECT {_HEAD} FROM {_LANES} AND (plan_name, plan_digest, limits) > (?, ?, ?)
    ORDER BY plan_name, plan_digest, limits, priority DESC, rank, arrival LIMIT 1
"""
HEADS_AMONG: Final = f"""
    SELECT {_HEAD} FROM runs {_READY} AND cid IN (SELECT value FROM json_each(?))
"""
TASKLETS: Final = f"SELECT {_TASKLET} FROM runs WHERE cid IN (SELECT value FROM json_each(?))"
HOLDERS: Final = """
    SELECT cid, limits, started_at FROM runs INDEXED BY runs_holding
    WHERE state IN ('running', 'cancelling') AND limits <> '[]' ORDER BY started_at, cid
"""
CLAIM: Final = """
    UPDATE runs SET state = 'running', worker = ?, started_at = ?
    WHERE cid = ? AND attempt = ? AND state = 'queued'
"""
SET_PRIORITY: Final = f"""
    UPDATE runs SET priority = ?, arrival = cid,
        rank = CASE WHEN parent_cid IS NULL THEN 0 ELSE -depth END {_AS_HELD}
"""
MOVE: Final = f"UPDATE runs SET rank = ?, arrival = ? {_AS_HELD}"
RUN_AT: Final = f"UPDATE runs SET run_at = ?, ready_at = ?, delayed = ? {_AS_HELD}"
FIRST_RANK: Final = f"""
    SELECT rank FROM {_UNLIMITED} AND priority = ?1 UNION ALL
    SELECT rank FROM {_LIMITED} AND priority = ?1 ORDER BY rank LIMIT 1
"""
NEIGHBOURS: Final = f"""
    SELECT rank, arrival FROM {_UNLIMITED} AND priority = ?1 AND cid <> ?2 UNION ALL
    SELECT rank, arrival FROM {_LIMITED} AND priority = ?1 AND cid <> ?2
    ORDER BY rank, arrival LIMIT 2 OFFSET ?3
"""
LAST_NEIGHBOUR: Final = f"""
    SELECT rank, arrival FROM {_UNLIMITED} AND priority = ?1 AND cid <> ?2 UNION ALL
    SELECT rank, arrival FROM {_LIMITED} AND priority = ?1 AND cid <> ?2
    ORDER BY rank DESC, arrival DESC LIMIT 1
"""
FROM_PLACE: Final = f"""
    SELECT arrival FROM {_UNLIMITED} AND priority = ?1 AND rank = ?2 AND arrival >= ?3 UNION ALL
    SELECT arrival FROM {_LIMITED} AND priority = ?1 AND rank = ?2 AND arrival >= ?3
    ORDER BY arrival LIMIT 2
"""
PAUSE: Final = "INSERT INTO pauses (plan_name, since) VALUES (?, ?) ON CONFLICT DO NOTHING"
RESUME: Final = "DELETE FROM pauses WHERE plan_name = ?"

IS_DUE: Final = f"SELECT EXISTS (SELECT 1 FROM {_DELAYED} AND ready_at <= ?)"
NEXT_DUE: Final = f"SELECT ready_at FROM {_DELAYED} ORDER BY ready_at LIMIT 1"

PLACE: Final = "SELECT state, priority, rank, arrival, delayed, ready_at FROM runs WHERE cid = ?"
AHEAD_BY_PRIORITY: Final = f"""
    SELECT {_SUM} FROM queue_counts WHERE priority > ? AND delayed = 0
"""
AHEAD_BY_RANK: Final = f"""
    SELECT COUNT(*) FROM (
        SELECT 1 FROM {_UNLIMITED} AND priority = ?1 AND (rank, arrival) < (?2, ?3) UNION ALL
        SELECT 1 FROM {_LIMITED} AND priority = ?1 AND (rank, arrival) < (?2, ?3)
        LIMIT {MOST_COUNTED}
    )
"""

FIRST_READY: Final = f"""
    SELECT {_BARE_RUN} FROM {_UNLIMITED} UNION ALL
    SELECT {_BARE_RUN} FROM {_LIMITED} {_IN_ORDER} LIMIT ?
"""
REST_OF_PRIORITY: Final = f"""
    SELECT {_BARE_RUN} FROM {_UNLIMITED} AND priority = ?1 AND (rank, arrival) > (?2, ?3) UNION ALL
    SELECT {_BARE_RUN} FROM {_LIMITED} AND priority = ?1 AND (rank, arrival) > (?2, ?3)
    ORDER BY rank, arrival LIMIT ?4
"""
LOWER_PRIORITIES: Final = f"""
    SELECT {_BARE_RUN} FROM {_UNLIMITED} AND priority < ?1 UNION ALL
    SELECT {_BARE_RUN} FROM {_LIMITED} AND priority < ?1 {_IN_ORDER} LIMIT ?2
"""
NEXT_DELAYED: Final = f"""
    SELECT {_BARE_RUN}, ready_at FROM {_DELAYED} AND (ready_at, cid) > (?, ?)
    ORDER BY ready_at, cid LIMIT ?
"""

# --- Figures that are kept

ADD_TO_QUEUE: Final = """
    INSERT INTO queue_counts (priority, plan_name, delayed, n) VALUES (?, ?, ?, ?)
    ON CONFLICT (priority, plan_name, delayed) DO UPDATE SET n = queue_counts.n + excluded.n
"""
ADD_TO_STATE: Final = """
    INSERT INTO state_counts (state, n) VALUES (?, ?)
    ON CONFLICT (state) DO UPDATE SET n = state_counts.n + excluded.n
"""
ADD_TO_SLOT: Final = """
    INSERT INTO throughput (slot, n) VALUES (?, ?)
    ON CONFLICT (slot) DO UPDATE SET n = throughput.n + excluded.n
"""
PRUNE_SLOTS: Final = "DELETE FROM throughput WHERE slot < ?"
KEEP_SEQ: Final = "UPDATE counters SET n = ? WHERE name = 'newest_log_seq'"

# Small tables, of which every row is wanted:
TIDY_QUEUE_COUNTS: Final = "DELETE FROM queue_counts WHERE n = 0"
QUEUE_COUNTS: Final = "SELECT priority, plan_name, delayed, n FROM queue_counts WHERE n > 0"
STATE_COUNTS: Final = "SELECT state, n FROM state_counts"
PAUSES: Final = "SELECT plan_name, since FROM pauses ORDER BY plan_name"
DEFINITIONS: Final = "SELECT digest FROM definitions"

FIGURES: Final = f"""
    SELECT (SELECT {_SUM} FROM queue_counts), (SELECT {_SUM} FROM queue_counts WHERE delayed = 1),
        (SELECT n FROM counters WHERE name = 'newest_log_seq')
"""
NEWEST_SEQ: Final = "SELECT n FROM counters WHERE name = 'newest_log_seq'"
THROUGHPUT: Final = "SELECT slot, n FROM throughput WHERE slot > ?"
WAITS: Final = f"""
    SELECT started_at - ready_at FROM runs INDEXED BY runs_started
    WHERE started_at > ? ORDER BY started_at DESC LIMIT {MOST_WAITS}
"""
OLDEST_READY: Final = """
    SELECT ready_at FROM runs INDEXED BY runs_waiting
    WHERE state = 'queued' AND delayed = 0 ORDER BY ready_at LIMIT 1
"""

# --- What starts runs by itself

SCHEDULES: Final = f"SELECT {_SCHEDULE} FROM schedules ORDER BY id"
SCHEDULE: Final = f"SELECT {_SCHEDULE} FROM schedules WHERE id = ?"
PUT_SCHEDULE: Final = f"""
    INSERT INTO schedules ({_SCHEDULE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    {_or_replace(_SCHEDULE, "id")}
"""
DELETE_SCHEDULE: Final = "DELETE FROM schedules WHERE id = ?"
STATE_OF_RUN: Final = "SELECT state FROM runs WHERE cid = ?"

ENDED: Final = """
    SELECT cid, plan_name, task_name, depth FROM runs
    WHERE cid IN (SELECT value FROM json_each(?))
"""
KEEP_EVENT: Final = """
    INSERT INTO events (cid, plan_name, task_name, status, at, depth) VALUES (?, ?, ?, ?, ?, ?)
"""
KEPT_EVENTS: Final = """
    SELECT number, cid, plan_name, task_name, status, at, depth FROM events
    WHERE number > 0 ORDER BY number LIMIT ?
"""
EVENT: Final = "SELECT 1 FROM events WHERE number = ? AND cid = ?"
FORGET_EVENT: Final = "DELETE FROM events WHERE number = ?"

# --- Callbacks

_TRY: Final = "cid, number, started_at, duration_sec, status_code, error, next_at"

KEEP_CALLBACK: Final = """
    INSERT INTO callbacks (cid, tries, status, due_at) VALUES (?, 0, 'pending', ?)
"""
UPCOMING_CALLBACKS: Final = """
    SELECT callbacks.cid, callback_url, due_at, tries
    FROM callbacks INDEXED BY callbacks_due CROSS JOIN runs
    WHERE runs.cid = callbacks.cid AND due_at IS NOT NULL ORDER BY due_at, callbacks.cid LIMIT ?
"""
KEEP_TRY: Final = f"""
    INSERT INTO callback_tries ({_TRY}) VALUES (?, ?, ?, ?, ?, ?, ?)
    {_or_replace(_TRY, "cid", "number")}
"""
SETTLE_CALLBACK: Final = """
    UPDATE callbacks SET tries = ?, status = ?, due_at = ? WHERE cid = ?
"""
CALLBACK_URL: Final = "SELECT callback_url FROM runs WHERE cid = ?"
CALLBACK: Final = "SELECT status, due_at FROM callbacks WHERE cid = ?"
TRIES: Final = f"SELECT {_TRY} FROM callback_tries WHERE cid = ? ORDER BY number"

# --- The audit trail

_AUDITED: Final = (
    "at, operation, outcome, reason, by_token, by_name, remote, request_id, cid, run_count, "
    "plan_name, task_name, schedule_id, token_id"
)
AUDIT_EVENT: Final = f"number, {_AUDITED}"

KEEP_AUDIT_EVENT: Final = f"""
    INSERT INTO audit ({_AUDITED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
KEEP_NUMBERED_EVENT: Final = f"{KEEP_AUDIT_EVENT} RETURNING number"
KEEP_AUDITED_RUN: Final = "INSERT INTO audited_runs (cid, number) VALUES (?, ?)"
OF_RUN: Final = """number IN (
    SELECT number FROM audit INDEXED BY audit_by_run WHERE cid = :cid UNION ALL
    SELECT number FROM audited_runs WHERE cid = :cid
)"""

# --- Runs, definitions and steps are read

GET: Final = f"SELECT {_WHOLE_RUN} FROM runs WHERE cid = ?"
GET_BARE: Final = f"SELECT {_BARE_RUN} FROM runs WHERE cid = ?"
GET_SEVERAL: Final = f"SELECT {_BARE_RUN} FROM runs WHERE cid IN (SELECT value FROM json_each(?))"
ACTIVE: Final = f"""
    SELECT {_BARE_RUN} FROM runs INDEXED BY runs_by_state
    WHERE state IN ('running', 'cancelling')
"""
DEFINITION: Final = "SELECT document FROM definitions WHERE digest = ?"
STEPS: Final = f"SELECT {_STEP} FROM steps WHERE cid = ?"
FINISHED_STEPS: Final = f"""
    SELECT {_STEP} FROM steps WHERE cid = ? AND status IN ('success', 'failed', 'skipped')
"""

# --- What attempts leave; the fence: they are under way (neither over, nor lost)

_UNDER_WAY: Final = "cid = ? AND attempt = ? AND state IN ('running', 'cancelling')"

PUT_STEP: Final = f"""
    INSERT INTO steps ({_STEP}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    {_or_replace(_STEP, "cid", "attempt", "step")}
"""
PUT_STATE: Final = f"""
    INSERT INTO plan_state (plan_name, key, value)
    SELECT plan_name, ?, ? FROM runs WHERE {_UNDER_WAY}
    ON CONFLICT (plan_name, key) DO UPDATE SET value = excluded.value
    RETURNING plan_name
"""
DROP_STATE: Final = f"""
    DELETE FROM plan_state WHERE key = ?
    AND plan_name = (SELECT plan_name FROM runs WHERE {_UNDER_WAY})
"""
STATE: Final = "SELECT key, value FROM plan_state WHERE plan_name = ?"
PLANS_WITH_STATE: Final = "SELECT DISTINCT plan_name FROM plan_state"

# --- The fleet

JOIN_FLEET: Final = f"""
    INSERT INTO hosts (id, place, may_lead, beat, status, plans_digest)
    VALUES (?, (SELECT COALESCE(MAX(place), 0) + 1 FROM hosts), ?, 1, ?, ?)
    {_or_replace("id, place, may_lead, beat, status, plans_digest", "id")}
"""
BEAT: Final = "UPDATE hosts SET beat = beat + 1, status = ?, plans_digest = ? WHERE id = ?"
LEAVE_FLEET: Final = "DELETE FROM hosts WHERE id = ?"
GIVE_UP: Final = "DELETE FROM hosts WHERE id = ? AND beat = ?"
FLEET: Final = "SELECT id, may_lead, beat, status, place FROM hosts"
HOST_IDS: Final = "SELECT id FROM hosts"
HOST_PLANS: Final = "SELECT id, plans_digest FROM hosts"
HOST_STATUS: Final = "SELECT status FROM hosts WHERE id = ?"
STOPPED: Final = "SELECT cancels, ends_at FROM stopped WHERE number = 1"
START: Final = "DELETE FROM stopped WHERE number = 1"
STOP: Final = "INSERT INTO stopped (number, cancels, ends_at) VALUES (1, ?, ?)"

# --- The log

OLDEST_SEQ: Final = "SELECT MIN(seq) FROM logs"

# --- Tokens: a small table, of which every row is wanted

_TOKEN: Final = "id, digest, name, scope, plans, created_at, expires_at, last_used_at, revoked_at"

TOKENS: Final = f"SELECT {_TOKEN} FROM tokens"
TOKEN: Final = f"SELECT {_TOKEN} FROM tokens WHERE id = ?"
INSERT_TOKEN: Final = f"INSERT INTO tokens ({_TOKEN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
REVOKE_TOKEN: Final = "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
TOKEN_USED: Final = "UPDATE tokens SET last_used_at = ? WHERE id = ?"
