"""Our git directory of a dispatch, and a private clone of the user's repository for each task.

A task has two git directories. Ours is the *ledger*: `runs/<id>/git`, shared by the tasks of a
dispatch, each with its own index file and its own clone as work tree. Kimi's is a plain `.git`
inside the clone, Kimi's to use or wreck, never read by us. Both borrow the user's objects
(`alternates`), so laying a clone costs a checkout and nothing more. A linked worktree would be as
quick, but Kimi could break the user's branches, stash, configuration and hooks through it.

Both directories are written by hand and not by `git init`: their layout is a few files that git has
promised to keep reading, and two processes a clone are saved. `core.safecrlf` is not carried over:
with `true` git refuses to store a file with mixed line endings, and work would be lost.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.errors import Refused
from kimi_mcp.workspace import git
from kimi_mcp.workspace.lfs import filter_settings
from kimi_mcp.workspace.repository import Repository, configuration, identified
from kimi_mcp.workspace.submodules import lay_submodules, remember

#: What only lies in the folders of a dispatch while something is being made there.
HALF_MADE = ("git.????????", "outbox.????????", "ignore.????????")


@dataclass(frozen=True, slots=True)
class Ledger:
    """Our git directory of one dispatch, out of Kimi's reach."""

    git_dir: Path

    @property
    def template(self) -> Path:
        """The `.git` that every clone of the dispatch is given a copy of."""
        return self.git_dir / "clone-template"

    @property
    def modules(self) -> Path:
        """A link to where the user's git keeps submodules."""
        return self.git_dir / "users-modules"


def open_ledger(repository: Repository, git_dir: Path) -> Ledger:
    """Return the ledger at *git_dir*, made from the user's repository when it is not there yet."""
    ledger = Ledger(git_dir)
    if git_dir.is_dir():
        return ledger
    git_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=git_dir.parent, prefix="git.") as half_made:
        staging = Path(half_made, "git")
        settings = configuration(repository)
        _lay(
            staging,
            repository,
            settings,
            borrowed=repository.objects,
            own=[
                "bare = true",
                "excludesfile = /dev/null",
                f"attributesfile = {config_value(str(git_dir / 'attributes'))}",
            ],
        )
        _lay(
            Ledger(staging).template,
            repository,
            settings,
            borrowed=git_dir / "objects",
            own=["bare = false", 'attributesfile = ".git/attributes"'],
        )
        Ledger(staging).modules.symlink_to(repository.common_dir / "modules")
        try:
            staging.rename(git_dir)
        except OSError:  # another thread was first
            if not git_dir.is_dir():
                raise
    return ledger


def pin(repository: Repository, dispatch_id: str, base: str) -> None:
    """Hold *base* in the user's repository, so that its `gc` cannot take borrowed objects away."""
    git.run(["update-ref", f"refs/kimi/{dispatch_id}/base", base], git_dir=repository.common_dir)


def lay_clone(ledger: Ledger, commit: str, *, clone: Path, index: Path) -> None:
    """Check *commit* out into the new folder *clone* and give it a `.git` of its own for Kimi.

    Submodules come as plain files, as far as the user has them. *index* is ours and is written; it
    must lie outside the clone.
    """
    clone.mkdir(parents=True)
    index.parent.mkdir(parents=True, exist_ok=True)
    index.unlink(missing_ok=True)
    git.run(["read-tree", "-m", "-u", commit], git_dir=ledger.git_dir, work_tree=clone, index=index)
    if (clone / ".gitmodules").is_file():
        laid = lay_submodules(ledger.git_dir, commit, modules=ledger.modules, work_tree=clone)
        remember(submodule_record(index), laid, clone=clone)
    _lay_git(ledger, commit, clone=clone, index=index)


def overlay(ledger: Ledger, tree: str, *, clone: Path, index: Path) -> None:
    """Make the tracked files of a clone those of *tree*; files that git does not hold stay."""
    git.run(
        ["read-tree", "--reset", "-u", tree], git_dir=ledger.git_dir, work_tree=clone, index=index
    )


def submodule_record(index: Path) -> Path:
    """Name the file, beside our index of a clone, that tells how its submodules were laid."""
    return index.with_name("submodules.json")


