"""Every command with its arguments: a sentence for each, and examples that are tested."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

from kimi_mcp.cli.arguments import label, page_size
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.review.view import View

TIMELINE = "timeline"  # a view for people; the tool `get_result` has the other four
HOWS = ("apply", "squash", "merge", "pull_request", "discard")
SHELLS = ("bash", "zsh", "fish")

#: Adds a command: its name, a sentence, examples (each what follows `kimi-mcp`).
Add: TypeAlias = Callable[..., argparse.ArgumentParser]


def place_in_claude(add: Add) -> None:
    """The commands that come first: what is here, and what Claude Code gets."""
    demo = add("demo", "the whole loop on a scratch repository, no account needed")
    demo.add_argument(
        "--real", action="store_true", help="use your own Kimi and login (costs steps)"
    )

    doctor = add("doctor", "check every link of the chain", "doctor", "doctor --json")
    doctor.add_argument("--deep", action="store_true", help="ask Kimi for real: costs one step")
    _json(doctor)

    setup = add(
        "setup",
        "register with Claude Code, install plugin and rule; shows it first",
        "setup --dry-run",
        "setup --kimi            installs Kimi Code, too, where none is usable",
        "setup --scope project   for all who work on this repository",
        "setup --remove",
    )
    setup.add_argument(
        "--scope",
        choices=["user", "project", "local"],
        default="user",
        help="for you everywhere, for all who work here, or for you here",
    )
    setup.add_argument("--no-plugin", action="store_true", help="rule, skills and hook as files")
    setup.add_argument("--no-allow", action="store_true", help="no allow rules for harmless tools")
    setup.add_argument("--kimi", action="store_true", help="install Kimi Code where none is usable")
    setup.add_argument("--remove", action="store_true", help="undo it, to the byte")
    setup.add_argument("--yes", action="store_true", help="do not ask")
    setup.add_argument("--dry-run", action="store_true", help="show it, and change nothing")

    hook = add("hook", "called by Claude Code: an event on stdin, its answer out")
    hook.add_argument("event", choices=["plan-approved"], help="what has happened")


def work(add: Add) -> None:
    """The commands that make Kimi work, and follow it."""
    spec = add(
        "spec",
        "turn a plan into a spec",
        "spec plan.md --dry-run   what it would say, and what it doubts",
        "spec plan.md             writes specs/NNN-slug.md",
    )
    spec.add_argument("plan", metavar="PLAN", help="a Markdown file")
    spec.add_argument("--dry-run", action="store_true", help="write nothing")
    spec.add_argument("--json", action="store_true", help="print tasks and findings, write nothing")
    spec.add_argument("--write", action="store_true", help="with --json: write the spec, too")
    _repo(spec, "default: around the current folder")

    dispatch = add(
        "dispatch",
        "let Kimi carry out a spec, and follow it",
        "dispatch 1 --dry-run     order, steps expected, what is in the way",
        "dispatch 1               follows it; leaving does not end it",
        "dispatch 1 --tasks 2,3 --background",
    )
    dispatch.add_argument("spec", metavar="SPEC", help="number or path")
    _tasks(dispatch, "only these task numbers")
    dispatch.add_argument("--profile", help="moderato, swarm or one of your own")
    dispatch.add_argument(
        "--base", metavar="COMMIT", help="start from it; HEAD, or WORKTREE: files as they are"
    )
    dispatch.add_argument("--over-quota", action="store_true", help="even if the quota may run out")
    dispatch.add_argument("--background", action="store_true", help="return at once")
    dispatch.add_argument("--dry-run", action="store_true", help="check only; nothing runs")
    _json(dispatch, "for scripts: what came of it, and nothing else")
    _repo(dispatch, "default: around the current folder")

    resume = add("resume", "continue what was interrupted, and follow it")
    _id(resume)
    _tasks(resume, "only these task numbers")

    revise = add(
        "revise",
        "have a task worked on again, or (without --feedback) judged again",
        'revise ID 2 --feedback "keep the old name as an alias"',
        "revise ID 2 --allow docs/names.md     costs no step",
        'revise ID 2 --check "pytest -q tests/names"',
    )
    _id(revise)
    revise.add_argument("task", type=int, metavar="N", help="the number of the task")
    revise.add_argument(
        "--feedback", metavar="WORDS", help="what Kimi is to change; its session goes on"
    )
    revise.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="PATH",
        help="accept its change of this file, too (repeatable)",
    )
    revise.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="PATH",
        help="undo its change of this file (repeatable)",
    )
    revise.add_argument(
        "--check", action="append", metavar="COMMAND", help="run it instead of the task's checks"
    )

    watch = add(
        "watch",
        "see live how a dispatch goes on; leaving does not end it",
        "watch",
        "watch ID | cat           a line for each change",
    )
    watch.add_argument("dispatch", metavar="ID", nargs="?", help="default: the live one")


def results(add: Add) -> None:
    """The commands about what came of it."""
    show = add(
        "show",
        "what came of a dispatch, or how it stands",
        "show                     the latest one",
        "show ID --view diff --task 2",
        "show ID --view timeline  who ran when, what waited on what",
        "show ID --html report.html",
    )
    show.add_argument("dispatch", metavar="ID", nargs="?", help="default: the latest one")
    show.add_argument("--task", type=int, metavar="N", help="only of this task")
    show.add_argument(
        "--view",
        choices=[*map(str, View), TIMELINE],
        default="summary",
        help="what to show (default: summary)",
    )
    show.add_argument(
        "--from-step",
        type=int,
        default=1,
        metavar="N",
        help="begin the transcript at this step",
    )
    way = show.add_mutually_exclusive_group()
    way.add_argument("--json", action="store_true", help="all but transcript and diff, for scripts")
    way.add_argument("--html", metavar="FILE", help="write a page to attach to a pull request")

    land = add(
        "land",
        "bring delivered work in, publish it, or throw it away",
        "land ID apply            into your checkout, uncommitted",
        "land ID squash --head 4c1d2e7",
    )
    _id(land)
    land.add_argument(
        "how",
        choices=HOWS,
        help="apply: uncommitted; squash, merge: commit onto the base; discard: throw it away",
    )
    _tasks(land, "only these, and what they depend on")
    land.add_argument(
        "--head", metavar="COMMIT", help="refuse if it is not this commit, the reviewed one"
    )

    clean = add("clean", "remove what earlier dispatches left and nobody needs", "clean --dry-run")
    clean.add_argument("--dry-run", action="store_true", help="tell, and remove nothing")
    _json(clean)

    history = add(
        "history",
        "the dispatches, newest first",
        "history --since 7d --state finished",
        "history --repo . --json",
    )
    _repo(history, "only of the repository around it")
    history.add_argument(
        "--since", metavar="WHEN", help="not older: 2026-11-01, or an age: 12h, 7d, 2w"
    )
    history.add_argument(
        "--state", choices=[*map(str, DispatchState)], help="only those in this state"
    )
    history.add_argument(
        "--limit", type=page_size, default=50, metavar="N", help="show at most N (default: 50)"
    )
    _json(history)
    way = history.add_mutually_exclusive_group()
    way.add_argument("--before", metavar="ID", help="the page before this dispatch")
    way.add_argument(
        "--salvage", action="store_true", help="copy what is readable of a damaged history anew"
    )

    stop = add("stop", "stop Kimi and all it started; the work is kept")
    _id(stop)


def account(add: Add) -> None:
    """The commands about what is paid and what is trusted."""
    profile = add("profile", "what profiles change, or switch to one", "profile", "profile swarm")
    profile.add_argument("name", metavar="NAME", nargs="?", help="switch to this one")
    _json(profile)

    quota = add("quota", "the steps used, and what is known to be left", "quota --report")
    quota.add_argument("--report", action="store_true", help="what the tasks have cost")
    _json(quota)

    trust = add("trust", "let a file's commands run where there is no fence")
    trust.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help="a spec, or a .kimi-mcp.toml (default: the repository's)",
    )
    way = trust.add_mutually_exclusive_group()
    way.add_argument("--revoke", action="store_true", help="trust it no longer")
    way.add_argument("--list", action="store_true", help="what is trusted")


def machines(add: Add) -> None:
    """The command about other machines."""
    cluster = add(
        "cluster",
        "other machines: who they are, start one, join one",
        "cluster                  nodes, versions, free slots, what runs there",
        "cluster head             start a cluster here; says how others join",
        "cluster join HOST:PORT --token-file FILE --slots 4",
        "cluster logs ID 2        what task 2 printed there, into a file here",
    )
    cluster.add_argument("do", nargs="?", choices=["head", "join", "logs"], help="default: show it")
    cluster.add_argument(
        "of", nargs="?", metavar="HOST:PORT | ID", help="join: the head; logs: whose"
    )
    cluster.add_argument("task", nargs="?", type=int, metavar="TASK", help="logs: of which task")
    cluster.add_argument("--name", help="what this machine is called (default: its host name)")
    cluster.add_argument("--host", help="the address of this machine that others reach")
    cluster.add_argument("--port", type=int, default=6379, help="head: its port (default: 6379)")
    cluster.add_argument("--slots", type=int, default=2, metavar="N", help="join: Kimis at once")
    cluster.add_argument(
        "--label",
        action="append",
        default=[],
        type=label,
        metavar="KEY=VALUE",
        help="join: what `cluster.labels` asks for (repeatable)",
    )
    cluster.add_argument("--token-file", metavar="FILE", help="join: a copy of the head's")
    _json(cluster)


def shell(add: Add) -> None:
    """The command for the shell."""
    completion = add(
        "completion",
        "print what makes a shell complete commands and options",
        "completion bash > ~/.local/share/bash-completion/completions/kimi-mcp",
        "completion zsh > ~/.zfunc/_kimi-mcp  (a folder of your fpath)",
        "completion fish > ~/.config/fish/completions/kimi-mcp.fish",
    )
    completion.add_argument("shell", choices=SHELLS, help="whose completion is wanted")


def _id(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("dispatch", metavar="ID", help="the dispatch; `kimi-mcp history` lists them")


def _json(verb: argparse.ArgumentParser, sentence: str = "print JSON, for scripts") -> None:
    verb.add_argument("--json", action="store_true", help=sentence)


def _repo(verb: argparse.ArgumentParser, sentence: str) -> None:
    verb.add_argument("--repo", metavar="DIR", help=sentence)


def _tasks(verb: argparse.ArgumentParser, sentence: str) -> None:
    verb.add_argument("--tasks", metavar="N,N", help=sentence)
