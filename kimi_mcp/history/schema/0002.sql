-- Revising and resuming: a dispatch that is over can be taken up again, attempt by attempt.

ALTER TABLE dispatches ADD COLUMN errand TEXT CHECK (errand IS NULL OR json_valid(errand));
-- what the newest runner was sent for; NULL: to carry the dispatch out for the first time

ALTER TABLE tasks ADD COLUMN amendments TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(amendments));
-- what reviewers changed of the spec's task since: allow_files, drop_files, verification

ALTER TABLE attempts ADD COLUMN outcome TEXT;   -- NULL: delivered, cancelled, lost or unfinished
ALTER TABLE attempts ADD COLUMN sentence TEXT;  -- what became of it
ALTER TABLE attempts ADD COLUMN feedback TEXT;  -- the reviewer's words that it began with
