-- Moments are milliseconds since 1970.

CREATE TABLE inbox_events (
    seq int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    occurred_at int8 NOT NULL,
    taken_at int8 NOT NULL,
    object text,
    -- 0: webhook, 1: poll
    via int2 NOT NULL,
    -- Last, so that whoever looks at the others need not read past it.
    body text NOT NULL
);
CREATE UNIQUE INDEX inbox_events_id ON inbox_events (source, id);
CREATE INDEX inbox_events_occurred ON inbox_events (source, occurred_at);
CREATE INDEX inbox_events_taken ON inbox_events (taken_at);

CREATE TABLE inbox_runs (
    seq int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL,
    event int8 NOT NULL REFERENCES inbox_events (seq),
    source text NOT NULL,
    trigger text NOT NULL,
    replay int4 NOT NULL,
    -- Runs of one lane are done one after the other, in the order of `occurred_at`. A hash of source, trigger and object.
    lane int8,
    occurred_at int8 NOT NULL,
    -- 0: waiting, 1: running, 2: done, 3: dead
    state int2 NOT NULL,
    -- When it may be claimed; of a running one: when its claim ends.
    due int8 NOT NULL,
    -- How far `due` was ahead when it was written: one that is further ahead now was written by a clock that was set back since.
    span int8 NOT NULL,
    -- True: `due` was put off because an earlier run of its lane is not over; the end of that one makes it due.
    held bool NOT NULL,
    attempt int4 NOT NULL,
    -- Counts claims and never goes back: a claim with an older one settles nothing.
    fence int8 NOT NULL,
    worker text,
    reason text,
    settled_at int8
);
CREATE UNIQUE INDEX inbox_runs_key ON inbox_runs (key);
CREATE INDEX inbox_runs_event ON inbox_runs (event, source);
CREATE INDEX inbox_runs_due ON inbox_runs (due, state, event, source) WHERE state < 2;
CREATE INDEX inbox_runs_lane ON inbox_runs (lane, occurred_at) WHERE state < 2 AND lane IS NOT NULL;
CREATE INDEX inbox_runs_busy ON inbox_runs (lane) WHERE state = 1 AND lane IS NOT NULL;
CREATE INDEX inbox_runs_dead ON inbox_runs (event, source) WHERE state = 3;

CREATE TABLE inbox_positions (
    source text PRIMARY KEY,
    cursor text NOT NULL,
    at int8 NOT NULL
);
