-- What stood around a worker: said in every result where it was not the whole fence.

ALTER TABLE attempts ADD COLUMN fence_gaps TEXT;  -- NULL or empty: none known
