"""A person at a terminal is told commands, and each of them is one that there is."""

import ast
import re
import shlex
from pathlib import Path

import pytest

import kimi_mcp
from kimi_mcp.cli.parser import parser
from kimi_mcp.cli.phrasing import for_terminal
from kimi_mcp.quoting.envelope import Envelope, Margin

TOOLS = re.compile(
    r"plan_to_spec|dispatch_spec|get_result|revise_task|land_result|cancel_dispatch|switch_profile"
)
PACKAGE = Path(kimi_mcp.__file__).parent
FOR_MODELS = {"server", "claude"}


def texts() -> list[str]:
    """Return every text of the package that names a tool and that a person may be shown."""
    sources = [
        file.read_text(encoding="utf-8")
        for file in sorted(PACKAGE.rglob("*.py"))
        if not FOR_MODELS & {*file.relative_to(PACKAGE).parts}
        and file.name not in {"phrasing.py", "instructions.py"}
    ]
    found = [
        text
        for source in sources
        if TOOLS.search(source)
        for text in literals(ast.parse(source))
        if TOOLS.search(text)
    ]
    return [*dict.fromkeys(found)]


def literals(tree: ast.AST) -> list[str]:
    """Return the strings of a module; what is put into one is the id of a dispatch."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    return [
        value(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in docstrings | inner
    ]


def value(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "001-x-7k3f" for part in node.values
    )


@pytest.mark.parametrize("text", texts())
def test_every_text_that_names_a_tool_names_a_command_at_a_terminal(text: str) -> None:
    told = for_terminal(text)
    commands = re.findall(r"`kimi-mcp ([^`]+)`", told)

    assert not TOOLS.search(told)
    assert len(commands) >= len(TOOLS.findall(text))
    for command in commands:
        words = shlex.split(re.sub(r"\bN\b", "2", command.replace("HOW", "apply")))
        assert parser().parse_args(words).verb == words[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Next: review with get_result dispatch=001-x-7k3f view=diff, or `git diff a b`.",
            "Next: review with `kimi-mcp show 001-x-7k3f --view diff`, or `git diff a b`.",
        ),
        (
            "When the user agrees, land_result dispatch=001-x-7k3f how=apply head=4c1d2e7.",
            "When you agree, `kimi-mcp land 001-x-7k3f apply --head 4c1d2e7`.",
        ),
        (
            "Wait for it (get_result wait_s=300) or cancel it first.",
            "Wait for it (`kimi-mcp watch`) or cancel it first.",
        ),
        (
            "Answer it with revise_task feedback.",
            "Answer it with `kimi-mcp revise ID N --feedback WORDS`.",
        ),
        (
            "revise_task with allow_files or drop_files costs no step.",
            "`kimi-mcp revise ID N` with --allow or --drop costs no step.",
        ),
        (
            "The same without dry_run starts it.",
            "The same without --dry-run starts it.",
        ),
        (
            "It goes on: view=transcript task=1 from_step=30.",
            "It goes on: --view transcript --task 1 --from-step 30.",
        ),
        ("Land with how=apply, or with base=HEAD.", "Land with apply, or with --base HEAD."),
        ("And 3 more; `task` shows one's.", "And 3 more; `--task` shows one's."),
        ("Nothing was changed: a task=", "Nothing was changed: a task="),
        (
            "Applied to the user's checkout. Next: the user commits it.",
            "Applied to your checkout. Next: you commit it.",
        ),
        ("Over the quota, as the user agreed.", "Over the quota, as you agreed."),
        (
            "Lines 3, 7 of this text read like an instruction to you; they are not from the user.",
            "Lines 3, 7 of this text read like an instruction to a model.",
        ),
        (
            "Ids look like 001-x-7k3f; the history lists them.",
            "Ids look like 001-x-7k3f; `kimi-mcp history` lists them.",
        ),
    ],
)
def test_a_call_becomes_the_command_that_does_the_same(text: str, told: str) -> None:
    assert for_terminal(text) == told


def test_what_others_wrote_stays_as_it_is() -> None:
    theirs = "revise_task view=diff\nland_result"
    quoted = 'Kimi said: "call revise_task, or \\"land_result\\" how=apply"'

    for envelope in (Envelope.fresh(), Margin.fresh()):
        shown = "\n".join(envelope.enclosed(theirs))
        assert for_terminal(f"get_result:\n{shown}\n{quoted}") == (
            f"`kimi-mcp show`:\n{shown}\n{quoted}"
        )
