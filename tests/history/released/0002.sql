UPDATE dispatches SET errand = '{"purpose": "resume"}' WHERE id = '002-live-bbbb';
UPDATE tasks SET amendments = '{"allow_files": ["b.py"]}' WHERE number = 2;
UPDATE attempts SET feedback = 'better', outcome = 'blocked', sentence = 'Why?';
