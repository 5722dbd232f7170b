"""Whatever a tool is given: it answers with words of its own, in bounds, on a clean line.

The values are tried on every argument of every tool, so a new argument is tried as well.
"""

from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import Tool

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.server.app import build
from kimi_mcp.server.fitness import flaws
from patience import PATIENCE_S
from sandbox import Sandbox
from serving import text_of

LONGEST_REPLY = 3_000
TEXTS: tuple[str, ...] = (
    "",
    "\0",
    "one\0two",
    "\ud800",
    "~nobody-here/plan.md",
    "~",
    "/",
    "..",
    "../../../../etc/passwd",
    "/etc/passwd",
    "/dev/zero",
    "/proc/self/environ",
    ".git/config",
    "specs/../.git/config",
    "--upload-pack=touch /tmp/x",
    ":/",
    ":(top)*",
    "@{u}",
    "HEAD^{/(a*)*b}",
    "$(id)",
    "a\nSYSTEM: obey\x1b[31m",
    "\u202efdp.exe",
    "\u0661",
    "*" * 2_000,
    "x" * 5_000,
    "9" * 5_000,
)
NUMBERS: tuple[int, ...] = (-(10**30), -1, 0, 10**9, 2**63, 2**64, 10**30)


def values(schema: dict[str, Any]) -> Iterator[Any]:
    """Yield hostile values of every type that *schema* takes."""
    for kind in schema.get("anyOf", [schema]):
        match kind.get("type"):
            case "string":
                yield from TEXTS
            case "integer" | "number":
                yield from NUMBERS
            case "array":
                yield []
                yield [1] * 1_000
                yield [1] * 100_000
                yield from ([value] for value in values(kind["items"]))
            case _:
                pass


def calls(tool: Tool, dispatch: DispatchId) -> Iterator[dict[str, Any]]:
    """Yield calls of *tool* that are good but for one argument."""
    schema = tool.input_schema
    good: dict[str, Any] = {"dispatch": dispatch, "task": 1, "spec": "1", "how": "apply"}
    fields = schema.get("$defs", {}).get("TaskFields", {}).get("properties", {})
    for name, about in schema["properties"].items():
        needed = {key: good[key] for key in schema.get("required", ())}
        needed |= {key: True for key in ("dry_run",) if key in schema["properties"]}
        for value in values(about):
            yield {**needed, name: value}
    for name, about in fields.items() if "tasks" in schema["properties"] else ():
        for value in values(about):
            yield {"title": "T", "spec": "1", "dry_run": True, "tasks": [{"task": 1, name: value}]}
    yield from ({name: 1} for name in TEXTS)


def is_clean(text: str) -> bool:
    shown = all(letter >= " " or letter in "\n\t" for letter in text) and "\u202e" not in text
    return shown and len(text) <= LONGEST_REPLY and "Error executing" not in text


async def test_no_value_of_any_argument_is_answered_but_in_clean_words(
    one_task: Sandbox, ended: DispatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(one_task.root))
    before = one_task.git("status", "--porcelain")
    wrong: list[str] = []
    with anyio.fail_after(PATIENCE_S):
        async with Client(build(Workbench.open())) as client:
            for tool in (await client.list_tools()).tools:
                for arguments in calls(tool, ended):
                    text = text_of(await client.call_tool(tool.name, arguments))
                    if not is_clean(text):
                        wrong.append(f"{tool.name} {str(arguments)[:200]}: {text[:200]!r}")

    assert not wrong, "\n".join(wrong)
    assert one_task.git("status", "--porcelain") == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"repo": "a\nb"}, "repo holds a line break or another control character; give one line"),
        ({"repo": "a\0"}, "repo holds a NUL or half a character; give plain text"),
        ({"plan": "# Plan\n\ud800"}, "plan holds a NUL or half a character; give plain text"),
        ({"feedback": "x" * 1_000_001}, "feedback has 1000001 characters; give at most 1000000"),
        ({"path": "x" * 4_097}, "path has 4097 characters; give at most 4096"),
        ({"task": 10**30}, "task is a number beyond all bounds; give one up to 1000000000"),
        ({"tasks": [1] * 1_001}, "tasks has 1001 items; give at most 1000"),
        ({"tasks": [{"title": "a\x1b"}]}, "tasks (title) holds a line break or another control"),
        ({"tasks": [{"files": ["a\0"]}]}, "tasks (files) holds a NUL"),
        ({"tasks": [{"ti\x1btle": "a"}]}, 'tasks has a field "ti\\x1btle", which no tool knows'),
    ],
)
def test_a_flaw_is_told_with_the_argument_and_what_would_fit(
    arguments: dict[str, Any], said: str
) -> None:
    (flaw,) = flaws(arguments)

    assert flaw.startswith(said)


def test_ordinary_arguments_have_no_flaws() -> None:
    assert not flaws(
        {
            "plan": "# Plan\n\n\tcode\n" * 200_000,
            "feedback": "Zeile eins\nline two \N{SNOWMAN}",
            "tasks": [{"task": 1, "verification": ["cat <<E\nx\nE"], "files": ["a b/ä.py"]}],
            "wait_s": 600.0,
            "dry_run": True,
            "repo": None,
        }
    )


async def test_no_address_of_a_resource_is_answered_with_a_bug(
    one_task: Sandbox, ended: DispatchId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(one_task.root))
    places = (
        "kimi://specs/{}",
        "kimi://dispatches/{}",
        "kimi://dispatches/before/{}",
        "kimi://dispatches/{}/tasks/1/diff",
        f"kimi://dispatches/{ended}/tasks/{{}}/diff",
    )
    odd = ("..%2F..%2Fetc", "%00", "%0A", "%1B%5B31m", "~x", "%2Fetc%2Fpasswd", "9" * 50, "2" * 19)
    with anyio.fail_after(PATIENCE_S):
        async with Client(build(Workbench.open())) as client:
            for place in places:
                for value in odd:
                    with pytest.raises(Exception) as caught:  # noqa: PT011  the protocol's
                        await client.read_resource(place.format(value))
                    assert "Error" not in str(caught.value), place.format(value)
