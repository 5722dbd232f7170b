-- Checks that can be believed: what a passed check does not prove, and what was done to the tests.

ALTER TABLE checks ADD COLUMN fault TEXT;    -- why it counts as failed, whatever its exit code
ALTER TABLE checks ADD COLUMN again TEXT CHECK (again IN ('passed', 'failed'));
-- how it ended when it was run once more on the same commit; NULL: it was not
ALTER TABLE checks ADD COLUMN on_base TEXT CHECK (on_base IN ('passed', 'failed'));
-- how it ends on the commit that the task began from; NULL: not known

ALTER TABLE changes ADD COLUMN nature TEXT;  -- what it is, when it is no plain text: binary, a link …

CREATE TABLE findings (
    dispatch TEXT NOT NULL,
    task     INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    position INTEGER NOT NULL CHECK (position > 0),
    kind     TEXT NOT NULL CHECK (kind IN (
        'weakened',           -- what the checks rest on proves less than it did on the base
        'expectation',        -- a test that was there expects something else
        'secret')),           -- a key or a password was written into a file
    path     TEXT NOT NULL,
    line     INTEGER,         -- of the file as it is now; NULL: the file as a whole
    text     TEXT NOT NULL,
    PRIMARY KEY (dispatch, task, attempt, position),
    FOREIGN KEY (dispatch, task, attempt) REFERENCES attempts (dispatch, task, attempt)
) STRICT, WITHOUT ROWID;
