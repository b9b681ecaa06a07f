-- Runs, definitions, steps, idempotency keys, logs, and the figures kept beside them.

CREATE TABLE runs (
    cid TEXT NOT NULL PRIMARY KEY,
    plan_name TEXT NOT NULL,
    task_name TEXT NOT NULL,
    definition_digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (
        'queued', 'running', 'cancelling', 'succeeded', 'failed', 'timed_out', 'cancelled'
    )),
    attempt INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    rank INTEGER NOT NULL DEFAULT 0,
    arrival TEXT NOT NULL,     -- the cid, or a text between those of the neighbours
    created_at REAL NOT NULL,
    run_at REAL,
    ready_at REAL NOT NULL,    -- when it became ready, or will
    delayed INTEGER NOT NULL,  -- 1 until it has joined those that can be claimed
    started_at REAL,           -- of this attempt; NULL while queued
    finished_at REAL,
    timeout_sec REAL,
    on_crash TEXT NOT NULL,
    labels TEXT,
    worker TEXT,
    cancel TEXT,
    error TEXT,
    inputs BLOB NOT NULL,
    sealed BLOB,  -- the inputs that hold a secret, encrypted
    result BLOB,
    limits TEXT NOT NULL DEFAULT '[]',
    parent_cid TEXT,
    depth INTEGER NOT NULL DEFAULT 0,
    origin BLOB,
    retry_of TEXT,
    callback_url TEXT,
    traceparent TEXT,
    tracestate TEXT,
    plan_digest TEXT NOT NULL DEFAULT ''  -- what the plan was when the run was accepted
);

-- The queue: dispatch order, of runs without limits and of those with.
CREATE INDEX runs_ready ON runs (priority DESC, rank, arrival)
    WHERE state = 'queued' AND delayed = 0 AND limits = '[]';
CREATE INDEX runs_limited ON runs (priority DESC, rank, arrival)
    WHERE state = 'queued' AND delayed = 0 AND limits <> '[]';
-- The first of each lane, without limits and with, and what the runs that run hold.
CREATE INDEX runs_of_plan ON runs (plan_name, plan_digest, priority DESC, rank, arrival)
    WHERE state = 'queued' AND delayed = 0 AND limits = '[]';
CREATE INDEX runs_lanes ON runs (plan_name, plan_digest, limits, priority DESC, rank, arrival)
    WHERE state = 'queued' AND delayed = 0 AND limits <> '[]';
CREATE INDEX runs_holding ON runs (started_at, cid, limits)
    WHERE state IN ('running', 'cancelling') AND limits <> '[]';
-- The next that is due, and the one that has been ready for longest.
CREATE INDEX runs_waiting ON runs (delayed, ready_at, cid) WHERE state = 'queued';
-- Lists, newest first, and what is active.
CREATE INDEX runs_by_state ON runs (state, cid);
CREATE INDEX runs_by_plan ON runs (plan_name, state, cid);
-- Children of a run, and the child of a call.
CREATE INDEX runs_by_parent ON runs (parent_cid, state, cid) WHERE parent_cid IS NOT NULL;
CREATE INDEX runs_by_retry ON runs (retry_of, state, cid) WHERE retry_of IS NOT NULL;
CREATE INDEX runs_by_call ON runs (parent_cid, origin, cid) WHERE parent_cid IS NOT NULL;
-- The latest waits.
CREATE INDEX runs_started ON runs (started_at, ready_at) WHERE started_at IS NOT NULL;

-- Frozen tasks.
CREATE TABLE definitions (
    digest TEXT NOT NULL PRIMARY KEY,
    document BLOB NOT NULL
);

CREATE TABLE steps (
    cid TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    step TEXT NOT NULL,
    status TEXT NOT NULL,
    started_at REAL,
    finished_at REAL,
    tries INTEGER NOT NULL,
    output BLOB,
    error TEXT,
    worker TEXT,
    calls BLOB,  -- JSON; of a step with a loop or with several tries
    PRIMARY KEY (cid, attempt, step)
);

-- Callbacks of runs that have ended.
CREATE TABLE callbacks (
    cid TEXT NOT NULL PRIMARY KEY,
    tries INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    due_at REAL                -- when it is tried next; NULL: never again
);

CREATE INDEX callbacks_due ON callbacks (due_at, cid) WHERE due_at IS NOT NULL;

CREATE TABLE callback_tries (
    cid TEXT NOT NULL,
    number INTEGER NOT NULL,
    started_at REAL NOT NULL,
    duration_sec REAL NOT NULL,
    status_code INTEGER,
    error TEXT,
    next_at REAL,
    PRIMARY KEY (cid, number)
);

CREATE TABLE plan_state (  -- what plans keep between their runs
    plan_name TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (plan_name, key)
);

