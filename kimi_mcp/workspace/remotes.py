"""Pushing a result to the user's own remote, as they would. Never with force."""

import re
from dataclasses import dataclass

from kimi_mcp.errors import Refused
from kimi_mcp.quoting.quotes import quoted
from kimi_mcp.workspace import git
from kimi_mcp.workspace.repository import Repository, configuration

PUSH_BOUND_S = 600.0
WORDS_CHARS = 300
DEFAULT = "origin"

_CREDENTIALS = re.compile(r"//[^/@\s]+@")
_PLACE = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@]+@)?(?P<host>[^/:]+)(?::\d+)?/|(?:[^/@:]+@)(?P<scp>[^/:]+):)"
    r"(?P<path>[^?#]+?)(?:\.git)?/?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where a pull request goes."""

    name: str
    url: str
    """Without any user name or password."""
    base: str | None
    """The branch there that the work is to be merged into; None: the remote's own default."""


def remote_for(repository: Repository, branch: str | None) -> Remote:
    """Choose the remote: that of the base branch's upstream, else the only one, else `origin`.

    Raises:
        Refused: there is none, or several and none of them is meant.
    """
    names = git.line(git.run(["remote"], git_dir=repository.common_dir)).split("\n")
    names = [name for name in names if name]
    settings = configuration(repository)
    upstream = settings.get(f"branch.{branch}.remote", "")
    base = branch
    if upstream in names:
        chosen = upstream
        merge = settings.get(f"branch.{branch}.merge", "")
        base = merge.removeprefix("refs/heads/") or branch
    elif len(names) == 1 or DEFAULT in names:
        chosen = names[0] if len(names) == 1 else DEFAULT
    elif names:
        raise Refused(
            f"There are several remotes ({', '.join(names)}) and none is the upstream of "
            f"{branch or 'a detached HEAD'}. Nothing was pushed. Choose one: "
            f"`git branch --set-upstream-to=REMOTE/BRANCH {branch or 'BRANCH'}`."
        )
    else:
        raise Refused(
            f"{repository.root} has no remote to push to. Nothing was changed. "
            "Land with how=apply or how=squash, or add one with `git remote add`."
        )
    url = _ask(repository, ["remote", "get-url", "--push", chosen])
    return Remote(name=chosen, url=without_credentials(git.line(url.stdout)), base=base)


def shared_by(repository: Repository, branch: str) -> str | None:
    """Name a remote whose default branch, as git noted it when cloning, this one is; else None."""
    question = ["for-each-ref", "--format=%(refname) %(symref)", "refs/remotes/*/HEAD"]
    lines = git.line(git.run(question, git_dir=repository.common_dir)).splitlines()
    for head, _, target in (line.partition(" ") for line in lines):
        place = head.removesuffix("HEAD")
        if target == f"{place}{branch}":
            return place.removeprefix("refs/remotes/").rstrip("/")
    return None


def push(repository: Repository, remote: Remote, commit: str, *, branch: str) -> None:
    """Push *commit* to a branch of the remote, with the user's hooks, keys and helpers.

    Raises:
        Refused: the remote or a hook said no, or the branch there holds something else.
    """
    order = ["push", "--quiet", remote.name, f"{commit}:refs/heads/{branch}"]
    answer = _ask(repository, order)
    if answer.exit_code == 0:
        return
    said = quoted(without_credentials(answer.stderr), limit=WORDS_CHARS)
    if "non-fast-forward" in answer.stderr or "fetch first" in answer.stderr:
        raise Refused(
            f"Branch {branch} of {remote.name} holds something else, and nothing is ever forced. "
            f"Nothing was pushed. If it is an older result, remove it there with "
            f"`git push {remote.name} --delete {branch}`, then retry."
        )
    raise Refused(
        f"The push to {remote.name} was refused. Nothing was landed. Git said: {said}. "
        f"Mend that and retry; `git push {remote.name} HEAD` shows whether you may push at all."
    )


def comparison_url(remote: Remote, branch: str) -> str | None:
    """Give the address where a person opens the request; None where the host is not known."""
    found = _PLACE.fullmatch(remote.url)
    if found is None:
        return None
    host, path = found["host"] or found["scp"], found["path"]
    if "gitlab" in host:
        return (
            f"https://{host}/{path}/-/merge_requests/new?merge_request[source_branch]={branch}"
            + (f"&merge_request[target_branch]={remote.base}" if remote.base else "")
        )
    if "bitbucket" in host:
        return f"https://{host}/{path}/pull-requests/new?source={branch}"
    since = f"{remote.base}..." if remote.base else ""
    return f"https://{host}/{path}/compare/{since}{branch}?expand=1"


def ahead(repository: Repository, remote: Remote, base: str) -> int:
    """Count the commits up to *base* that the remote's branch, as last fetched, does not have."""
    there = f"refs/remotes/{remote.name}/{remote.base}"
    question = ["rev-list", "--count", base, f"^{there}"]
    answer = git.ask(question, git_dir=repository.common_dir)
    return int(answer.stdout) if answer.exit_code == 0 else 0


def without_credentials(text: str) -> str:
    """Take user names and passwords out of the addresses in a text."""
    return _CREDENTIALS.sub("//", text)


def _ask(repository: Repository, args: list[str]) -> git.Answer:
    return git.ask_as_user(args, folder=repository.root, bound_s=PUSH_BOUND_S)
