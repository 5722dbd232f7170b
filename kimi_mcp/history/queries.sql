-- Every statement that the history runs. A block is a name, a sentence and one statement.
-- Values are bound by name; a NULL filter means "any", a NULL fact means "as it was".

-- name: insert_dispatch
-- Write a dispatch down, queued.
INSERT INTO dispatches (id, repository, git_dir, spec_number, spec_path, spec_title, spec_text,
                        spec_hash, base_commit, base_branch, profile, orders, session, created_at)
VALUES (:id, :repository, :git_dir, :spec_number, :spec_path, :spec_title, :spec_text,
        :spec_hash, :base_commit, :base_branch, :profile, :orders, :session, :at);

-- name: insert_task
-- Write a task of a new dispatch down, waiting.
INSERT INTO tasks (dispatch, number, title, depends_on)
VALUES (:dispatch, :number, :title, :depends_on);

-- name: claim_dispatch
-- Take a queued dispatch for this runner.
UPDATE dispatches SET state = 'running', started_at = :at, runner_pid = :runner_pid
WHERE id = :dispatch AND state = 'queued';

-- name: move_dispatch
-- Compare and set a dispatch's state.
UPDATE dispatches
SET state = :target,
    ended_at = iif(:is_terminal, :at, NULL),
    merged_commit = coalesce(:merged_commit, merged_commit),
    note = coalesce(:note, note)
WHERE id = :dispatch AND state = :source;

-- name: move_task
-- Compare and set a task's state, with the verdict that goes with it.
UPDATE tasks
SET state = :target,
    outcome = :outcome,
    sentence = :sentence,
    is_checked = :is_checked,
    started_at = iif(:is_start, :at, started_at),
    ended_at = iif(:is_terminal, :at, NULL),
    branch = coalesce(:branch, branch),
    commit_id = coalesce(:commit_id, commit_id)
WHERE dispatch = :dispatch AND number = :number AND state = :source;

-- name: lose_tasks
-- The runner died: its live tasks are lost.
UPDATE tasks SET state = 'lost', ended_at = :at, sentence = :note
WHERE dispatch = :dispatch AND state IN ('waiting', 'running', 'checking');

-- name: end_attempts
-- The runner died: its unfinished attempts are over.
UPDATE attempts SET ended_at = :at WHERE dispatch = :dispatch AND ended_at IS NULL;

-- name: request_cancel
-- Record the wish to end a live dispatch; the first wish stays.
UPDATE dispatches
SET cancel_requested_at = coalesce(cancel_requested_at, :at),
    cancel_reason = coalesce(cancel_reason, :reason)
WHERE id = :dispatch AND state IN ('queued', 'running');

-- name: request_task_cancel
-- Record the wish to end one live task; the first wish stays.
UPDATE tasks SET cancel_requested_at = coalesce(cancel_requested_at, :at)
WHERE dispatch = :dispatch AND number = :number AND state IN ('waiting', 'running', 'checking');

-- name: reopen_dispatch
-- Queue a dispatch that is over again, for the errand given.
UPDATE dispatches
SET state = 'queued', errand = :errand, ended_at = NULL, note = NULL,
    cancel_requested_at = NULL, cancel_reason = NULL
WHERE id = :dispatch AND state IN ('finished', 'cancelled', 'lost');

-- name: reopen_task
-- Let a task that is over wait again; its branch stays where it is.
UPDATE tasks
SET state = 'waiting', outcome = NULL, sentence = NULL, ended_at = NULL, cancel_requested_at = NULL
WHERE dispatch = :dispatch AND number = :number
  AND state NOT IN ('waiting', 'running', 'checking');

-- name: amend_task
-- Record what a reviewer changed of the spec's task.
UPDATE tasks SET amendments = :amendments WHERE dispatch = :dispatch AND number = :number;

-- name: note_task
-- Say something about a task that is over.
UPDATE tasks SET sentence = :sentence WHERE dispatch = :dispatch AND number = :number;

-- name: keep_lost_attempt
-- Name the commit that an attempt's work became after its runner had died.
UPDATE attempts SET commit_id = :commit_id, ref = :ref
WHERE dispatch = :dispatch AND task = :task AND attempt = :attempt AND commit_id IS NULL;

-- name: insert_attempt
-- Begin the next attempt of a task.
INSERT INTO attempts (dispatch, task, attempt, base_commit, started_at, feedback)
SELECT :dispatch, :task, coalesce(max(attempt), 0) + 1, :base_commit, :at, :feedback
FROM attempts WHERE dispatch = :dispatch AND task = :task
RETURNING attempt;

