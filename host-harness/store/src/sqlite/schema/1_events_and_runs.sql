-- Moments are milliseconds since 1970.

CREATE TABLE inbox_events (
    seq INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    taken_at INTEGER NOT NULL,
    object TEXT,
    -- 0: webhook, 1: poll
    via INTEGER NOT NULL,
    -- Last, so that whoever looks at the others need not read past it.
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX inbox_events_id ON inbox_events (source, id);
CREATE INDEX inbox_events_occurred ON inbox_events (source, occurred_at);
CREATE INDEX inbox_events_taken ON inbox_events (taken_at);

CREATE TABLE inbox_runs (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    event INTEGER NOT NULL REFERENCES inbox_events (seq),
    source TEXT NOT NULL,
    trigger TEXT NOT NULL,
    replay INTEGER NOT NULL,
    -- Runs of one lane are done one after the other, in the order of `occurred_at`. A hash of source, trigger and object.
    lane INTEGER,
    occurred_at INTEGER NOT NULL,
    -- 0: waiting, 1: running, 2: done, 3: dead
    state INTEGER NOT NULL,
    -- When it may be claimed; of a running one: when its claim ends.
    due INTEGER NOT NULL,
    -- How far `due` was ahead when it was written: one that is further ahead now was written by a clock that was set back since.
    span INTEGER NOT NULL,
    -- 1: `due` was put off because an earlier run of its lane is not over; the end of that one makes it due.
    held INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    -- Counts claims and never goes back: a claim with an older one settles nothing.
    fence INTEGER NOT NULL,
    worker TEXT,
    reason TEXT,
    settled_at INTEGER
) STRICT;
CREATE UNIQUE INDEX inbox_runs_key ON inbox_runs (key);
CREATE INDEX inbox_runs_event ON inbox_runs (event, source);
CREATE INDEX inbox_runs_due ON inbox_runs (due, state, event, source) WHERE state < 2;
CREATE INDEX inbox_runs_lane ON inbox_runs (lane, occurred_at) WHERE state < 2 AND lane IS NOT NULL;
CREATE INDEX inbox_runs_busy ON inbox_runs (lane) WHERE state = 1 AND lane IS NOT NULL;
CREATE INDEX inbox_runs_dead ON inbox_runs (event, source) WHERE state = 3;

CREATE TABLE inbox_positions (
    source TEXT PRIMARY KEY,
    cursor TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
