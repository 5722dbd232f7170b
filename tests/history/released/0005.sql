INSERT INTO runs (id, dispatch, number, task, first_event, began_at, ended_at, state) VALUES
    ('001-over-aaaa.t2.a2', '001-over-aaaa', 2, 2, 3, '2026-01-02T13:00:00.000Z', '2026-01-02T13:00:00.000Z',
    'lost');