def renew_git(ledger: Ledger, commit: str, *, clone: Path, index: Path, aside: Path) -> None:
    """Move Kimi's `.git`, whatever it has become, into *aside* and lay a fresh one at *commit*.

    A check that calls git then sees exactly that commit and none of Kimi's configuration.
    """
    if os.path.lexists(clone / ".git"):
        aside.mkdir(parents=True, exist_ok=True)
        (clone / ".git").rename(Path(tempfile.mkdtemp(dir=aside, prefix="git.")) / "git")
    _lay_git(ledger, commit, clone=clone, index=index)


def _lay_git(ledger: Ledger, commit: str, *, clone: Path, index: Path) -> None:
    kimis = clone / ".git"
    shutil.copytree(ledger.template, kimis, copy_function=shutil.copyfile)
    kimis.joinpath("refs/heads/work").write_text(f"{commit}\n", encoding="utf-8")
    shutil.copyfile(index, kimis / "index")


# What programs leave behind and nobody commits, for repositories that do not say so themselves.
# First, so that every rule of the user's wins; what the base tracks is never hidden by it.
_MACHINE_MADE = (
    b"__pycache__/\n.pytest_cache/\n.mypy_cache/\n.ruff_cache/\n.DS_Store\n"
    b"node_modules/\n.venv/\n*.egg-info/\n.bundle/\nvendor/bundle/\n"
)

CARRIED = (
    "core.autocrlf",
    "core.eol",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.symlinks",
    "core.filemode",
    "core.sparsecheckout",
    "core.sparsecheckoutcone",
)


def _lay(
    git_dir: Path,
    repository: Repository,
    settings: Mapping[str, str],
    *,
    borrowed: Path,
    own: Sequence[str],
) -> None:
    for folder in ("objects/info", "refs/heads", "info"):
        (git_dir / folder).mkdir(parents=True)
    if "\n" in str(borrowed):
        raise Refused(f"The path {borrowed} has a line break, which git cannot borrow from.")
    (git_dir / "objects/info/alternates").write_bytes(os.fsencode(borrowed) + b"\n")
    (git_dir / "HEAD").write_text("ref: refs/heads/work\n", encoding="utf-8")
    (git_dir / "info/exclude").write_bytes(
        _MACHINE_MADE
        + setting_file(settings, "core.excludesfile", "ignore")
        + content(repository.common_dir / "info/exclude")
    )
    (git_dir / "info/attributes").write_bytes(content(repository.common_dir / "info/attributes"))
    (git_dir / "attributes").write_bytes(
        setting_file(settings, "core.attributesfile", "attributes")
    )
    for source, target in (
        (repository.common_dir / "shallow", git_dir / "shallow"),
        (repository.git_dir / "info/sparse-checkout", git_dir / "info/sparse-checkout"),
    ):
        if source.is_file():
            shutil.copyfile(source, target)
    text = "".join(_configuration(repository, settings, own=own))
    (git_dir / "config").write_text(text, encoding="utf-8", errors="surrogateescape")


def _configuration(
    repository: Repository, settings: Mapping[str, str], *, own: Sequence[str]
) -> Iterator[str]:
    name, email = identified(settings)
    yield "[core]\n\trepositoryformatversion = 1\n"
    yield from (f"\t{line}\n" for line in own)
    for key in CARRIED:
        value = settings.get(key, "")
        if re.fullmatch(r"[A-Za-z0-9]+", value):
            yield f"\t{key.removeprefix('core.')} = {value}\n"
    yield f"[extensions]\n\tobjectformat = {repository.object_format}\n"
    yield f"[user]\n\tname = {config_value(name)}\n\temail = {config_value(email)}\n"
    yield "[gc]\n\tauto = 0\n[commit]\n\tgpgsign = false\n"
    yield filter_settings(settings)


def config_value(value: str) -> str:
    """Write a value as a line of git's configuration holds it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def setting_file(settings: Mapping[str, str], key: str, default_name: str) -> bytes:
    """Read the file that a setting of git's names, else the one at the setting's default."""
    default = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config", "git", default_name)
    text = content(_home_expanded(Path(settings.get(key) or default)))
    return text if not text or text.endswith(b"\n") else text + b"\n"


def _home_expanded(file: Path) -> Path:
    try:
        return file.expanduser()
    except RuntimeError:  # no such user
        return file


def content(file: Path) -> bytes:
    """Read a file; one that cannot be read is empty."""
    try:
        return file.read_bytes()
    except OSError:  # git skips such files too
        return b""
