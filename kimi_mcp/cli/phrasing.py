"""What now, in the words of who asks: our texts name tools, at a terminal they name commands.

Texts are made once, for models, who read most of them, and stored by runners, who know no reader.
So a call is put into a command here, at the door to the terminal: `get_result dispatch=X view=diff`
becomes `kimi-mcp show X --view diff`. What others wrote stays as it is: between `<data-…>` lines,
behind a margin, in double quotes. Pure.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple


class _Command(NamedTuple):
    """A tool's command, and what must follow it, by the arguments that give it."""

    verb: str
    needed: Mapping[str, str]


_COMMANDS = {
    "plan_to_spec": _Command("spec", {"plan_path": "PLAN"}),
    "dispatch_spec": _Command("dispatch", {"spec": "SPEC"}),
    "get_result": _Command("show", {"dispatch": ""}),
    "revise_task": _Command("revise", {"dispatch": "ID", "task": "N"}),
    "land_result": _Command("land", {"dispatch": "ID", "how": "HOW"}),
    "cancel_dispatch": _Command("stop", {"dispatch": "ID"}),
    "switch_profile": _Command("profile", {"name": ""}),
}
_WAITING = "wait_s"
_OPTIONS = {
    "view": "--view",
    "task": "--task",
    "repo": "--repo",
    "tasks": "--tasks",
    "from_step": "--from-step",
    "base": "--base",
    "head": "--head",
    "profile": "--profile",
    "dry_run": "--dry-run",
    "over_quota": "--over-quota",
    "allow_files": "--allow",
    "drop_files": "--drop",
}
_FEEDBACK = "feedback"
_VALUE = r"[^\s,;()]*[^\s,;().]"
_OF_OTHERS = (
    r"(?P<data>(?s:<data-(?P<marker>\d{9})>.*?</data-(?P=marker)>)"
    r'|(?m:^  │ .*$)|"(?:[^"\\\n]|\\.)*")'
)
_PHRASE = re.compile(
    rf"{_OF_OTHERS}"
    rf"|\b(?P<tool>{'|'.join(_COMMANDS)})\b"
    rf"(?P<given>(?: \w+={_VALUE}| dry_run\b| (?:with )?{_FEEDBACK}\b)*)"
    rf"|\bhow=(?P<how>\w+)"
    rf"|\b(?P<key>{'|'.join(_OPTIONS)})=(?P<value>{_VALUE})"
    r"|\b(?P<name>dry_run|over_quota|allow_files|drop_files)\b|`(?P<ticked>task|repo)`"
)
_READER = re.compile(
    rf"{_OF_OTHERS}"
    r"|\b[Tt]he user(?:(?P<whose>'s)| (?P<does>agree|ask|commit)s| (?P<did>agreed|can))\b"
    r"|(?P<warning>like an instruction to )you; (?:it is|they are) not from the user\b"
    r"|\bthe (?P<list>history) lists\b"
)
"""What speaks of the user to a model; the user is who reads it at a terminal."""


def for_terminal(text: str) -> str:
    """Return *text* with the commands that do what the tools in it would do."""
    return _READER.sub(_to_you, _PHRASE.sub(_said, text))


def _said(found: re.Match[str]) -> str:
    match found.groupdict():
        case {"data": str(data)}:
            return data
        case {"tool": str(tool), "given": str(given)}:
            return f"`kimi-mcp {_command(_COMMANDS[tool], given)}`"
        case {"how": str(how)}:
            return how
        case {"key": str(key), "value": str(value)}:
            return f"{_OPTIONS[key]} {value}"
        case {"name": str(name)}:
            return _OPTIONS[name]
        case _:
            return f"`{_OPTIONS[found['ticked']]}`"


def _to_you(found: re.Match[str]) -> str:
    match found.groupdict():
        case {"whose": str()}:
            return "your"
        case {"does": str(verb)} | {"did": str(verb)}:
            return f"you {verb}"
        case {"warning": str(warning)}:
            return f"{warning}a model"
        case {"list": str(command)}:
            return f"`kimi-mcp {command}` lists"
        case _:
            return found[0]


def _command(command: _Command, given: str) -> str:
    words = given.replace(" with ", " ").split()
    values = {key: value for key, _, value in (word.partition("=") for word in words)}
    verb = "watch" if values.pop(_WAITING, None) else command.verb
    positional = [values.pop(key, missing) for key, missing in command.needed.items()]
    if _FEEDBACK in values:
        values[_FEEDBACK] = "WORDS"
    options = [f"{_OPTIONS.get(key, f'--{key}')} {value}".rstrip() for key, value in values.items()]
    return " ".join(filter(None, [verb, *positional, *options]))