CREATE TABLE idempotency (
    key TEXT NOT NULL PRIMARY KEY,
    body_digest TEXT NOT NULL,
    cids TEXT NOT NULL,
    memo BLOB NOT NULL,
    kept_at REAL NOT NULL
);

CREATE INDEX idempotency_by_age ON idempotency (kept_at);

CREATE TABLE logs (
    seq INTEGER PRIMARY KEY,  -- given by the writer; `counters` keeps the newest
    timestamp REAL NOT NULL,
    level INTEGER NOT NULL,   -- 10, 20, 30, 40, 50
    logger TEXT NOT NULL,
    message TEXT NOT NULL,
    cid TEXT,
    plan_name TEXT,
    task_name TEXT,
    step TEXT,
    attempt INTEGER,
    worker TEXT,
    data BLOB
);

CREATE INDEX logs_by_run ON logs (cid) WHERE cid IS NOT NULL;

-- What is kept of schedules: those of plans stand in their files, those of clients here.
CREATE TABLE schedules (
    id TEXT NOT NULL PRIMARY KEY,
    created BLOB,              -- the schedule itself, if a client has made it
    enabled INTEGER,           -- what a client wants of a plan's; NULL: as the plan says
    basis TEXT NOT NULL,       -- what the due times were computed from
    decided_at REAL NOT NULL,  -- every due time up to this one is decided
    last_run_at REAL,
    last_cid TEXT,
    outcome TEXT,
    message TEXT
);

-- Ends of runs that tasks wait for, until the runs are queued that they start.
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    cid TEXT NOT NULL,
    plan_name TEXT NOT NULL,
    task_name TEXT NOT NULL,
    status TEXT NOT NULL,
    at REAL NOT NULL,
    depth INTEGER NOT NULL
);

-- Who has asked for which change, and what came of it.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    operation TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    reason TEXT,
    by_token TEXT,
    by_name TEXT NOT NULL,
    remote TEXT,
    request_id TEXT,
    cid TEXT,                     -- the run in the address, or the only one that was changed
    run_count INTEGER NOT NULL,
    plan_name TEXT,
    task_name TEXT,
    schedule_id TEXT,
    token_id TEXT
);

CREATE INDEX audit_by_run ON audit (cid) WHERE cid IS NOT NULL;

CREATE TABLE audited_runs (  -- the other runs that were changed
    cid TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (cid, number)
) WITHOUT ROWID;

CREATE INDEX audited_runs_by_event ON audited_runs (number);

-- Who shares the database, each a server or a host of workers; none where one server has it alone.
CREATE TABLE hosts (
    id TEXT NOT NULL PRIMARY KEY,
    place INTEGER NOT NULL,    -- who joined first comes first
    may_lead INTEGER NOT NULL, -- whether it does what one of all has to do
    beat INTEGER NOT NULL,     -- grows as long as it is there
    status BLOB NOT NULL,      -- JSON; what it tells the others of its workers and plans
    plans_digest TEXT NOT NULL -- of its plans, as they stand in the status
) WITHOUT ROWID;

-- Who may come in.
CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,  -- SHA-256 of the secret, which is kept nowhere
    name TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'run', 'admin')),
    plans TEXT NOT NULL,          -- JSON; [] when it is not narrowed to plans
    created_at REAL NOT NULL,
    expires_at REAL,
    last_used_at REAL,
    revoked_at REAL
);

CREATE TABLE tickets (  -- those that are out, where several servers share the database
    digest TEXT NOT NULL PRIMARY KEY,  -- SHA-256 of the ticket
    granted BLOB NOT NULL,             -- JSON; what who shows it may do
    expires_at REAL NOT NULL
) WITHOUT ROWID;

CREATE INDEX tickets_expiring ON tickets (expires_at);

-- Figures that each transaction keeps exact, so that reading them costs the same at any length.

CREATE TABLE queue_counts (  -- queued runs
    priority INTEGER NOT NULL,
    plan_name TEXT NOT NULL,
    delayed INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (priority, plan_name, delayed)
) WITHOUT ROWID;

CREATE TABLE pauses (  -- plans of which nothing starts; '' stands for all
    plan_name TEXT NOT NULL PRIMARY KEY,
    since REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE state_counts (  -- all runs
    state TEXT NOT NULL PRIMARY KEY,
    n INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE throughput (  -- runs that were started and have ended, per 10 seconds of their end
    slot INTEGER PRIMARY KEY,
    n INTEGER NOT NULL
);

CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    n INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO counters (name, n) VALUES ('newest_log_seq', 0);

CREATE TABLE stopped (  -- a row while nothing is dispatched
    number INTEGER NOT NULL PRIMARY KEY CHECK (number = 1),
    cancels INTEGER NOT NULL,  -- 1: runs under way are cancelled at once, and killed later
    ends_at REAL               -- when later is; NULL: never
) WITHOUT ROWID;
