-- Retention: a dispatch that has been over for long keeps its record, and gives its steps away.

ALTER TABLE dispatches ADD COLUMN condensed_at TEXT
    CHECK (condensed_at GLOB '????-??-??T??:??:??.???Z');  -- NULL: all its events are there

CREATE INDEX whole_dispatches ON dispatches (ended_at) WHERE condensed_at IS NULL;

-- what the events that are gone had spent, each at its moment: the quota's ledger stays exact
CREATE TABLE past_steps (
    dispatch TEXT NOT NULL REFERENCES dispatches (id),
    at       TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.???Z'),
    steps    INTEGER NOT NULL CHECK (steps >= 0),
    possible INTEGER NOT NULL CHECK (possible >= 0)
) STRICT;
CREATE INDEX past_steps_in_time ON past_steps (at);

DROP TRIGGER events_are_never_deleted;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
WHEN (SELECT condensed_at FROM dispatches WHERE id = OLD.dispatch) IS NULL BEGIN
    SELECT raise(ABORT, 'events are append only');
END;
