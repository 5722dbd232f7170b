-- What became of a dispatch's work after its review. The ids of commits stay when their refs go.

CREATE TABLE landings (
    dispatch TEXT NOT NULL REFERENCES dispatches (id),
    number   INTEGER NOT NULL CHECK (number > 0),  -- 1, 2, 3 … within the dispatch
    how      TEXT NOT NULL CHECK (how IN ('apply', 'squash', 'merge', 'pull_request', 'discard')),
    tasks    TEXT NOT NULL CHECK (json_valid(tasks)),  -- their numbers
    is_whole INTEGER NOT NULL CHECK (is_whole IN (0, 1)),  -- all that the dispatch had delivered
    head     TEXT,   -- the commit that was landed; NULL: discarded
    target   TEXT,   -- the branch; NULL: the files of the checkout, or nothing
    result   TEXT,   -- the commit that it became there; NULL: none
    url      TEXT,   -- of the pull request, or where to open one
    at       TEXT NOT NULL CHECK (at GLOB '????-??-??T??:??:??.???Z'),
    PRIMARY KEY (dispatch, number)
) STRICT, WITHOUT ROWID;

ALTER TABLE dispatches ADD COLUMN snapshot_of TEXT;
-- the commit upon which base_commit holds the user's uncommitted files; NULL: it holds none
