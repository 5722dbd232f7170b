INSERT INTO dispatches (id, repository, git_dir, spec_number, spec_path, spec_title, spec_text, spec_hash,
    base_commit, base_branch, profile, orders, session, state, created_at, started_at, ended_at, runner_pid,
    merged_commit, note) VALUES ('001-over-aaaa', '/repo', '/repo/.git', 1, 'specs/001-over.md', 'Over', '#
    Spec: 001 -- Over', 'h1', 'b', 'main', 'moderato', '{"steps": 100}', 's-1', 'finished',
    '2026-01-02T12:00:00.000Z', '2026-01-02T12:00:00.000Z', '2026-01-02T13:00:00.000Z', 7, 'm', NULL);
INSERT INTO dispatches (id, repository, git_dir, spec_number, spec_path, spec_title, spec_text, spec_hash,
    base_commit, base_branch, profile, orders, session, state, created_at, started_at, ended_at, runner_pid,
    merged_commit, note) VALUES ('002-live-bbbb', '/repo', '/repo/.git', 2, 'specs/002-live.md', 'Live', '#
    Spec: 002 -- Live', 'h2', 'b', NULL, 'swarm', '{}', NULL, 'running', '2026-01-02T12:00:00.000Z',
    '2026-01-02T12:00:00.000Z', NULL, 8, NULL, 'café');
INSERT INTO tasks (dispatch, number, title, depends_on, state, outcome, sentence, is_checked, branch,
    commit_id, started_at, ended_at) VALUES ('001-over-aaaa', 1, 'One', '[]', 'delivered', NULL, 'Good.', 1,
    'kimi/001-over-aaaa/task-1', 'c1', '2026-01-02T12:00:00.000Z', '2026-01-02T13:00:00.000Z');
INSERT INTO tasks (dispatch, number, title, depends_on, state, outcome, sentence, is_checked, branch,
    commit_id, started_at, ended_at) VALUES ('001-over-aaaa', 2, 'Two', '[1]', 'failed', 'no_change',
    'Nothing.', 0, NULL, NULL, '2026-01-02T12:00:00.000Z', '2026-01-02T13:00:00.000Z');
INSERT INTO tasks (dispatch, number, title, depends_on, state, outcome, sentence, is_checked, branch,
    commit_id, started_at, ended_at) VALUES ('002-live-bbbb', 1, 'One', '[]', 'running', NULL, NULL, 0, NULL,
    NULL, '2026-01-02T12:00:00.000Z', NULL);
INSERT INTO attempts (dispatch, task, attempt, session_id, base_commit, commit_id, ref, steps, input_tokens,
    cached_tokens, output_tokens, started_at, ended_at, closing_words, quote) VALUES ('001-over-aaaa', 1, 1,
    'k-1', 'b', 'c1', 'refs/kimi/x', 3, 10, 5, 2, '2026-01-02T12:00:00.000Z', '2026-01-02T13:00:00.000Z',
    'done', NULL);
INSERT INTO checks (dispatch, task, attempt, position, command, directory, exit_code, is_timed_out,
    duration_ms, output_tail) VALUES ('001-over-aaaa', 1, 1, 1, 'pytest', NULL, 0, 0, 900, '1 passed');
INSERT INTO changes (dispatch, task, attempt, path, status, added, deleted, stray_reason) VALUES
    ('001-over-aaaa', 1, 1, 'a.py', 'M', 1, NULL, NULL);
INSERT INTO events (dispatch, number, task, attempt, at, kind, payload) VALUES ('001-over-aaaa', 1, 1, 1,
    '2026-01-02T12:00:00.000Z', 'task.step', '{"number": 1, "tool": "", "target": ""}');
INSERT INTO events (dispatch, number, task, attempt, at, kind, payload) VALUES ('001-over-aaaa', 2, 1, 1,
    '2026-01-02T13:00:00.000Z', 'task.ended', '{}');
