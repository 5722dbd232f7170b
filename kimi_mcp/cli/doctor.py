"""Is everything here that the whole chain needs? Each link: state, evidence, remedy.

Nothing is changed, and no step is spent unless asked for. A link that breaks does not keep the
others from being looked at.
"""

import argparse
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from kimi_mcp.claude.places import Places, Scope
from kimi_mcp.cli import doctor_claude, doctor_cluster, doctor_kimi, doctor_machine
from kimi_mcp.cli.finding import Finding, Look, State, looked

MOST_COLUMNS = 100
NOT_GOOD = 1


def doctor(arguments: argparse.Namespace) -> int:
    """Look at every link, and tell of each."""
    columns = min(shutil.get_terminal_size((80, 24)).columns, MOST_COLUMNS)
    found: list[Finding] = []
    if arguments.deep and not arguments.json:
        print("Asks Kimi one real question: this costs one step.", flush=True)
    for finding in examine(os.environ, Path.cwd(), is_deep=arguments.deep):
        found.append(finding)
        if not arguments.json:
            print(finding.text(columns), flush=True)
    if arguments.json:
        print(json.dumps([finding.plain() for finding in found], indent=2))
    return NOT_GOOD if any(finding.state is State.BAD for finding in found) else 0


def examine(
    environ: Mapping[str, str], folder: Path, *, is_deep: bool = False
) -> Iterator[Finding]:
    """Look at every link in turn; the same fault is told once, where it is first met."""
    told: set[str] = set()
    for name, look in _links(environ, folder, is_deep=is_deep):
        for finding in looked(name, look):
            if finding.state is not State.BAD or finding.evidence not in told:
                yield finding
            told.add(finding.evidence)


def _links(
    environ: Mapping[str, str], folder: Path, *, is_deep: bool
) -> Iterator[tuple[str, Look]]:
    machine, kimi, claude = doctor_machine, doctor_kimi, doctor_claude
    places = Places.of(Scope.USER, folder=folder, environ=environ)
    yield "kimi-mcp", lambda: machine.ourselves(environ)
    yield "settings", lambda: machine.settings(environ)
    yield "project", lambda: machine.project(environ, folder)
    yield "state folder", lambda: machine.state(environ)
    yield "disk", lambda: machine.disk(environ)
    yield "clock", lambda: machine.clock(environ, datetime.now(UTC))
    yield "git", machine.git
    yield "fence", lambda: machine.fence(environ)
    yield "Kimi", lambda: kimi.kimi(environ)
    yield "Kimi's config", lambda: kimi.config(environ)
    yield "Kimi's login", lambda: kimi.account(environ)
    if is_deep:
        yield "Kimi's answer", lambda: kimi.prompt(environ)
    if doctor_cluster.is_in_use(environ):
        yield "cluster", lambda: doctor_cluster.machines(environ)
    yield "Claude Code", lambda: claude.client(environ)
    if claude.is_in_use(environ, places):
        yield "server", lambda: claude.server(environ, places)
        yield "plugin", lambda: claude.plugin(places)
        yield "hook", lambda: claude.hook(environ, places)
        yield "rule", lambda: claude.rule(places, claude.receipts(folder, environ))
