-- What is asked often is answered from an index, however long the history is.

CREATE INDEX live_dispatches ON dispatches (number) WHERE state IN ('queued', 'running');
CREATE INDEX ids_in_order ON dispatches (number, id);
CREATE INDEX dispatches_of_an_account ON dispatches (account, number);
CREATE INDEX who_pays ON dispatches (id, account);
CREATE INDEX good_attempts ON attempts (ended_at)
    WHERE outcome IS NULL AND commit_id IS NOT NULL AND steps > 0 AND ended_at IS NOT NULL;
