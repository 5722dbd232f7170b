"""doctor's look at the other machines: a scripted task is carried out by each."""

import json
import os
from pathlib import Path

import pytest

from kimi_mcp.cli import doctor_cluster
from kimi_mcp.cli.finding import Finding, State, looked
from kimi_mcp.demo import rehearsal
from machines import Machines
from patience import PATIENCE_S


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests may keep this machine busy."""
    monkeypatch.setattr(rehearsal, "BOUND_S", PATIENCE_S)


def found() -> list[Finding]:
    return [*looked("cluster", lambda: doctor_cluster.machines(os.environ))]


def test_each_machine_carries_out_a_scripted_task(
    abroad: Path, machines: Machines, kimi_main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readable = json.loads(os.environ["KIMI_MCP_ALLOW_READ"])
    monkeypatch.setenv("KIMI_MCP_ALLOW_READ", json.dumps([*readable, str(kimi_main.parents[3])]))
    with machines.real(kimi_main):
        told = found()

    assert [one.state for one in told] == [State.OK] * 5
    assert [one.evidence.split(":")[0] for one in told[3:]] == ["one", "two"]
    assert all("went there and came back, checked, in" in one.evidence for one in told[3:])
    assert not [*abroad.parent.glob("kimi-mcp-rehearsal-*")]


@pytest.mark.usefixtures("abroad")
def test_a_machine_whose_kimi_does_nothing_is_told_of_with_the_tasks_own_words() -> None:
    told = found()

    (one, two) = [finding for finding in told if finding.state is State.BAD]
    assert one.evidence.startswith("one: a scripted task was not carried out: ")
    assert "Kimi ended without changing any file." in two.evidence
    assert "`kimi-mcp doctor` there" in (one.remedy or "")


def test_a_task_that_no_slot_takes_is_given_up_after_its_bound(
    abroad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "BOUND_S", 3.0)

    came = rehearsal.rehearse(os.environ, host="127.0.0.1", labels={"disk": "nobody has this"})

    assert "is one of its slots free?" in (came.trouble or "")
    assert abroad.is_dir()


def test_a_cluster_is_looked_at_where_the_settings_name_one() -> None:
    assert not doctor_cluster.is_in_use(os.environ)
    assert doctor_cluster.is_in_use({**os.environ, "KIMI_MCP_CLUSTER_ADDRESS": "head:6379"})
    assert doctor_cluster.is_in_use({**os.environ, "KIMI_MCP_CLUSTER_POLICY": "overflow"})
    assert not doctor_cluster.is_in_use({**os.environ, "KIMI_MCP_CLUSTER_POLICY": "everywhere"})
