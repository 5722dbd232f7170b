"""All that knows git: private clones, commits, scope, merges and branches.

    git      one hardened call of git            repository  the user's repository, read
    clone    our git directory, a task's clone   commit      what Kimi left becomes a commit
    survey   what lies in a clone                leftovers   what lies there beside the commit
    scope    which changes a spec allows (pure)  publish     refs in the user's repository
    merge    several results become one          diff        a diff to be read

Our git never runs what Kimi can write: every call goes through `git.run`, names our own git
directory, and leaves hooks, monitors, filters and inherited configuration out.
"""
