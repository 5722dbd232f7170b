-- Every statement that the history runs. A block is a name, a sentence and one statement.
-- Values are bound by name; a NULL filter means "any", a NULL fact means "as it was".

-- name: insert_dispatch
-- Write a dispatch down, queued.
INSERT INTO dispatches (id, repository, git_dir, spec_number, spec_path, spec_title, spec_text,
                        spec_hash, base_commit, base_branch, snapshot_of, profile, orders, session, account, findings,
                        created_at)
VALUES (:id, :repository, :git_dir, :spec_number, :spec_path, :spec_title, :spec_text,
        :spec_hash, :base_commit, :base_branch, :snapshot_of, :profile, :orders, :session,
        :account, :findings, :at);

-- name: insert_task
-- Write a task of a new dispatch down, waiting.
INSERT INTO tasks (dispatch, number, title, depends_on, forecast)
VALUES (:dispatch, :number, :title, :depends_on, :forecast);

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

-- name: unfinished_attempts
-- The attempts of a dispatch that have ended with its runner; those on other machines go on.
SELECT task, attempt FROM attempts
WHERE dispatch = :dispatch AND ended_at IS NULL AND node IS NULL ORDER BY task;

-- name: end_attempts
-- The runner died: its unfinished attempts are over, but for those on other machines.
UPDATE attempts SET ended_at = :at
WHERE dispatch = :dispatch AND ended_at IS NULL AND node IS NULL;

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
SET state = 'queued', errand = :errand, ended_at = NULL, note = NULL, condensed_at = NULL,
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
    fence_gaps = coalesce(:fence_gaps, fence_gaps),
    node = coalesce(:node, node),
    ended_at = :ended_at
WHERE dispatch = :dispatch AND task = :task AND attempt = :attempt AND ended_at IS NULL;

-- name: take_over
-- Remember up to which event an attempt's node has been heard.
UPDATE attempts SET taken = :taken
WHERE dispatch = :dispatch AND task = :task AND attempt = :attempt;

-- name: charge_attempt
-- Add steps of which no step's event tells to an attempt.
UPDATE attempts SET steps = steps + :steps, possible_steps = possible_steps + :possible
WHERE dispatch = :dispatch AND task = :task AND attempt = :attempt;

-- name: insert_check
-- Record a command that was run on an attempt's commit.
INSERT INTO checks (dispatch, task, attempt, position, command, directory, exit_code,
                    is_timed_out, duration_ms, output_tail, fault, again, on_base)
VALUES (:dispatch, :task, :attempt, :position, :command, :directory, :exit_code,
        :is_timed_out, :duration_ms, :output_tail, :fault, :again, :on_base);

-- name: insert_change
-- Record a file that an attempt changed.
INSERT INTO changes (dispatch, task, attempt, path, status, added, deleted, stray_reason, nature)
VALUES (:dispatch, :task, :attempt, :path, :status, :added, :deleted, :stray_reason, :nature);

-- name: insert_finding
-- Record something in an attempt's commit that a reviewer must know.
INSERT INTO findings (dispatch, task, attempt, position, kind, path, line, text)
SELECT :dispatch, :task, :attempt, coalesce(max(position), 0) + 1, :kind, :path, :line, :text
FROM findings WHERE dispatch = :dispatch AND task = :task AND attempt = :attempt;

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
WHERE number < coalesce((SELECT number FROM dispatches WHERE id = :before), 9223372036854775807)
ORDER BY number DESC LIMIT :limit;

-- name: recent_of_repository
-- The same of one repository.
SELECT * FROM dispatches
WHERE repository = :repository
  AND number < coalesce((SELECT number FROM dispatches WHERE id = :before), 9223372036854775807)
ORDER BY number DESC LIMIT :limit;

-- name: latest_of_session
-- The newest dispatch of one of Claude's sessions.
SELECT * FROM dispatches WHERE session = :session ORDER BY number DESC LIMIT 1;

-- name: overview
-- A page of dispatches that fit, from the newest to the oldest, with what came of their tasks.
SELECT d.id, d.state, d.repository, d.spec_title, d.created_at, d.started_at, d.ended_at,
       (SELECT count(*) FROM tasks AS t WHERE t.dispatch = d.id) AS tasks,
       (SELECT count(*) FROM tasks AS t
        WHERE t.dispatch = d.id AND t.state = 'delivered') AS delivered,
       (SELECT count(*) FROM tasks AS t
        WHERE t.dispatch = d.id AND t.state = 'delivered' AND NOT t.is_checked) AS unchecked,
       (SELECT coalesce(sum(a.steps), 0) FROM attempts AS a WHERE a.dispatch = d.id) AS steps
FROM dispatches AS d
WHERE d.number < coalesce((SELECT number FROM dispatches WHERE id = :before), 9223372036854775807)
  AND (:repository IS NULL OR d.repository = :repository)
  AND (:state IS NULL OR d.state = :state)
  AND (:since IS NULL OR d.created_at >= :since)
