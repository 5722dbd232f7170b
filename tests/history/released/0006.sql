UPDATE checks SET fault = 'no test ran', again = 'passed', on_base = 'failed';
UPDATE changes SET nature = 'binary';
INSERT INTO findings VALUES ('001-over-aaaa', 1, 1, 1, 'weakened', 't.py', 3, 'skip');
