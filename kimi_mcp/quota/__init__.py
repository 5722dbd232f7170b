"""What Kimi's plan allows, what was spent of it, and what a dispatch will take.

`forecast`, `admission` and `usage` decide and are pure; `account` tells whose quota it is and
`endpoint` asks for the account's usage. What was spent is counted by the history. The runner loads
none of it.
"""