ORDER BY d.number DESC LIMIT :limit;

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
        WHERE a.dispatch = tasks.dispatch AND a.task = tasks.number) AS steps,
       (SELECT coalesce(sum(a.possible_steps), 0) FROM attempts AS a
        WHERE a.dispatch = tasks.dispatch AND a.task = tasks.number) AS possible_steps
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

-- name: findings
-- What a reviewer must know of an attempt's commit.
SELECT * FROM findings
WHERE dispatch = :dispatch AND task = :task AND attempt = :attempt ORDER BY position;

-- name: events
-- Events after a number, in order.
SELECT * FROM events
WHERE dispatch = :dispatch AND number > :after AND (:task IS NULL OR task = :task)
ORDER BY number LIMIT :limit;

-- name: last_event
-- The number of a dispatch's newest event.
SELECT coalesce(max(number), 0) AS number FROM events WHERE dispatch = :dispatch;

-- name: cancelled_tasks
-- The numbers of the live tasks that somebody wants to end.
SELECT number FROM tasks
WHERE dispatch = :dispatch AND cancel_requested_at IS NOT NULL
  AND state IN ('waiting', 'running', 'checking');

-- name: know_file
-- Remember a content of a file; being trusted is remembered over having been written.
INSERT INTO known_files (path, hash, origin, at) VALUES (:path, :hash, :origin, :at)
ON CONFLICT (path, hash) DO UPDATE SET origin = excluded.origin, at = excluded.at
WHERE excluded.origin = 'trusted';

-- name: known_file
-- Whether a content of a file is known.
SELECT 1 FROM known_files WHERE path = :path AND hash = :hash;

-- name: forget_file
-- Forget every content of a file.
DELETE FROM known_files WHERE path = :path;

-- name: known_files
-- Every content that is known.
SELECT * FROM known_files ORDER BY path, at DESC, hash;

-- name: insert_run
-- Begin a dispatch's next run.
INSERT INTO runs (id, dispatch, number, task, first_event, began_at)
SELECT :id, :dispatch, max(number) + 1, :task,
       (SELECT coalesce(max(e.number), 0) + 1 FROM events AS e WHERE e.dispatch = :dispatch), :at
FROM runs WHERE dispatch = :dispatch;

-- name: run
-- One run.
SELECT * FROM runs WHERE id = :id;

-- name: runs
-- The runs of a dispatch, from the first.
SELECT * FROM runs WHERE dispatch = :dispatch ORDER BY number;

-- name: insert_landing
-- Record what became of a dispatch's work.
INSERT INTO landings (dispatch, number, how, tasks, is_whole, head, target, result, url, at)
SELECT :dispatch, coalesce(max(number), 0) + 1, :how, :tasks, :is_whole, :head, :target, :result,
       :url, :at
FROM landings WHERE dispatch = :dispatch;

-- name: landings
-- A dispatch's landings, from the first.
SELECT * FROM landings WHERE dispatch = :dispatch ORDER BY number;

-- name: spent_since
-- The steps of an account after a moment: those told as they happened, and those found out later.
SELECT
    (SELECT count(*) FROM events AS e INDEXED BY steps_in_time
     CROSS JOIN dispatches AS d ON d.id = e.dispatch
     WHERE e.kind = 'task.step' AND json_extract(e.payload, '$.tool') = ''
       AND e.at > :since AND d.account IS :account)
    + coalesce((SELECT sum(json_extract(e.payload, '$.steps')) FROM events AS e
     CROSS JOIN dispatches AS d ON d.id = e.dispatch
     WHERE e.kind = 'task.charged' AND e.at > :since AND d.account IS :account), 0)
    + coalesce((SELECT sum(p.steps) FROM past_steps AS p
     CROSS JOIN dispatches AS d ON d.id = p.dispatch
     WHERE p.at > :since AND d.account IS :account), 0) AS steps,
    coalesce((SELECT sum(json_extract(e.payload, '$.possible')) FROM events AS e
     CROSS JOIN dispatches AS d ON d.id = e.dispatch
     WHERE e.kind = 'task.charged' AND e.at > :since AND d.account IS :account), 0)
    + coalesce((SELECT sum(p.possible) FROM past_steps AS p
     CROSS JOIN dispatches AS d ON d.id = p.dispatch
     WHERE p.at > :since AND d.account IS :account), 0) AS possible;

-- name: spent_by_hour
-- The steps of an account in each hour after a moment.
SELECT substr(at, 1, 13) AS hour, sum(steps) AS steps FROM (
    SELECT e.at, 1 AS steps FROM events AS e CROSS JOIN dispatches AS d ON d.id = e.dispatch
    WHERE e.kind = 'task.step' AND json_extract(e.payload, '$.tool') = ''
      AND e.at > :since AND d.account IS :account
    UNION ALL
    SELECT e.at, json_extract(e.payload, '$.steps') FROM events AS e
    CROSS JOIN dispatches AS d ON d.id = e.dispatch
    WHERE e.kind = 'task.charged' AND e.at > :since AND d.account IS :account
    UNION ALL
    SELECT p.at, p.steps FROM past_steps AS p CROSS JOIN dispatches AS d ON d.id = p.dispatch
    WHERE p.at > :since AND d.account IS :account)
