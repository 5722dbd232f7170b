"""Fixtures of tests on other machines."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from machines import FAKE, Machines


@pytest.fixture(scope="module")  # it takes a part of a core for as long as it stands
def machines() -> Iterator[Machines]:
    folder = Path(tempfile.mkdtemp(prefix="k", dir="/tmp"))  # Ray's sockets need a short path
    program = folder / "kimi"
    program.write_text(
        f'#!/bin/sh\n[ -e "{folder}/real" ] && exec "{folder}/real" "$@"\n'
        f'exec "{sys.executable}" -S "{FAKE}" "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    made = Machines(folder, program)
    try:
        made.begin()
        made.join("one")
        made.join("two")
        yield made
    finally:
        made.end()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def abroad(machines: Machines, noticeboard: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything is carried out on the nodes; return where Kimi may leave notes."""
    monkeypatch.setenv("KIMI_MCP_KIMI", str(machines.kimi))
    monkeypatch.setenv("KIMI_MCP_CLUSTER_ADDRESS", machines.address)
    monkeypatch.setenv("KIMI_MCP_CLUSTER_TOKEN_FILE", str(machines.token))
    monkeypatch.setenv("KIMI_MCP_CLUSTER_POLICY", "cluster")
    readable = [str(FAKE.parent), sys.prefix, sys.base_prefix, str(machines.folder)]
    monkeypatch.setenv("KIMI_MCP_ALLOW_READ", json.dumps(readable))
    return noticeboard
