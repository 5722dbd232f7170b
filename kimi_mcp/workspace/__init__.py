"""All that knows git: private clones, commits, scope, merges and branches.

    git         one hardened call of git           repository  the user's repository, read
    clone       our git directory, a task's clone  commit      what Kimi left becomes a commit
    survey      what lies in a clone               ignore      the base's ignore rules
    objects     commits, trees and blobs           changes     what differs between two commits
    leftovers   what lies beside the commit        scope       what a spec allows (pure)
    merge       several results become one         publish     refs in the user's repository
    diff        a diff to be read                  threeway    a base that two have changed
    checkout    the user's checkout as it is now   draft       what it is to become
    swap        files change places                landing     work comes in, or not
    recovery    a killed landing goes back         users_commit  with the user's hooks
    snapshot    the checkout as a commit           reroot      the work without the snapshot
    holdings    branches and refs of dispatches    remotes     where a pull request goes

Our git never runs what Kimi can write: every call goes through `git.run`, names our own git
directory, and leaves hooks, monitors, filters and inherited configuration out. Only what the user
asked for in their own repository, a commit or a push, is done as they would (`git.ask_as_user`).
"""