GROUP BY hour ORDER BY hour;

-- name: accounts
-- Every account that anything was dispatched on, the latest first; from each to the next.
WITH RECURSIVE known (account) AS (
    SELECT min(account) FROM dispatches
    UNION ALL
    SELECT (SELECT min(d.account) FROM dispatches AS d WHERE d.account > known.account)
    FROM known WHERE known.account IS NOT NULL)
SELECT account, (SELECT max(number) FROM dispatches AS d WHERE d.account IS known.account) AS latest
FROM known WHERE latest IS NOT NULL ORDER BY latest DESC;

-- name: last_quota_stop
-- The latest attempt that ended because an account's quota was gone.
SELECT a.ended_at, a.dispatch, a.quote FROM attempts AS a
CROSS JOIN dispatches AS d ON d.id = a.dispatch
WHERE a.outcome = 'quota_exhausted' AND d.account IS :account
ORDER BY a.ended_at DESC LIMIT 1;

-- name: last_good_attempt
-- The end of an account's latest attempt that was delivered.
SELECT a.ended_at FROM attempts AS a CROSS JOIN dispatches AS d ON d.id = a.dispatch
WHERE a.outcome IS NULL AND a.commit_id IS NOT NULL AND a.steps > 0 AND a.ended_at IS NOT NULL
  AND d.account IS :account
ORDER BY a.ended_at DESC LIMIT 1;

-- name: worked_tasks
-- Tasks that were begun and are over, newest dispatch first, with what their attempts add up to.
SELECT t.dispatch, t.number, t.state, t.forecast, d.repository, d.profile, d.findings,
       (SELECT sum(a.steps) FROM attempts AS a
        WHERE a.dispatch = t.dispatch AND a.task = t.number) AS steps,
       (SELECT sum(a.input_tokens) FROM attempts AS a
        WHERE a.dispatch = t.dispatch AND a.task = t.number) AS input_tokens,
       (SELECT sum(a.cached_tokens) FROM attempts AS a
        WHERE a.dispatch = t.dispatch AND a.task = t.number) AS cached_tokens,
       (SELECT sum(a.output_tokens) FROM attempts AS a
        WHERE a.dispatch = t.dispatch AND a.task = t.number) AS output_tokens,
       (SELECT sum(coalesce(julianday(a.ended_at) - julianday(a.started_at), 0)) * 86400.0
        FROM attempts AS a
        WHERE a.dispatch = t.dispatch AND a.task = t.number) AS worked_s
FROM dispatches AS d CROSS JOIN tasks AS t ON t.dispatch = d.id
WHERE t.state NOT IN ('waiting', 'running', 'checking') AND d.created_at > :since
  AND EXISTS (SELECT 1 FROM attempts AS a WHERE a.dispatch = t.dispatch AND a.task = t.number)
ORDER BY d.number DESC, t.number LIMIT :limit;

-- name: insert_reply
-- Write down how long a reply to the orchestrator was.
INSERT INTO replies (at, tool, chars) VALUES (:at, :tool, :chars);

-- name: replied_since
-- The replies after a moment.
SELECT count(*) AS replies, coalesce(sum(chars), 0) AS chars FROM replies WHERE at > :since;

-- name: whole_dispatches
-- Dispatches that are over and have all their events, from the one that has been over longest.
SELECT id, ended_at, number FROM dispatches
WHERE condensed_at IS NULL AND (ended_at, number) > (:after, :number) AND ended_at <= :until
ORDER BY ended_at, number LIMIT :limit;

-- name: mark_condensed
-- Let the events of a dispatch that is over go.
UPDATE dispatches SET condensed_at = :at
WHERE id = :dispatch AND condensed_at IS NULL AND state IN ('finished', 'cancelled', 'lost');

-- name: keep_steps
-- Write down what those of a dispatch's events that will go have spent, each at its moment.
INSERT INTO past_steps (dispatch, at, steps, possible)
SELECT dispatch, at, sum(steps), sum(possible) FROM (
    SELECT dispatch, number, at, 1 AS steps, 0 AS possible FROM events
    WHERE kind = 'task.step' AND json_extract(payload, '$.tool') = '' AND dispatch = :dispatch
    UNION ALL
    SELECT dispatch, number, at, coalesce(json_extract(payload, '$.steps'), 0),
           coalesce(json_extract(payload, '$.possible'), 0) FROM events
    WHERE kind = 'task.charged' AND dispatch = :dispatch)
WHERE number < (SELECT max(number) FROM events WHERE dispatch = :dispatch)
GROUP BY at;

-- name: drop_events
-- Remove a dispatch's events; the last one stays, for numbers go on from it.
DELETE FROM events
WHERE dispatch = :dispatch
  AND number < (SELECT max(number) FROM events WHERE dispatch = :dispatch);
