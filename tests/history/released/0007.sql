INSERT INTO landings VALUES ('001-over-aaaa', 1, 'squash', '[1]', 1, 'm', 'main', 'r', NULL,
    '2026-01-02T13:00:00.000Z');
UPDATE dispatches SET snapshot_of = 's' WHERE id = '001-over-aaaa';
