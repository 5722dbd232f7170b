"""What happened, durably: one SQLite file."""
