"""The picture in the README, made from real terminals: `.venv/bin/python tests/pictures.py`.

The demo's story with the real Kimi Code and the scripted model, held in the middle for the live
view. What is on the screens is drawn as it is, colours included; nothing is loaded by the picture.
"""

import os
import re
import sys
import tempfile
import threading
from dataclasses import replace
from io import StringIO
from pathlib import Path

import anyio
from rich.console import Console
from rich.text import Text

from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from kimi_mcp.demo.story import PLAN, PROGRAM, scripts
from kimi_mcp.kimi.install import install_kimi_code
from kimi_mcp.workspace.scratch import new_repository
from terminal import Terminal

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / ".pictures" / "loop.svg"
COLUMNS, ROWS = 100, 24
HELD = {"# Your task (1)": 3, "# Your task (2)": 2}  # by task: the reply that waits
_FROM_ELSEWHERE = re.compile(r"\s*(?:@font-face \{.*?\}|<!-- Generated .*?-->)", re.DOTALL)


async def screens(folder: Path) -> list[str]:
    """Play the loop in terminals, and return what was to be seen, with its colours."""
    project, home = folder / "letters", folder / "kimi-home"
    new_repository(project, PROGRAM, message="A small program")
    (folder / "plan.md").write_text(PLAN, encoding="utf-8")
    held = threading.Event()
    story = {
        task: tuple(
            replace(reply, wait_for=held) if place == HELD.get(task) else reply
            for place, reply in enumerate(replies)
        )
        for task, replies in scripts().items()
    }
    main = install_kimi_code(ROOT / ".cache" / "kimi", say=print)
    with ScriptedModel(story) as model:
        home.mkdir()
        (home / "config.toml").write_text(kimi_config(model), encoding="utf-8")
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "KIMI_MCP_HOME": str(folder / "state"),
            "KIMI_CODE_HOME": str(home),
            "KIMI_MCP_KIMI": str(main),
            "PYTHONPATH": str(ROOT),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
        }

        def terminal(*words: str) -> Terminal:
            argv = [sys.executable, "-m", "kimi_mcp", *words]
            tmux = folder / "screens"
            return Terminal(tmux, argv, cwd=project, env=env, columns=COLUMNS, rows=ROWS)

        with terminal("spec", "../plan.md") as one:
            await one.is_over()
            planned = one.coloured().replace(str(project), "~/letters")
        with terminal("dispatch", "1") as two:
            await two.shows(r"4/100")
            await two.shows(r"Write tests/test_longest")
            working = two.coloured()
            held.set()
            await two.is_over()
        with terminal("show", "--view", "timeline") as three:
            await three.is_over()
            done = three.coloured()
    return [f"$ kimi-mcp spec plan.md\n{planned}", f"$ kimi-mcp dispatch 1\n{working}",
            f"$ kimi-mcp show --view timeline\n{done}"]  # fmt: skip


def drawn(shown: list[str]) -> str:
    """Draw screens one below the other."""
    console = Console(width=COLUMNS, record=True, file=StringIO(), force_terminal=True)
    for screen in shown:
        text = re.sub(r"\n*(?:\x1b\[[0-9;]*m)*Pane is dead.*", "", screen)
        console.print(Text.from_ansi(text), "\n")
    picture = console.export_svg(title="kimi-mcp", unique_id="loop")
    return _FROM_ELSEWHERE.sub("", picture).replace("Fira Code, ", "")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(drawn(anyio.run(screens, Path(name))), encoding="utf-8")
