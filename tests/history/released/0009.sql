UPDATE dispatches SET condensed_at = '2026-01-02T13:00:00.000Z' WHERE id = '001-over-aaaa';
INSERT INTO past_steps VALUES ('001-over-aaaa', '2026-01-02T12:00:00.000Z', 2, 1);