-- name: update_attempt
-- Add what is known of an unfinished attempt by now.
UPDATE attempts
SET session_id = coalesce(:session_id, session_id),
    commit_id = coalesce(:commit_id, commit_id),
    ref = coalesce(:ref, ref),
    steps = coalesce(:steps, steps),
    input_tokens = coalesce(:input_tokens, input_tokens),
    cached_tokens = coalesce(:cached_tokens, cached_tokens),
    output_tokens = coalesce(:output_tokens, output_tokens),
    closing_words = coalesce(:closing_words, closing_words),
    quote = coalesce(:quote, quote),
    outcome = coalesce(:outcome, outcome),
    sentence = coalesce(:sentence, sentence),
    ended_at = :ended_at
WHERE dispatch = :dispatch AND task = :task AND attempt = :attempt AND ended_at IS NULL;

-- name: insert_check
-- Record a command that was run on an attempt's commit.
INSERT INTO checks (dispatch, task, attempt, position, command, directory, exit_code,
                    is_timed_out, duration_ms, output_tail)
VALUES (:dispatch, :task, :attempt, :position, :command, :directory, :exit_code,
        :is_timed_out, :duration_ms, :output_tail);

-- name: insert_change
-- Record a file that an attempt changed.
INSERT INTO changes (dispatch, task, attempt, path, status, added, deleted, stray_reason)
VALUES (:dispatch, :task, :attempt, :path, :status, :added, :deleted, :stray_reason);

-- name: append_event
-- Append an event under the dispatch's next number.
INSERT INTO events (dispatch, number, task, attempt, at, kind, payload)
SELECT :dispatch, coalesce(max(number), 0) + 1, :task, :attempt, :at, :kind, :payload
FROM events WHERE dispatch = :dispatch
RETURNING number;

-- name: dispatch
-- One dispatch.
SELECT * FROM dispatches WHERE id = :dispatch;

-- name: spec_text
-- The spec of a dispatch, as it was dispatched.
SELECT spec_text FROM dispatches WHERE id = :dispatch;

-- name: recent_dispatches
-- Dispatches from the newest to the oldest, page by page.
SELECT * FROM dispatches
WHERE (:repository IS NULL OR repository = :repository)
  AND (:session IS NULL OR session = :session)
  AND (:before IS NULL OR number < (SELECT number FROM dispatches WHERE id = :before))
ORDER BY number DESC LIMIT :limit;

-- name: live_dispatches
-- Dispatches that are queued or running, from the oldest.
SELECT * FROM dispatches
WHERE state IN ('queued', 'running') AND (:repository IS NULL OR repository = :repository)
ORDER BY number;

-- name: live_dispatch_of_spec
-- The live dispatch of this very spec text in this repository.
SELECT id FROM dispatches
WHERE repository = :repository AND spec_hash = :spec_hash AND state IN ('queued', 'running');

-- name: latest_of_spec
-- The newest dispatch of a spec, known by its path, its text's hash, or both.
SELECT * FROM dispatches
WHERE repository = :repository
  AND (:spec_path IS NULL OR spec_path = :spec_path)
  AND (:spec_hash IS NULL OR spec_hash = :spec_hash)
ORDER BY number DESC LIMIT 1;

-- name: ids_like
-- Ids that contain a word, from the newest.
SELECT id FROM dispatches WHERE instr(id, :word) ORDER BY number DESC LIMIT :limit;

-- name: tasks
-- The tasks of a dispatch, with what their attempts add up to.
SELECT tasks.*,
       (SELECT count(*) FROM attempts AS a
        WHERE a.dispatch = tasks.dispatch AND a.task = tasks.number) AS attempts,
       (SELECT coalesce(sum(a.steps), 0) FROM attempts AS a
        WHERE a.dispatch = tasks.dispatch AND a.task = tasks.number) AS steps
FROM tasks
WHERE dispatch = :dispatch AND (:number IS NULL OR number = :number)
ORDER BY number;

-- name: attempts
-- The attempts of a task, from the first.
SELECT * FROM attempts WHERE dispatch = :dispatch AND task = :task ORDER BY attempt;

-- name: checks
-- The commands that were run on an attempt's commit, in order.
SELECT * FROM checks
WHERE dispatch = :dispatch AND task = :task AND attempt = :attempt ORDER BY position;

-- name: changes
-- The files that an attempt changed.
SELECT * FROM changes
WHERE dispatch = :dispatch AND task = :task AND attempt = :attempt ORDER BY path;

-- name: events
-- Events after a number, in order.
SELECT * FROM events
WHERE dispatch = :dispatch AND number > :after AND (:task IS NULL OR task = :task)
ORDER BY number LIMIT :limit;

-- name: cancelled_tasks
-- The numbers of the live tasks that somebody wants to end.
SELECT number FROM tasks
WHERE dispatch = :dispatch AND cancel_requested_at IS NOT NULL
  AND state IN ('waiting', 'running', 'checking');
