"""Every end of the CLIs that a scripted provider can bring about, each named truly.

The legacy CLI is four times as slow to start: of its provider endings a seeded share is run.
`FULL_CAMPAIGN=1 .venv/bin/pytest -s -n0 tests/kimi/test_kimi_endings.py` runs all and prints the
table.
"""

import os
import random
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dispatching import Done, configure, dispatched, specify
from endings import (
    MISSET,
    PROVIDER,
    SETTINGS,
    WATCHED,
    WATCHED_SETTINGS,
    Scenario,
    faults,
    misnamed,
    row,
    scripts_of,
    spec_of,
)
from kimi_mcp.kimi.dialect import DialectName
from kimi_mcp.lifecycle import Outcome
from living import until
from sandbox import Sandbox, StartModel
from survivors import living, processes_of

pytestmark = pytest.mark.timeout(300)  # the legacy CLI may have to be installed first

HALF = len(PROVIDER) // 2
PARTS = {"first": PROVIDER[:HALF], "second": PROVIDER[HALF:]}
SEED = 4
LEGACY_SHARE = 7  # of each part


def legacy_share(part: str) -> Sequence[Scenario]:
    if "FULL_CAMPAIGN" in os.environ:
        return PARTS[part]
    return random.Random(SEED).sample(PARTS[part], LEGACY_SHARE)


async def carried_out(
    scenarios: Sequence[Scenario], dialect: DialectName, sandbox: Sandbox, start: StartModel
) -> Done:
    start(scripts_of(scenarios, dialect))
    specify(sandbox, spec_of(scenarios))
    return await dispatched(sandbox, is_over_quota=True)


async def untrue_of_each(
    scenarios: Sequence[Scenario], dialect: DialectName, sandbox: Sandbox, start: StartModel
) -> dict[str, list[str]]:
    """Carry all out; one whose quota is gone pauses whatever runs beside it, so it runs alone."""
    gone = [one for one in scenarios if one.expected(dialect) is Outcome.QUOTA_EXHAUSTED]
    groups = [[one for one in scenarios if one not in gone], *([one] for one in gone)]
    found: dict[str, list[str]] = {}
    for group in filter(None, groups):
        done = await carried_out(group, dialect, sandbox, start)
        found |= untrue(group, done, dialect)
        await nothing_is_left(done)
    return found


def untrue(scenarios: Sequence[Scenario], done: Done, dialect: DialectName) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for number, scenario in enumerate(scenarios, start=1):
        print(row(scenario, done, number, dialect))  # noqa: T201  the campaign's table
        found[scenario.name] = [*faults(scenario, done, number, dialect)]
    return {name: said for name, said in found.items() if said}


async def nothing_is_left(done: Done) -> None:
    await until(lambda: not living(processes_of(done.id)))


@pytest.mark.parametrize("part", PARTS)
async def test_every_end_of_kimi_code_is_named_truly(
    part: str, sandbox: Sandbox, start_recorded_model: StartModel
):
    configure(SETTINGS)
    assert await untrue_of_each(PARTS[part], "code", sandbox, start_recorded_model) == {}


@pytest.mark.parametrize("part", PARTS)
async def test_every_end_of_the_legacy_cli_is_named_truly(
    part: str, sandbox: Sandbox, start_legacy_model: StartModel
):
    configure(SETTINGS)
    scenarios = legacy_share(part)

    assert await untrue_of_each(scenarios, "legacy", sandbox, start_legacy_model) == {}


async def test_each_watchdog_ends_kimi_code_and_leaves_no_process(
    sandbox: Sandbox, start_recorded_model: StartModel
):
    configure(WATCHED_SETTINGS)
    done = await carried_out(WATCHED, "code", sandbox, start_recorded_model)

    assert untrue(WATCHED, done, "code") == {}
    await nothing_is_left(done)


async def test_each_watchdog_ends_the_legacy_cli_and_leaves_no_process(
    sandbox: Sandbox, start_legacy_model: StartModel
):
    configure(WATCHED_SETTINGS)
    done = await carried_out(WATCHED, "legacy", sandbox, start_legacy_model)

    assert untrue(WATCHED, done, "legacy") == {}
    await nothing_is_left(done)


async def misset(dialect: DialectName, home: Path, sandbox: Sandbox) -> dict[str, list[str]]:
    """Dispatch a task with each configuration of the user's; say what is untrue of its end."""
    found: dict[str, list[str]] = {}
    for setting in MISSET:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        (home / "config.toml").write_text(setting.config.replace("URL", url), encoding="utf-8")
        profile = f'[profiles.moderato]\nmodel = "{setting.model}"\n' if setting.model else ""
        configure(f"[limits]\nattempts = 1\n{profile}")
        specify(sandbox, spec_of([replace(PROVIDER[0], name=setting.name)]))
        done = await dispatched(sandbox)
        found[setting.name] = [*misnamed(setting, done, dialect)]
    return {name: said for name, said in found.items() if said}


async def test_each_configuration_of_kimi_code_that_cannot_work_is_named(
    sandbox: Sandbox, start_model: StartModel, tmp_path: Path
):
    start_model({})

    assert await misset("code", tmp_path / "kimi-home", sandbox) == {}


async def test_each_configuration_of_the_legacy_cli_that_cannot_work_is_named(
    sandbox: Sandbox, start_legacy_model: StartModel, tmp_path: Path
):
    start_legacy_model({})

    assert await misset("legacy", tmp_path / "kimi-share", sandbox) == {}
