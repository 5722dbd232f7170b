-- What is so now: dispatches and tasks. What happened: attempts, checks, changes, events.
--
-- The lists of states and outcomes repeat kimi_mcp/lifecycle.py; a test compares the two.
-- A point in time is text like 2026-01-02T03:04:05.678Z: fixed width, so that text order is time order.

CREATE TABLE dispatches (
    number              INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of arrival, for paging
    id                  TEXT NOT NULL UNIQUE,
    repository          TEXT NOT NULL,  -- absolute path of the work tree's root
    git_dir             TEXT NOT NULL,
    spec_number         INTEGER NOT NULL,
    spec_path           TEXT NOT NULL,
    spec_title          TEXT NOT NULL,
    spec_text           TEXT NOT NULL,  -- as dispatched; a resume uses this, not the file
    spec_hash           TEXT NOT NULL,
    base_commit         TEXT NOT NULL,
    base_branch         TEXT,           -- NULL: HEAD was detached
    profile             TEXT NOT NULL,
    orders              TEXT NOT NULL CHECK (json_valid(orders)),  -- the limits the runner works by
    session             TEXT,           -- Claude's, not Kimi's
    state               TEXT NOT NULL DEFAULT 'queued' CHECK (state IN (
        'queued',       -- -> running, cancelled, lost
        'running',      -- -> finished, cancelled, lost
        'finished', 'cancelled', 'lost')),
    created_at          TEXT NOT NULL CHECK (created_at GLOB '????-??-??T??:??:??.???Z'),
    started_at          TEXT CHECK (started_at GLOB '????-??-??T??:??:??.???Z'),
    ended_at            TEXT CHECK (ended_at GLOB '????-??-??T??:??:??.???Z'),
    cancel_requested_at TEXT CHECK (cancel_requested_at GLOB '????-??-??T??:??:??.???Z'),
    cancel_reason       TEXT,
    runner_pid          INTEGER,        -- for people; never signalled
    merged_commit       TEXT,
    note                TEXT,
    CHECK ((ended_at IS NULL) = (state IN ('queued', 'running'))),
    CHECK (state <> 'running' OR (started_at IS NOT NULL AND runner_pid IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX one_live_dispatch_of_a_spec ON dispatches (repository, spec_hash)
    WHERE state IN ('queued', 'running');
CREATE INDEX dispatches_of_a_repository ON dispatches (repository, number);
CREATE INDEX dispatches_of_a_session ON dispatches (session, number);

CREATE TABLE tasks (
    dispatch            TEXT NOT NULL REFERENCES dispatches (id),
    number              INTEGER NOT NULL CHECK (number > 0),
    title               TEXT NOT NULL,
    depends_on          TEXT NOT NULL CHECK (json_valid(depends_on)),
    state               TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN (
        'waiting',      -- -> running, failed, cancelled, lost, skipped
        'running',      -- -> checking, failed, cancelled, lost
        'checking',     -- -> delivered, failed, cancelled, lost
        'delivered', 'failed', 'cancelled', 'lost', 'skipped')),
    outcome             TEXT CHECK (outcome IN (
        'checks_failed', 'out_of_scope', 'no_change', 'blocked', 'step_limit', 'timed_out',
        'stalled', 'quota_exhausted', 'rate_limited', 'not_logged_in', 'model_refused',
        'provider_error', 'context_overflow', 'kimi_unusable', 'config_invalid', 'setup_failed',
        'merge_conflict', 'crashed')),
    sentence            TEXT,
    is_checked          INTEGER NOT NULL DEFAULT 0 CHECK (is_checked IN (0, 1)),
    branch              TEXT,
    commit_id           TEXT,
    started_at          TEXT CHECK (started_at GLOB '????-??-??T??:??:??.???Z'),
    ended_at            TEXT CHECK (ended_at GLOB '????-??-??T??:??:??.???Z'),
    cancel_requested_at TEXT CHECK (cancel_requested_at GLOB '????-??-??T??:??:??.???Z'),
    PRIMARY KEY (dispatch, number),
    CHECK ((ended_at IS NULL) = (state IN ('waiting', 'running', 'checking'))),
    CHECK ((outcome IS NOT NULL) = (state = 'failed')),
    CHECK (state <> 'delivered' OR (branch IS NOT NULL AND commit_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    dispatch      TEXT NOT NULL,
    task          INTEGER NOT NULL,
    attempt       INTEGER NOT NULL CHECK (attempt > 0),
    session_id    TEXT,               -- Kimi's
    base_commit   TEXT NOT NULL,
    commit_id     TEXT,
    ref           TEXT,
    steps         INTEGER NOT NULL DEFAULT 0 CHECK (steps >= 0),
    input_tokens  INTEGER NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),
    cached_tokens INTEGER NOT NULL DEFAULT 0 CHECK (cached_tokens >= 0),
    output_tokens INTEGER NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
    started_at    TEXT NOT NULL CHECK (started_at GLOB '????-??-??T??:??:??.???Z'),
    ended_at      TEXT CHECK (ended_at GLOB '????-??-??T??:??:??.???Z'),
    closing_words TEXT,               -- Kimi's own
    quote         TEXT,               -- the provider's or the CLI's own words
    PRIMARY KEY (dispatch, task, attempt),
    FOREIGN KEY (dispatch, task) REFERENCES tasks (dispatch, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX one_unfinished_attempt_of_a_task ON attempts (dispatch, task)
    WHERE ended_at IS NULL;
CREATE INDEX attempts_by_start ON attempts (started_at, steps);

CREATE TABLE checks (
    dispatch     TEXT NOT NULL,
    task         INTEGER NOT NULL,
    attempt      INTEGER NOT NULL,
    position     INTEGER NOT NULL CHECK (position > 0),
    command      TEXT NOT NULL,
    directory    TEXT,                -- NULL: the repository's root
    exit_code    INTEGER,             -- NULL: it did not end by itself
    is_timed_out INTEGER NOT NULL CHECK (is_timed_out IN (0, 1)),
    duration_ms  INTEGER NOT NULL CHECK (duration_ms >= 0),
    output_tail  TEXT NOT NULL,
    PRIMARY KEY (dispatch, task, attempt, position),
    FOREIGN KEY (dispatch, task, attempt) REFERENCES attempts (dispatch, task, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
    dispatch     TEXT NOT NULL,
    task         INTEGER NOT NULL,
    attempt      INTEGER NOT NULL,
    path         TEXT NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('A', 'M', 'D', 'T')),
    added        INTEGER,             -- NULL: binary
    deleted      INTEGER,
    stray_reason TEXT,                -- NULL: the spec allows it
    PRIMARY KEY (dispatch, task, attempt, path),
    FOREIGN KEY (dispatch, task, attempt) REFERENCES attempts (dispatch, task, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    dispatch TEXT NOT NULL REFERENCES dispatches (id),
    number   INTEGER NOT NULL CHECK (number > 0),  -- 1, 2, 3 … within the dispatch
    task     INTEGER,
    attempt  INTEGER,
    at       TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.???Z'),
    kind     TEXT NOT NULL,
    payload  TEXT NOT NULL CHECK (json_valid(payload)),
    PRIMARY KEY (dispatch, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN
    SELECT raise(ABORT, 'events are append only');
END;

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN
    SELECT raise(ABORT, 'events are append only');
END;
