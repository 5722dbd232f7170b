"""Kimi's configuration on disk: what a profile writes into it, and the one composed for a task.

`switch` edits the user's own file when the user asks; `compose` never touches it. The runner loads
`compose` and `source` only, so nothing is imported here.
"""
