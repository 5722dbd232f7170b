"""The whole loop on a scratch repository: plan, spec, dispatch, checked result.

Everything is real (Kimi Code, git, the runner, the checks) but the model, which answers from a
script on loopback; `--real` takes the user's own Kimi and login instead. Nothing but the private
Kimi Code is left in the state folder; the scratch folder is kept to be looked at.
"""

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, aclosing
from pathlib import Path

import anyio

from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from kimi_mcp.demo.story import PLAN, PROGRAM, scripts
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.launch import launch
from kimi_mcp.dispatch.planning.specs import PlanWish, write_spec
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.kimi.install import install_kimi_code
from kimi_mcp.review import showing
from kimi_mcp.review.report import report
from kimi_mcp.review.telling import told
from kimi_mcp.state import StateFolder
from kimi_mcp.workspace.scratch import new_repository

Say = Callable[[str], None]
Timing = Callable[[], AbstractContextManager[Say]]

PLAN_FILE = "report-plan.md"


def tour(
    *,
    is_real: bool,
    say: Say,
    timing: Timing,
    opened: Callable[[Mapping[str, str]], Workbench],
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Run the demo; return 0 when every task was delivered, else 1.

    Args:
        is_real: with the user's own Kimi and login.
        say: tells a line.
        timing: tells a line as well, and that what it announces goes on until it is left.
        opened: opens the workbench of an environment, for who reads what is said.
        environ: whose Kimi and settings.

    Raises:
        KimiMcpError: something that the demo needs is missing; the message says what.
    """
    began = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="kimi-mcp-demo-"))
    project = scratch / "letters"
    new_repository(project, PROGRAM, message="A small program")
    (scratch / PLAN_FILE).write_text(PLAN, encoding="utf-8")
    say(f"A scratch repository with a small program: {project}")
    with ExitStack() as stack:
        env = {**environ, "KIMI_MCP_HOME": str(scratch / "state")}
        if is_real:
            say("With your own Kimi and login: this costs steps of your plan.")
        else:
            env |= _scripted_kimi(scratch, stack, timing=timing, environ=environ)
            say("The model is SCRIPTED: its answers were written beforehand. All else is real.")
        code = _loop(opened(env), scratch, project, say=say)
    say(f"\nThat took {time.monotonic() - began:.0f} s. Have a look:")
    say(f"  git -C {project} log --oneline --graph --all")
    say(f"  the spec:   {project}/specs")
    say(f"  everything: {scratch} (delete it when you like)")
    say(f"With `export KIMI_MCP_HOME={scratch / 'state'}` the commands above work on it, and so do")
    say("`kimi-mcp history`, `kimi-mcp show --view timeline` and `kimi-mcp show --html FILE`.")
    return code


def _scripted_kimi(
    scratch: Path, stack: ExitStack, *, timing: Timing, environ: Mapping[str, str]
) -> dict[str, str]:
    """Install Kimi Code privately, serve its model; return what the environment needs for both."""
    with timing() as begin:
        main = install_kimi_code(StateFolder.locate(environ).kimi_install, say=begin)
    model = stack.enter_context(ScriptedModel(scripts()))
    home = scratch / "kimi-home"
    home.mkdir()
    (home / "config.toml").write_text(kimi_config(model), encoding="utf-8")
    return {"KIMI_MCP_KIMI": str(main), "KIMI_CODE_HOME": str(home)}


def _loop(bench: Workbench, scratch: Path, project: Path, *, say: Say) -> int:
    say(f"\n1. The plan ({scratch / PLAN_FILE}) becomes a spec.\n")
    plan = str(scratch / PLAN_FILE)
    say(write_spec(bench, PlanWish(plan_path=plan, repo=str(project), is_persons=True)))
    say("\n2. Kimi carries the spec out, each task in a private clone.\n")
    launched = launch(bench, LaunchWish(spec="1", repo=str(project)))
    anyio.run(_follow, bench, launched.dispatch, say)
    say("\n3. The result, checked by running the spec's commands ourselves.\n")
    found = report(bench, launched.dispatch)
    say(showing.final_text(found, bench.envelope()))
    return 0 if len(found.delivered) == len(found.tasks) else 1


async def _follow(bench: Workbench, dispatch: DispatchId, say: Say) -> None:
    async with aclosing(told(bench, dispatch)) as happening:
        async for _, line in happening:
            if line is not None:
                say(f"   {line}")
