"""What of ours Claude Code has at present. Nothing is started and nothing is changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from kimi_mcp.claude.json_text import Json, NotEditable, read
from kimi_mcp.claude.packaged import (
    MARKETPLACE,
    PLUGIN,
    PLUGIN_ID,
    SERVER,
    is_our_hook,
    is_our_server,
)
from kimi_mcp.claude.places import Places, Scope
from kimi_mcp.errors import Refused, Unready


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A server of ours, or one that has our name."""

    scope: Scope
    project: Path
    name: str
    entry: Json

    @property
    def is_ours(self) -> bool:
        """Whether it starts us."""
        return is_our_server(self.entry)


def text_of(file: Path) -> str:
    """Read a file of Claude Code's; a missing one is empty.

    Raises:
        Unready: it cannot be read.
    """
    try:
        return file.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise Unready(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{file} is no UTF-8 text. Correct it by hand.") from error


def json_of(file: Path) -> Json:
    """Read a JSON file of Claude Code's; a missing one is an empty object.

    Raises:
        Refused: it is not valid JSON; the message says where.
        Unready: it cannot be read.
    """
    try:
        return read(text_of(file))
    except NotEditable as error:
        raise invalid(file, error) from error


def invalid(file: Path, error: NotEditable) -> Refused:
    """Build the refusal of a file that cannot be read or edited as JSON."""
    return Refused(f"{file} cannot be used: {error}. Nothing was changed; correct it by hand.")


def registrations(places: Places) -> list[Registration]:
    """Find our servers, and any that has our name, in all scopes and in all known projects."""
    state = json_of(places.state_file)
    found = [*_servers(state, Scope.USER, places.project)]
    for folder, project in table(state.get("projects")).items():
        found += _servers(table(project), Scope.LOCAL, Path(folder))
    found += _servers(json_of(places.shared_servers), Scope.PROJECT, places.project)
    return found


def plugin_scopes(places: Places) -> list[Scope]:
    """Name the scopes in which the plugin is switched on."""
    return [
        scope
        for scope in Scope
        if table(json_of(places.settings_of(scope)).get("enabledPlugins")).get(PLUGIN_ID) is True
    ]


def is_marketplace_known(places: Places) -> bool | None:
    """Tell whether Claude Code has the marketplace from our folder; None: from another one."""
    known = table(json_of(places.known_marketplaces).get(MARKETPLACE))
    if not known:
        return False
    return table(known.get("source")).get("path") == str(places.marketplace) or None


def plugins_server(places: Places) -> Json:
    """Return our server as the plugin registers it; empty where none is laid out."""
    manifest = places.marketplace / PLUGIN / ".claude-plugin" / "plugin.json"
    return table(table(json_of(manifest).get("mcpServers")).get(SERVER))


def hook_lines(file: Path) -> list[str]:
    """Return the command lines of our hook in a file of settings or of a plugin's hooks."""
    return [
        str(table(call).get("command"))
        for entry in _hooks(json_of(file))
        for call in _calls(entry)
        if is_our_hook(table(call).get("command"))
    ]


def is_hook_of_ours(entry: object) -> bool:
    """Tell whether an entry of `PostToolUse` is ours."""
    return any(is_our_hook(table(call).get("command")) for call in _calls(entry))


def table(value: object) -> Json:
    """Return *value* if it is an object, else an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def _servers(holder: Json, scope: Scope, project: Path) -> Iterator[Registration]:
    for name, entry in table(holder.get("mcpServers")).items():
        one = Registration(scope=scope, project=project, name=name, entry=table(entry))
        if one.is_ours or name == SERVER:
            yield one


def _calls(entry: object) -> list[Any]:
    calls: Any = table(entry).get("hooks")
    return cast("list[Any]", calls) if isinstance(calls, list) else []


def _hooks(settings: Json) -> list[Any]:
    entries: Any = table(settings.get("hooks")).get("PostToolUse")
    return cast("list[Any]", entries) if isinstance(entries, list) else []
