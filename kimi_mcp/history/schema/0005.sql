-- What a caller waits for: one run of a dispatch, from a launch, a resume or a revision to its end.

CREATE TABLE runs (
    id          TEXT PRIMARY KEY,  -- the dispatch's, or with .r<k> (resumed) or .t<n>.a<k> (revised)
    dispatch    TEXT NOT NULL REFERENCES dispatches (id),
    number      INTEGER NOT NULL,  -- from 1 within its dispatch
    task        INTEGER,           -- the one that is revised; NULL: whatever the dispatch has to do
    first_event INTEGER NOT NULL,  -- the number that its first event has, or would have
    began_at    TEXT NOT NULL CHECK (began_at GLOB '????-??-??T??:??:??.???Z'),
    ended_at    TEXT CHECK (ended_at GLOB '????-??-??T??:??:??.???Z'),
    state       TEXT CHECK (state IN ('finished', 'cancelled', 'lost')),  -- the dispatch's, then
    UNIQUE (dispatch, number),
    CHECK ((ended_at IS NULL) = (state IS NULL))
) STRICT;

-- of dispatches that this version did not see begin, only the newest run is known
INSERT INTO runs (id, dispatch, number, task, first_event, began_at, ended_at, state)
SELECT id, id, 1, NULL, 1, created_at, ended_at, iif(ended_at IS NULL, NULL, state)
FROM dispatches;

CREATE TRIGGER a_dispatch_begins_with_a_run AFTER INSERT ON dispatches BEGIN
    INSERT INTO runs (id, dispatch, number, first_event, began_at)
    VALUES (NEW.id, NEW.id, 1, 1, NEW.created_at);
END;

CREATE TRIGGER a_run_ends_with_its_dispatch AFTER UPDATE OF ended_at ON dispatches
WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL BEGIN
    UPDATE runs SET ended_at = NEW.ended_at, state = NEW.state
    WHERE dispatch = NEW.id AND ended_at IS NULL;
END;

CREATE TRIGGER a_run_that_is_over_never_changes BEFORE UPDATE ON runs
WHEN OLD.ended_at IS NOT NULL BEGIN
    SELECT raise(ABORT, 'a run that is over never changes');
END;
