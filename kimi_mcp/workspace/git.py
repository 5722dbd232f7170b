"""One call of the git program, with everything off that could run somebody else's program.

Only this module imports GitPython, and of it only the thin layer that starts git: no `Repo` object
is kept, for each holds processes and descriptors. The surprising fact: GitPython always passes our
whole environment on, so inherited `GIT_*` variables are taken out by `env -u` in front of git.
"""

import importlib
import os
import shutil
import tempfile
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kimi_mcp.errors import GitFailed
from kimi_mcp.quoting.quotes import quoted

# Without it GitPython cannot be imported on a machine that has no git.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

_STDERR_SHOWN = 600  # characters, the last ones

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.quotePath=false",
    "core.askPass=false",
    "credential.helper=",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "diff.ignoreSubmodules=all",
    "protocol.allow=never",
    "protocol.file.allow=always",
)

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
}

_NO_CONFIGURATION = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What git said: its exit code, its output as it is, its complaints as text."""

    exit_code: int
    stdout: bytes
    stderr: str


def run(
    args: Sequence[str],
    *,
    git_dir: Path,
    work_tree: Path | None = None,
    index: Path | None = None,
    stdin: bytes | BinaryIO | None = None,
    env: Mapping[str, str] | None = None,
    reads_user_config: bool = False,
) -> bytes:
    """Run `git ARGS` and return its standard output.

    With `reads_user_config` the user's global and system configuration count; only for questions
    about the user's own repository.

    Raises:
        GitFailed: git is missing or its exit code is not 0.
    """
    answer = ask(
        args,
        git_dir=git_dir,
        work_tree=work_tree,
        index=index,
        stdin=stdin,
        env=env,
        reads_user_config=reads_user_config,
    )
    if answer.exit_code != 0:
        raise failure(args, answer)
    return answer.stdout


def ask(
    args: Sequence[str],
    *,
    git_dir: Path | None,
    work_tree: Path | None = None,
    index: Path | None = None,
    stdin: bytes | BinaryIO | None = None,
    env: Mapping[str, str] | None = None,
    reads_user_config: bool = False,
    folder: Path | None = None,
) -> Answer:
    """Run `git ARGS` and return its answer, whatever the exit code.

    Without a `git_dir` git looks for the repository around `folder`.

    Raises:
        GitFailed: git is missing.
    """
    configuration = _user_configuration() if reads_user_config else _NO_CONFIGURATION
    environment = {**_ENVIRONMENT, **configuration, **(env or {})}
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    places = [f"--git-dir={git_dir}"] if git_dir is not None else []
    if work_tree is not None:
        places.append(f"--work-tree={work_tree}")
    command = [*_options(), *places, *args]
    return _execute(
        command, environment, folder=folder or work_tree or git_dir, stdin=stdin, bound_s=None
    )


def ask_as_user(
    args: Sequence[str],
    *,
    folder: Path,
    bound_s: float,
    index: Path | None = None,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
) -> Answer:
    """Run `git ARGS` in *folder* as the user would: their configuration, hooks, keys and helpers.

    Only for what the user asked for in their own repository. Git itself asks nobody anything, and
    is ended after *bound_s* seconds.

    Raises:
        GitFailed: git is missing.
    """
    environment = {"GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": ":", **_user_configuration()}
    environment |= env or {}
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    return _execute(["--no-pager", *args], environment, folder=folder, stdin=stdin, bound_s=bound_s)


def failure(args: Sequence[str], answer: Answer) -> GitFailed:
    """Put a failed call into one sentence, for raising."""
    said = quoted(answer.stderr.strip()[-_STDERR_SHOWN:], limit=_STDERR_SHOWN)
    return GitFailed(f"`git {args[0]}` failed with exit code {answer.exit_code}: {said}.")


def listed(output: bytes) -> list[str]:
    """Split `-z` output into names; bytes that are not UTF-8 survive as surrogates."""
    return [os.fsdecode(item) for item in output.split(b"\0") if item]


def joined(names: Collection[str]) -> bytes:
    """Turn names into `-z` input."""
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def line(output: bytes) -> str:
    """Take the one line of an answer."""
    return os.fsdecode(output.rstrip(b"\n"))


def preload() -> None:
    """Load what each call needs, for a process whose forks are to find it loaded."""
    importlib.import_module("git.cmd")


def _execute(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    folder: Path | None,
    stdin: bytes | BinaryIO | None,
    bound_s: float | None,
) -> Answer:
    from git.cmd import Git  # noqa: PLC0415 - 70 ms, 15 MB: too dear for a server's start

    program = shutil.which("git")
    if program is None:
        raise GitFailed("The git program is not on PATH. Install git 2.38 or newer.")
    with ExitStack() as stack:
        source = stack.enter_context(_spool(stdin)) if isinstance(stdin, bytes) else stdin
        exit_code, stdout, stderr = Git(str(folder)).execute(
            [*_without_inherited(environment), program, *command],
            env=dict(environment),
            istream=source,
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
            kill_after_timeout=bound_s,
            shell=False,
        )
    return Answer(exit_code=exit_code, stdout=stdout, stderr=stderr)


def _user_configuration() -> dict[str, str]:
    names = ("GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_GLOBAL")
    return {name: os.environ[name] for name in names if name in os.environ}


def _options() -> list[str]:
    return ["--no-pager", *(part for setting in _SETTINGS for part in ("-c", setting))]


def _without_inherited(ours: Mapping[str, str]) -> list[str]:
    names = [
        name
        for name in os.environ
        if name.startswith("GIT_") and not name.startswith("GIT_PYTHON_") and name not in ours
    ]
    return ["env", *(part for name in names for part in ("-u", name))] if names else []


@contextmanager
def _spool(text: bytes) -> Generator[BinaryIO]:
    with tempfile.TemporaryFile() as spool:  # a pipe would need a thread to be fed by
        spool.write(text)
        spool.seek(0)
        yield spool
