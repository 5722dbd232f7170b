"""The Inspector's command line, a client by other hands, drives every tool in both eras."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Literal

import pytest

from kimi_mcp.demo.script import say, write
from npm_programs import installed, node
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel

VERSION = "2.12.0"
ERROR = 5  # what it exits with when a tool says so

TASKS = [
    {
        "title": "Make one",
        "files": ["CREATE one.py"],
        "requirements": ["ONE is 1"],
        "verification": ["python3 -c 'import one'"],
    }
]


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_every_tool_is_driven(
    sandbox: Sandbox, start_model: StartModel, era: Literal["legacy", "modern"]
) -> None:
    start_model({"# Your task (1)": (write("one.py", "ONE = 1\n"), say("done"))})
    client = Inspector(sandbox, era)
    listed = {tool["name"] for tool in client.ask("tools/list")["tools"]}
    driven: dict[str, str] = {}

    def call(tool: str, **arguments: object) -> str:
        driven[tool] = client.call(tool, arguments)
        return driven[tool]

    assert "specs/001-one-part.md" in call("plan_to_spec", tasks=TASKS, title="One part")
    sandbox.commit()
    dispatched = call("dispatch_spec", spec="1")
    assert "1 of 1 delivered" in dispatched
    dispatch = dispatched.split(":", 1)[0]
    assert "+ONE = 1" in call("get_result", view="diff")
    assert f"{dispatch}: 1 of 1 delivered" in call("revise_task", dispatch=dispatch, task=1)
    assert "Nothing of it was running." in call("cancel_dispatch", dispatch=dispatch)
    assert "moderato" in call("switch_profile")
    if "land_result" in listed:
        call("land_result", dispatch=dispatch, how="apply")
        assert (sandbox.root / "one.py").read_text(encoding="utf-8") == "ONE = 1\n"

    assert set(driven) == listed
    assert client.call("get_result", {"dispatch": "nothing"}, code=ERROR)


class Inspector:
    """Its command line in front of our server; each call is a connection of its own."""

    def __init__(self, sandbox: Sandbox, era: Literal["legacy", "modern"]) -> None:
        modules = installed("@modelcontextprotocol/inspector", VERSION) / "node_modules"
        folder = modules / "@modelcontextprotocol/inspector"
        program = json.loads((folder / "package.json").read_text("utf-8"))["bin"]["mcp-inspector"]
        self._argv = [str(node()), str(folder / program), "--cli"]
        self._argv += [sys.executable, "-m", "kimi_mcp", "--protocol-era", era]
        self._argv += ["-q", "--format", "json"]
        ours = {name: value for name, value in os.environ.items() if name.startswith("KIMI_")}
        for name, value in ours.items():  # of its own environment it hands little on
            self._argv += ["-e", f"{name}={value}"]
        self._sandbox = sandbox

    def call(self, tool: str, arguments: Mapping[str, object], *, code: int = 0) -> str:
        """Call a tool, and return what it says."""
        result = self.ask(
            "tools/call",
            *("--tool-name", tool, "--tool-args-json", json.dumps(arguments)),
            code=code,
        )
        return "\n".join(part["text"] for part in result["content"])

    def ask(self, method: str, *words: str, code: int = 0) -> dict[str, Any]:
        """Send one request."""
        done = subprocess.run(
            [*self._argv, "--method", method, *words],
            cwd=self._sandbox.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)["result"]
