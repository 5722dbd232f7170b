INSERT INTO known_files VALUES ('/repo/s.md', 'h', 'trusted', '2026-01-02T12:00:00.000Z');
