-- The quota: whose allowance a dispatch spends, what was expected of it, and what it came to.

ALTER TABLE dispatches ADD COLUMN account TEXT;      -- a fingerprint, never a name; NULL: not known
ALTER TABLE dispatches ADD COLUMN findings INTEGER;  -- of the spec's lint; NULL: not counted then
ALTER TABLE tasks ADD COLUMN forecast TEXT CHECK (forecast IS NULL OR json_valid(forecast));
-- what the task is like, and how many steps it was expected to take
ALTER TABLE attempts ADD COLUMN possible_steps INTEGER NOT NULL DEFAULT 0
    CHECK (possible_steps >= 0);  -- beyond its steps: of agents that were killed while they asked

CREATE INDEX steps_in_time ON events (at)
    WHERE kind = 'task.step' AND json_extract(payload, '$.tool') = '';
CREATE INDEX charges_in_time ON events (at) WHERE kind = 'task.charged';
CREATE INDEX quota_stops ON attempts (ended_at) WHERE outcome = 'quota_exhausted';

CREATE TABLE replies (
    at       TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.???Z'),
    tool     TEXT NOT NULL,
    chars    INTEGER NOT NULL CHECK (chars >= 0)
) STRICT;
CREATE INDEX replies_in_time ON replies (at);
