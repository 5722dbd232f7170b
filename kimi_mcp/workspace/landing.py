"""Kimi's work comes into the user's checkout or branch: all of it, or nothing has changed.

Only what was changed since the base is taken over (`threeway`), onto whatever is there now. Files
of the checkout change places (`swap`), the index follows, and for a commit the branch moves last.
A file with uncommitted changes of the user's stops it. Only where the work itself began from such
files (a snapshot), both are put together in the work tree, and the user's version is kept first.
"""

import shutil
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.errors import Refused
from kimi_mcp.quoting.quotes import named, quoted
from kimi_mcp.workspace import git
from kimi_mcp.workspace.checkout import branch_head, check_at_rest, checkout_of, held
from kimi_mcp.workspace.claims import Use, claimed
from kimi_mcp.workspace.draft import NAMED_FILES, Draft, Work, clash, drafted
from kimi_mcp.workspace.merge import Conflict
from kimi_mcp.workspace.repository import Repository
from kimi_mcp.workspace.swap import Swap
from kimi_mcp.workspace.threeway import differing, planted_commit, threeway, tree_id
from kimi_mcp.workspace.users_commit import (
    Commission,
    commit_as_user,
    has_commit_hooks,
    hooks_folder,
    passing_checkout,
    tell_hook,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """What has changed in the user's repository; nothing new where there is neither."""

    files: tuple[str, ...] = ()
    """What has changed in the checkout."""
    commit: str | None = None
    """The new head of the branch."""
    kept: str | None = None
    """The ref of the user's version, where files of theirs were put together with the work."""
    by_hooks: tuple[str, ...] = ()
    """What the user's hooks changed of it."""


def apply(checkout: Repository, work: Work) -> Landed:
    """Change the files of the checkout, uncommitted; the index and all branches stay as they are.

    Raises:
        Refused: something is in the way; nothing was changed.
    """
    check_at_rest(checkout)
    with held(checkout):
        draft = drafted(checkout, work, checkout.head)
        linked = sorted(draft.submodules)
        if linked:
            raise Refused(
                "The work changes which commit of a submodule is used "
                f"({named(linked, most=NAMED_FILES)}), which only a commit can hold. "
                "Nothing was changed. Land with how=squash."
            )
        with (
            _kept(checkout, work, draft) as kept,
            Swap(checkout, draft.merged, draft.paths) as swap,
        ):
            swap.perform(draft.stamps)
            swap.keep()
    return Landed(files=tuple(draft.paths), kept=kept)


def commit_onto(
    repository: Repository, work: Work, branch: str, *, message: str, merged: Sequence[str] = ()
) -> Landed:
    """Commit the work onto a branch, with the user's hooks and signature.

    *merged* become further parents. Where the branch is checked out, that checkout follows.

    Raises:
        Refused: something is in the way, or a hook said no; nothing was changed.
    """
    check_at_rest(repository)
    head = branch_head(repository, branch)
    if head is None:
        raise Refused(
            f"There is no branch {branch} any more. Nothing was changed. "
            "Land with how=apply, or with how=pull_request."
        )
    tree = threeway(repository.common_dir, base=work.base, ours=head, theirs=work.commit)
    if isinstance(tree, Conflict):
        raise clash(tree, work, place=f"branch {branch}")
    if tree == tree_id(repository.common_dir, head):
        return Landed()
    _check_no_hooks(repository, differing(repository.common_dir, head, tree))
    parents = [head, *merged]
    order = _Order(work=work, branch=branch, head=head, tree=tree, parents=parents, message=message)
    checkout = checkout_of(repository, branch)
    if checkout is not None:
        return _in_checkout(checkout, order)
    if not has_commit_hooks(repository):
        return _unseen(repository, order)
    with passing_checkout(repository, branch, tree) as passing:
        return _unseen(passing, order)


def _check_no_hooks(repository: Repository, paths: Iterable[str]) -> None:
    """Make sure that no hook of Kimi's runs before the user has committed it themselves."""
    folder = hooks_folder(repository)
    own = [path for path in paths if (repository.root / path).is_relative_to(folder)]
    if own:
        raise Refused(
            f"The work changes hooks that git would run at once: {named(own, most=NAMED_FILES)}. "
            "Nothing was changed. Land with how=apply, look at them, and commit yourself."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    work: Work
    branch: str
    head: str
    tree: str
    parents: list[str]
    message: str

    def commission(self, checkout: Repository, index: Path) -> Commission:
        return Commission(
            checkout=checkout,
            index=index,
            branch=self.branch,
            parents=self.parents,
            message=self.message,
        )

    def landed(self, git_dir: Path, commit: str, kept: str | None = None) -> Landed:
        return Landed(
            commit=commit,
            files=tuple(differing(git_dir, self.head, commit)),
            by_hooks=tuple(differing(git_dir, self.tree, commit)),
            kept=kept,
        )


def _in_checkout(checkout: Repository, order: _Order) -> Landed:
    check_at_rest(checkout)
    with held(checkout) as folder:
        draft = drafted(checkout, order.work, order.head)
        users_index, index = folder.next_index, folder.root / "index"
        shutil.copyfile(checkout.git_dir / "index", users_index)
        _carry(checkout, users_index, order.head, order.tree)
        git.run(["read-tree", order.tree], git_dir=checkout.git_dir, index=index)
        commission = order.commission(checkout, index)

        def about_to_move(commit: str) -> None:
            _carry(checkout, users_index, order.tree, commit)
            _refresh(checkout, users_index)
            folder.announce(order.branch, commit, index=checkout.git_dir / "index")

        with (
            _kept(checkout, order.work, draft) as kept,
            Swap(checkout, draft.merged, draft.paths) as swap,
        ):
            swap.perform(draft.stamps)
            _refresh(checkout, index)
            commit = commit_as_user(commission, scratch=folder.root, announce=about_to_move)
            swap.keep()
        folder.put_index(checkout.git_dir)
    tell_hook(commission)
    return order.landed(checkout.git_dir, commit, kept)


def _unseen(place: Repository, order: _Order) -> Landed:
    """Commit onto a branch that no checkout shows; *place* is where the hooks run."""
    with claimed(place.git_dir, Use.SCRATCH) as scratch:
        index = scratch / "index"
        git.run(["read-tree", order.tree], git_dir=place.git_dir, index=index)
        commission = order.commission(place, index)
        commit = commit_as_user(commission, scratch=scratch)
        tell_hook(commission)
    return order.landed(place.git_dir, commit)


def _carry(checkout: Repository, index: Path, before: str, after: str) -> None:
    """Let an index that was made for one tree follow to another; what is staged besides stays."""
    order = ["read-tree", "-i", "-m", before, after]
    answer = git.ask(order, git_dir=checkout.git_dir, index=index)
    if answer.exit_code != 0:
        raise Refused(
            f"Files that the work changes are staged in {checkout.root}. Nothing was changed. "
            "Commit or unstage them (`git restore --staged PATH`), then retry. "
            f"Git said: {quoted(answer.stderr, limit=200)}"
        )


def _refresh(checkout: Repository, index: Path) -> None:
    git.ask(
        ["update-index", "-q", "--refresh"],
        git_dir=checkout.git_dir,
        work_tree=checkout.root,
        index=index,
        reads_user_config=True,
    )


@contextmanager
def _kept(checkout: Repository, work: Work, draft: Draft) -> Generator[str | None]:
    """Hold the user's version of the files that are put together with the work, if that is done."""
    if not draft.users:
        yield None
        return
    message = "Your files as they were before Kimi's work was put into them\n"
    version = planted_commit(checkout.git_dir, draft.ours, parents=[checkout.head], message=message)
    git.run(["update-ref", work.kept_ref, version], git_dir=checkout.common_dir)
    try:
        yield work.kept_ref
    except BaseException:
        git.run(["update-ref", "-d", work.kept_ref, version], git_dir=checkout.common_dir)
        raise
