"""`kimi-mcp completion`: a script for the shell, made from the command line itself by shtab.

Printed by who installs it, not computed at each Tab: only ids are asked for then.
"""

import argparse
from typing import cast

import shtab

from kimi_mcp.cli.parser import parser

_FUNCTION = "_kimi_mcp_ids"
_IDS = "kimi-mcp history 2>/dev/null | sed -n 's/^| \\([0-9][^ ]*\\) .*/\\1/p'"
_PREAMBLE = {
    "bash": f'{_FUNCTION}() {{ compgen -W "$({_IDS})" -- "$1"; }}\n',
    "zsh": f'{_FUNCTION}() {{ compadd -- ${{(f)"$({_IDS})"}}; }}\n',
    "fish": f"function {_FUNCTION}; {_IDS}; end\n",
}


def completion(arguments: argparse.Namespace) -> int:
    """Print the script for a shell."""
    print(script(arguments.shell))
    return 0


def script(shell: str) -> str:
    """Write the completion script for *shell*."""
    top = parser()
    _name_values(top)
    return shtab.complete(top, shell, preamble=cast("str", _PREAMBLE))  # it takes both


def _name_values(parent: argparse.ArgumentParser) -> None:
    """Say of each argument what its values are: files, folders, ids."""
    for action in parent._actions:  # noqa: SLF001  argparse shows them in no other way
        if isinstance(action.choices, dict):
            for child in cast("dict[str, argparse.ArgumentParser]", action.choices).values():
                _name_values(child)
        elif action.metavar in _VALUES:
            vars(action)["complete"] = _VALUES[action.metavar]  # where shtab looks for it


_VALUES = {
    **dict.fromkeys(("PLAN", "SPEC", "FILE", "PATH"), shtab.FILE),
    "DIR": shtab.DIRECTORY,
    "ID": {"bash": _FUNCTION, "zsh": _FUNCTION, "fish": f"({_FUNCTION})"},
}
