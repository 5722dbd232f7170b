"""A commit as the user's own `git commit` or `git merge` would make it, onto a branch by name.

The steps of git's own command, one by one: the hooks, which may change or refuse what is committed,
the signature, and last the branch, moved only from where it was seen. `git commit` itself could not
be told what the branch must be at: a commit made meanwhile in another terminal would be undone.
"""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.errors import Refused
from kimi_mcp.quoting.quotes import quoted
from kimi_mcp.workspace import git
from kimi_mcp.workspace.claims import Use, claimed
from kimi_mcp.workspace.repository import Repository

HOOK_BOUND_S = 900.0  # a hook may run all tests
WORDS_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """What is to be committed, onto which branch."""

    checkout: Repository
    """Its files are those of the commit: hooks look at them."""
    index: Path
    """Holds the tree; hooks may change it."""
    branch: str
    parents: Sequence[str]
    """The first one is where the branch must be."""
    message: str

    @property
    def is_merge(self) -> bool:
        """Whether two histories come together."""
        return len(self.parents) > 1


def commit_as_user(
    commission: Commission, *, scratch: Path, announce: Callable[[str], None] | None = None
) -> str:
    """Make the commit, *announce* it, move the branch to it, and return its id.

    Raises:
        Refused: a hook or the signing program said no, or the branch has moved. No ref has changed.
    """
    words = scratch / "COMMIT_EDITMSG"
    words.write_text(commission.message, encoding="utf-8")
    _run_hook(commission, "pre-merge-commit" if commission.is_merge else "pre-commit")
    source = "merge" if commission.is_merge else "message"
    _run_hook(commission, "prepare-commit-msg", str(words), source)
    _run_hook(commission, "commit-msg", str(words))
    message = git.run(["stripspace"], git_dir=commission.checkout.git_dir, stdin=words.read_bytes())
    if not message.strip():
        raise Refused("A hook left the commit's message empty. Nothing was changed.")
    commit = _signed_commit(commission, message)
    if announce is not None:
        announce(commit)
    _move_branch(commission, commit)
    return commit


def tell_hook(commission: Commission) -> None:
    """Run the hook that is told of a commit when all is done; what it says changes nothing."""
    name = "post-merge" if commission.is_merge else "post-commit"
    arguments = ("0",) if commission.is_merge else ()  # not a squash
    git.ask_as_user(
        ["hook", "run", "--ignore-missing", name, "--", *arguments],
        folder=commission.checkout.root,
        bound_s=HOOK_BOUND_S,
    )


def hooks_folder(checkout: Repository) -> Path:
    """Say where the user's hooks are; it may be a folder of the work tree."""
    found = git.ask_as_user(
        ["rev-parse", "--path-format=absolute", "--git-path", "hooks"],
        folder=checkout.root,
        bound_s=HOOK_BOUND_S,
    )
    return Path(git.line(found.stdout))


def has_commit_hooks(checkout: Repository) -> bool:
    """Tell whether the user has a hook that looks at what is committed."""
    folder = hooks_folder(checkout)
    names = ("pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg")
    return any(os.access(folder / name, os.X_OK) for name in names)


@contextmanager
def passing_checkout(repository: Repository, branch: str, tree: str) -> Generator[Repository]:
    """Check *tree* out in a linked worktree for a while, as if on *branch*, for hooks to look at.

    Only for a branch that is checked out nowhere.
    """
    with claimed(repository.common_dir, Use.PASSING) as parent:
        root = parent / "checkout"
        add = ["worktree", "add", "--quiet", "--no-checkout", "--detach", str(root), branch]
        git.run(add, git_dir=repository.common_dir)
        try:
            own = git.run(["rev-parse", "--absolute-git-dir"], git_dir=root / ".git")
            checkout = Repository(
                root=root,
                git_dir=Path(git.line(own)),
                common_dir=repository.common_dir,
                objects=repository.objects,
                object_format=repository.object_format,
                head=repository.head,
                branch=branch,
            )
            git.run(["symbolic-ref", "HEAD", f"refs/heads/{branch}"], git_dir=checkout.git_dir)
            git.run(
                ["read-tree", "--reset", "-u", tree],
                git_dir=checkout.git_dir,
                work_tree=root,
                reads_user_config=True,
            )
            yield checkout
        finally:
            git.ask(["worktree", "remove", "--force", str(root)], git_dir=repository.common_dir)


def _run_hook(commission: Commission, name: str, *arguments: str) -> None:
    answer = _ask(commission, ["hook", "run", "--ignore-missing", name, "--", *arguments])
    if answer.exit_code != 0:
        said = quoted(answer.stderr, limit=WORDS_CHARS)
        raise Refused(
            f"Your {name} hook refused it (exit code {answer.exit_code}). Nothing was changed. "
            f"It said: {said}. Revise the task, or land with how=apply and commit yourself."
        )


def _signed_commit(commission: Commission, message: bytes) -> str:
    tree = git.line(
        git.run(["write-tree"], git_dir=commission.checkout.git_dir, index=commission.index)
    )
    wish = _ask(commission, ["config", "--type=bool", "--get", "commit.gpgSign"])
    order = ["commit-tree", tree, *(part for one in commission.parents for part in ("-p", one))]
    if wish.stdout.strip() == b"true":
        order.append("-S")
    answer = _ask(commission, [*order, "-F", "-"], stdin=message)
    if answer.exit_code != 0:
        said = quoted(answer.stderr, limit=WORDS_CHARS)
        raise Refused(
            f"Git could not make or sign the commit. Nothing was changed. It said: {said}. "
            "Mend that, or land with how=apply and commit yourself."
        )
    return git.line(answer.stdout)


def _move_branch(commission: Commission, commit: str) -> None:
    ref, expected = f"refs/heads/{commission.branch}", commission.parents[0]
    reason = "kimi-mcp: merge" if commission.is_merge else "kimi-mcp: squash"
    answer = _ask(commission, ["update-ref", "-m", reason, ref, commit, expected])
    if answer.exit_code == 0:
        return
    found = git.ask(["rev-parse", "--verify", "--quiet", ref], git_dir=commission.checkout.git_dir)
    now = git.line(found.stdout)
    if now == expected:
        said = quoted(answer.stderr, limit=WORDS_CHARS)
        raise Refused(
            f"Git refuses to move branch {commission.branch}. Nothing was changed. "
            f"It said: {said}. If the branch is protected, land with how=pull_request."
        )
    raise Refused(
        f"Branch {commission.branch} moved to {now[:10] or 'nothing'} while this was landing. "
        "Nothing was changed. Retry: it is put upon the new head then."
    )


def _ask(commission: Commission, args: Sequence[str], *, stdin: bytes | None = None) -> git.Answer:
    return git.ask_as_user(
        args,
        folder=commission.checkout.root,
        index=commission.index,
        stdin=stdin,
        bound_s=HOOK_BOUND_S,
    )
