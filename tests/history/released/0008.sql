UPDATE dispatches SET account = 'me', findings = 2 WHERE id = '001-over-aaaa';
UPDATE tasks SET forecast = '{"low": 3, "high": 9}' WHERE number = 1;
UPDATE attempts SET possible_steps = 1;
INSERT INTO replies VALUES ('2026-01-02T12:00:00.000Z', 'get_result', 400);
