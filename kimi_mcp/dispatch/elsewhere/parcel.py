"""What another machine is told of an attempt, and the attempt as it is carried out there.

The same code does it there: the parcel becomes a `TaskWork` again, with a ledger, a folder and a
Kimi of that machine's own.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio

from kimi_mcp.dispatch.errand import Amendments, Purpose, amended
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.running.confines import Confines
from kimi_mcp.dispatch.running.work import Earlier, TaskWork
from kimi_mcp.kimi.detect import detect_kimi
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.home import user_home
from kimi_mcp.quoting.shapes import Redact
from kimi_mcp.spec.parse import parse
from kimi_mcp.state import RunFolder, StateFolder
from kimi_mcp.workspace.carrying import open_store, take_into_store
from kimi_mcp.workspace.clone import open_ledger
from kimi_mcp.workspace.likeness import Likeness, lay_likeness

FIRST_PORT = 21_000  # above those of the slots at home, which may be the same machine
PORTS = 10
ATTEMPTS = 200  # that have ports of their own at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the runner knows that the work alone does not tell."""

    spec: str
    amendments: Mapping[int, Mapping[str, Any]]
    boundary: str  # the dispatch's base: no history before it is sent
    key: str  # of the repository, among those that a node holds
    likeness: Likeness


def repository_key(common_dir: Path) -> str:
    """Name a repository as no other on any machine is named."""
    return hashlib.sha256(f"{os.uname().nodename}\0{common_dir}".encode()).hexdigest()[:24]


def tips_of(work: TaskWork) -> list[str]:
    """Name the commits that the attempt needs."""
    return sorted({work.base, work.parent})


def parcel_of(work: TaskWork, sent: Sent) -> dict[str, Any]:
    """Write an attempt down, as JSON values."""
    earlier = work.earlier
    return {
        "dispatch": work.dispatch,
        "spec": sent.spec,
        "amendments": {str(number): values for number, values in sent.amendments.items()},
        "boundary": sent.boundary,
        "key": sent.key,
        "likeness": sent.likeness.to_json(),
        "task": work.task.number,
        "attempt": work.attempt,
        "base": work.base,
        "earlier": earlier and {"commit": earlier.commit, "is_reconciled": earlier.is_reconciled},
        "purpose": work.purpose,
        "feedback": work.feedback,
        "drop_files": work.drop_files,
        "dependency_changes": work.dependency_changes,
        "orders": {**work.orders.to_json(), "cluster": None},
        "brought": _brought(work),
        "tips": tips_of(work),
    }


def _brought(work: TaskWork) -> dict[str, str]:
    files = ((path, work.checkout / path) for path in work.orders.bring)
    return {
        path: base64.b64encode(file.read_bytes()).decode() for path, file in files if file.is_file()
    }


def unpacked(
    parcel: Mapping[str, Any],
    *,
    folder: Path,
    kimi_config: str | None,
    state: StateFolder,
    host: Mapping[str, str],
    redact: Redact,
) -> TaskWork:
    """Make the attempt ready on this machine, from what was sent and the pack beside it.

    Args:
        parcel: as `parcel_of` wrote it.
        folder: the attempt's, with the pack.
        kimi_config: Kimi's configuration, where the user hands it over; else this machine's own.
        state: this machine's.
        host: this process's environment.
        redact: takes the secrets out of a text.

    Raises:
        KimiMcpError: the pack is not whole, or there is no Kimi here.
    """
    told = Likeness.from_json(parcel["likeness"])
    store = state.root / "cluster/repositories" / parcel["key"]
    open_store(store, told.object_format)
    take_into_store(store, folder / "pack", parcel["tips"], boundary=parcel["boundary"])
    checkout = folder / "brought"
    checkout.mkdir()
    for path, content in parcel["brought"].items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_bytes(base64.b64decode(content))
    repository = lay_likeness(
        told,
        folder / "repository",
        objects=store / "objects",
        head=parcel["base"],
        boundary=parcel["boundary"],
        root=checkout,
    )
    run = RunFolder(folder / "run")
    ledger = open_ledger(repository, run.git)
    orders = _orders_here(parcel, state, host, handed=_handed(folder, kimi_config))
    spec = amended(
        parse(parcel["spec"]),
        {int(n): Amendments.from_json(values) for n, values in parcel["amendments"].items()},
    )
    earlier, task = parcel["earlier"], run.task(parcel["task"])
    return TaskWork(
        dispatch=parcel["dispatch"],
        spec=spec,
        task=spec.task(parcel["task"]),
        attempt=parcel["attempt"],
        base=parcel["base"],
        earlier=earlier and Earlier(session_id=None, **earlier),
        purpose=Purpose(parcel["purpose"]),
        feedback=parcel["feedback"],
        rival=None,
        drop_files=tuple(parcel["drop_files"]),
        dependency_changes=tuple(parcel["dependency_changes"]),
        orders=orders,
        checkout=checkout,
        ledger=ledger,
        folder=task,
        confines=Confines(
            task,
            port=FIRST_PORT + os.getpid() % ATTEMPTS * PORTS,
            orders=orders,
            host=host,
            repository=(str(ledger.git_dir), str(repository.objects), str(store / "objects")),
        ),
        host=host,
        paused=anyio.Event(),
        redact=redact,
    )


def _orders_here(
    parcel: Mapping[str, Any], state: StateFolder, host: Mapping[str, str], *, handed: Path | None
) -> Orders:
    """Let the orders name this machine's Kimi and folders."""
    kimi = detect_kimi(state, environ=host)
    return replace(
        Orders.from_json(parcel["orders"]),
        kimi_argv=kimi.argv,
        kimi_version=kimi.version,
        kimi_dialect=kimi.dialect,
        kimi_home=str(handed or user_home(host, DIALECTS[kimi.dialect])),
        kimi_files=(str(state.kimi_install), str(state.compile_cache)),
        caches=str(state.cache / "tools" / parcel["key"]),
    )


def _handed(folder: Path, kimi_config: str | None) -> Path | None:
    """Write what the user hands over where Kimi's own home would be; its owner alone reads it."""
    if kimi_config is None:
        return None
    home = folder / "handed"
    home.mkdir(mode=0o700)
    descriptor = os.open(home / "config.toml", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(kimi_config)
    return home
