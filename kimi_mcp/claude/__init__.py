"""What Claude Code is given: plugin, rule, skills and hook, and the code that installs them.

`plugin/` and `rules/` are data as they are installed. `judgment`, `words` and `approval` answer the
hook after a plan's approval; they load nothing heavy, for a person waits. The rest serves `setup`
and `doctor`.
"""
