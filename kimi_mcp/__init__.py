"""kimi-mcp: Claude Code plans and reviews, Kimi implements, this server stands between.

    cli        front door for people            server     front door for models (mcp)
    demo       the whole loop, scripted         review     what came of it, told
    dispatch   use cases, detached runner       quoting    worker-made text as data
    spec       plan to spec (markdown-it)       kimi       all that knows the Kimi CLI
    workspace  all that knows git               profiles   Kimi's configuration (tomlkit)
    history    what happened (sqlite3)          processes  starting and ending programs
    settings   the user's settings (pydantic)   state      where our files lie
    lifecycle  states and outcomes              globs  log  errors

Imports point down only; `.ci/run` checks it. A tool call writes a QUEUED row and starts a runner in
a session of its own; from then on the server only reads. The runner holds a file lock while it
lives, gives each task a private clone, runs Kimi there under a launcher that outlives nothing,
commits what changed with a git directory that Kimi cannot reach, runs the spec's commands on that
commit, and publishes a branch only for what passed. SQLite is the only channel between processes.
"""

__version__ = "0.1.0"
