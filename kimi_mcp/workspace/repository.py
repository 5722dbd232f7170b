"""The user's repository, read: where it is, what is checked out, who the user is.

Nothing here writes. A linked worktree counts as itself: its own HEAD, its own uncommitted files.
The user's configuration is read on purpose, for their identity and their line endings are in it;
hooks and file system monitors stay off all the same.
"""

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kimi_mcp.errors import Refused, nearest_sentence
from kimi_mcp.quoting.quotes import quoted
from kimi_mcp.reading import shown
from kimi_mcp.workspace import git

_NAME_CHARS = 120
_SAID_CHARS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One checkout of the user's, as it was when it was located."""

    root: Path
    git_dir: Path
    """The checkout's own git directory: HEAD, index. A linked worktree has one of its own."""
    common_dir: Path
    """What all worktrees share: branches, configuration, `info/`."""
    objects: Path
    object_format: str
    head: str
    branch: str | None
    """The short name of the branch checked out; None when HEAD is detached."""


class Identity(NamedTuple):
    """The name and address that git writes into the user's commits."""

    name: str
    email: str


def locate(start: Path) -> Repository:
    """Find the repository around *start*, a file or folder that need not exist.

    Raises:
        Refused: there is none, it is bare, it has no commit yet, or git distrusts its owner.
    """
    folder = next(path for path in [start.absolute(), *start.absolute().parents] if path.is_dir())
    question = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir"]
    question += ["--git-common-dir", "--git-path", "objects", "--show-object-format"]
    question += ["HEAD^{commit}", "--symbolic-full-name", "HEAD"]
    answer = git.ask(question, git_dir=None, folder=folder, reads_user_config=True)
    if answer.exit_code != 0:
        raise _refusal(folder, answer)
    facts = os.fsdecode(answer.stdout).splitlines()
    if len(facts) != len(_FACTS):
        raise Refused(f"The path of the repository at {folder} has a line break. Move it first.")
    facts = dict(zip(_FACTS, facts, strict=True))
    head_name = facts["name"]
    return Repository(
        root=Path(facts["root"]),
        git_dir=Path(facts["git_dir"]),
        common_dir=Path(facts["common_dir"]),
        objects=Path(facts["objects"]),
        object_format=facts["object_format"],
        head=facts["head"],
        branch=None if head_name == "HEAD" else head_name.removeprefix("refs/heads/"),
    )


def resolve(repository: Repository, revision: str) -> str:
    """Return the commit that *revision* (branch, tag, hash, `HEAD~2`) names.

    Raises:
        Refused: there is no such commit.
    """
    if revision == "HEAD":
        return repository.head
    if revision and not revision.startswith("-") and "\0" not in revision:
        answer = git.ask(
            ["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"],
            git_dir=repository.git_dir,
        )
        if answer.exit_code == 0:
            return git.line(answer.stdout)
    names = git.run(
        ["for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes"],
        git_dir=repository.git_dir,
    )
    known = [quoted(name, limit=_NAME_CHARS) for name in os.fsdecode(names).splitlines()]
    raise Refused(
        f"No commit '{shown(revision)}' in {repository.root}.{nearest_sentence(revision, known)}"
    )


def configuration(repository: Repository) -> Mapping[str, str]:
    """Read what git's configuration says here, all levels; the last value of a key counts."""
    output = git.run(["config", "--list", "-z"], git_dir=repository.git_dir, reads_user_config=True)
    entries = (entry.partition("\n") for entry in git.listed(output))
    return {key: value if separator else "true" for key, separator, value in entries}


def identity(repository: Repository) -> Identity:
    """Tell who the user is: their git identity, else their login name on this machine."""
    return identified(configuration(repository))


def identified(settings: Mapping[str, str]) -> Identity:
    """Take the user's identity from git's settings, else from the machine."""
    return Identity(
        settings.get("user.name") or _login(),
        settings.get("user.email") or f"{_login()}@{socket.gethostname()}",
    )


def dirty_files(repository: Repository) -> tuple[str, ...]:
    """Name the files with uncommitted changes, staged or not, and the untracked ones, sorted."""
    options = ["--porcelain", "-z", "--no-renames", "--untracked-files=all"]
    output = git.run(
        ["status", *options, "--ignore-submodules=all"],
        git_dir=repository.git_dir,
        work_tree=repository.root,
        reads_user_config=True,
    )
    return tuple(sorted(entry[3:] for entry in git.listed(output)))


def git_version() -> str:
    """Tell the version of the git program, like `2.39.5`.

    Raises:
        GitFailed: there is none.
    """
    answer = git.ask(["version"], git_dir=None)
    return git.line(answer.stdout).removeprefix("git version ").split(" ")[0]


def files_at(repository: Repository, commit: str) -> tuple[str, ...]:
    """List every file of a commit, submodules included, sorted by path."""
    output = git.run(
        ["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit], git_dir=repository.common_dir
    )
    return tuple(git.listed(output))


def text_at(repository: Repository, commit: str, path: str) -> str:
    """Read a file of a commit; bytes that are no UTF-8 are replaced.

    Raises:
        GitFailed: the commit has no such file.
    """
    output = git.run(["cat-file", "blob", f"{commit}:{path}"], git_dir=repository.common_dir)
    return output.decode(errors="replace")


_FACTS = ("root", "git_dir", "common_dir", "objects", "object_format", "head", "name")


def _refusal(folder: Path, answer: git.Answer) -> Refused:
    said = answer.stderr
    if "not a git repository" in said:
        return Refused(
            f"No git repository around {folder}. Name one with `repo`, or run `git init` "
            "and commit once."
        )
    if "must be run in a work tree" in said:
        return Refused(
            f"{folder} belongs to a bare repository or a .git folder, which has no files to "
            "work on. Name a checkout of it with `repo`."
        )
    if "dubious ownership" in said:
        return Refused(
            f"Git distrusts the repository around {folder}: another user owns it. "
            "If you trust it, run `git config --global --add safe.directory` with its path."
        )
    if "HEAD" in said:
        return Refused(
            f"The repository around {folder} has no commit yet. Commit once, then retry."
        )
    return Refused(
        f"Git cannot read the repository around {folder}: {quoted(said, limit=_SAID_CHARS)}."
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "user"
