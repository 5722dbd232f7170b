"""kimi-mcp: Claude Code plans and reviews, Kimi implements, this server stands between.

    cli        front door for people (rich)     server     front door for models (mcp)
    demo       the whole loop, scripted         claude     what Claude Code is given
    review     what came of it, told            dispatch   use cases, detached runner
    spec       plan to spec (markdown-it)       kimi       all that knows the Kimi CLI
    workspace  all that knows git               profiles   Kimi's configuration (tomlkit)
    history    what happened (sqlite3)          evidence   what tests prove, and what not
    processes  starting and ending programs     quota      the plan's allowance, and its use
    settings   the user's settings (pydantic)   state      where our files lie
    reading    files that others made           lifecycle  states and outcomes
    cluster    other machines (ray)             globs      patterns of paths
    log  errors  pulse  quoting  setting_tables  setting_values  private  flock

Imports point down only; `.ci/run` checks it. A tool call, or a command, writes a QUEUED row and
starts a runner in a session of its own; from then on both only read, or write that it should stop.
The runner holds a file lock while it lives, gives each task a private clone, runs Kimi there under
a launcher that ends Kimi and all it started with itself, commits what changed with a git directory
that Kimi cannot reach, runs the spec's commands on that commit in the same way, and publishes a
branch only for what passed. SQLite is the only channel between these processes.
"""

__version__ = "0.1.0"
