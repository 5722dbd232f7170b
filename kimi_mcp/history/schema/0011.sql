-- More than one machine: where an attempt is carried out, and how much of what it told is stored.

ALTER TABLE attempts ADD COLUMN node TEXT;  -- NULL: on this machine
ALTER TABLE attempts ADD COLUMN taken INTEGER NOT NULL DEFAULT 0 CHECK (taken >= 0);
-- the number of the last event that was taken over from its node
