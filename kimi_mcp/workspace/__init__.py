"""All that knows git: private clones, commits, scope, merges and branches.

    git          one hardened call of the git program        repository  the user's repository, read
    clone        our git directory and a task's clone        commit      what Kimi left becomes a commit
    survey       what lies in a clone, without git           leftovers   what lies there beside the commit
    scope        which changes a spec allows (pure)          publish     refs in the user's repository
    merge        results of several tasks into one           diff        a diff to be read

Our git never runs what Kimi can write: every call goes through `git.run`, names our own git directory
and leaves hooks, monitors, filters and inherited configuration out.
"""
