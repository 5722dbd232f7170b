"""Kimi's configuration on disk: what a profile writes into it, and the one composed for a task."""
