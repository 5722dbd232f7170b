"""(g) Eight tasks with a diamond and two chains, beside eight bare `kimi -p` in a shell loop.

The bare runs are started in the same order, as many at once, each with a clone of its own; they
know no dependencies and wait for none, and nobody merges or checks what they made.
"""

import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path

from kimi_mcp.demo.script import bash, say, write
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from kimi_mcp.dispatch.running.assignment import assignment
from kimi_mcp.kimi import brief, code, command
from kimi_mcp.kimi.detect import detect_kimi
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.spec.graph import waves
from kimi_mcp.spec.parse import parse
from kimi_mcp.state import StateFolder
from tests.bench.ground import OURS, SPEC_PATH, repository, settle
from tests.bench.pairing import interleave, milliseconds
from tests.bench.table import Aim, Row
from tests.bench.task import STEPS
from tests.bench.wire import Wire, connected

AT_ONCE = 3
NEEDS = {1: (), 2: (1,), 3: (1,), 4: (2, 3), 5: (), 6: (5,), 7: (), 8: (7,)}


def spec() -> str:
    """Write the spec of the eight tasks."""
    return "# Spec: 001 -- Eight parts\n\n## Tasks\n" + "\n".join(
        f"### Task {number}: Part {number}\n"
        + (f"Depends on: {', '.join(f'Task {n}' for n in needed)}\n" if needed else "")
        + f"Files:\n- CREATE part_{number}.py\nVerification:\n- `true`\n"
        for number, needed in NEEDS.items()
    )


def rows(scratch: Path, *, kimi: Path, rounds: int) -> list[Row]:
    """Measure `tools/call` to its reply, in milliseconds."""
    settle(scratch, kimi=kimi)
    project = repository(scratch / "project")
    project.write(SPEC_PATH, spec())
    project.commit()
    scripts = {
        f"# Your task ({number})": (
            write(f"part_{number}.py", f"PART = {number}\n"),
            bash("true"),
            say("done"),
        )
        for number in NEEDS
    }
    plain = (detect_kimi(StateFolder.locate()).argv[0], str(kimi))
    folders = (scratch / f"bare-{number}" for number in count())
    with ScriptedModel(scripts) as model, connected(OURS, cwd=project.root) as server:
        config = kimi_config(model)
        (scratch / "kimi-home/config.toml").write_text(config, encoding="utf-8")
        server.tools()
        ours, bare = interleave(
            [
                partial(milliseconds, partial(_dispatched, server)),
                partial(_bare, plain, project=project.root, folders=folders),
            ],
            rounds=rounds,
        )
    return [
        Row(
            figure="g eight tasks / a shell loop of kimi -p",
            unit="ms",
            ours=ours,
            yardstick=bare,
            aim=Aim("ratio", 1.10),
        )
    ]


def _dispatched(server: Wire) -> None:
    reply = server.call("dispatch_spec", spec="1", max_parallel=AT_ONCE)
    if ": 8 of 8 delivered" not in reply:
        raise RuntimeError(reply)


def _bare(argv: Sequence[str], *, project: Path, folders: Iterator[Path]) -> float:
    folder = next(folders)
    folder.mkdir()
    whole = parse(spec(), name="spec")
    home = Path(os.environ["KIMI_CODE_HOME"])
    lines: list[str] = []
    for number in (number for wave in waves(whole) for number in wave):
        order = assignment(whole, whole.task(number), step_budget=STEPS, dependency_changes=())
        turn = _turn(brief.compose(order), home)
        clone = folder / str(number)
        run = shlex.join(code.arguments(tuple(argv), turn))
        text = f"git clone -q --shared {project} {clone} && cd {clone} && {run} >/dev/null 2>&1\n"
        (folder / f"{number}.sh").write_text(text, encoding="utf-8")
        lines.append(f"{folder / f'{number}.sh'}\n")
    env = code.environment(passed_on(os.environ), os.environ, _turn("", home))
    loop = ["xargs", "-P", str(AT_ONCE), "-n", "1", "sh"]
    took_ms = milliseconds(
        partial(subprocess.run, loop, input="".join(lines).encode(), env=env, check=True)
    )
    if not all((folder / f"{n}/part_{n}.py").exists() for n in NEEDS):
        raise RuntimeError(f"a bare Kimi has not done its work in {folder}")
    return took_ms


def _turn(prompt: str, home: Path) -> command.Turn:
    return command.Turn(prompt=prompt, home=home, steps=STEPS, attempts=1)
