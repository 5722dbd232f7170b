"""doctor's look at Claude Code: is it there, does it start us once, does it know hook and rule."""

import json
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from kimi_mcp import __version__
from kimi_mcp.claude import packaged, standing
from kimi_mcp.claude.client import Client
from kimi_mcp.claude.places import Places, Scope
from kimi_mcp.claude.receipt import Receipt
from kimi_mcp.cli.finding import Finding, bad, note, ok
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.kimi.identify import release

TESTED = "2.1.330"
_SETUP = "Run: kimi-mcp setup"


def client(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Which Claude Code there is."""
    found = Client.find(environ)
    if found is None:
        yield note("no `claude` on PATH (needed only where you use it)")
        return
    version = found.version()
    yield ok(f"{version}, {found.program}")
    if (release(version) or (0,)) < (release(TESTED) or ()):
        yield note(f"{version} is older than {TESTED}, which was tested", "Run: claude update")


def is_in_use(environ: Mapping[str, str], places: Places) -> bool:
    """Tell whether there is a Claude Code to be set up, or traces of one."""
    try:
        return Client.find(environ) is not None or bool(standing.registrations(places))
    except KimiMcpError:
        return True  # a file of it cannot be read, which its links will say


def server(environ: Mapping[str, str], places: Places) -> Iterator[Finding]:
    """Whether Claude Code starts our server, exactly once."""
    found = {
        f"{one.name} (scope {one.scope})": one.entry
        for one in standing.registrations(places)
        if one.is_ours and _counts_here(one, places)
    }
    for scope in standing.plugin_scopes(places):
        found[f"the plugin (scope {scope})"] = standing.plugins_server(places)
    if not found:
        yield bad("not registered", _SETUP)
        return
    if len(found) > 1:
        yield bad(f"registered twice: {', '.join(found)}", _SETUP)
    for name, entry in found.items():
        command = str(entry.get("command") or "")
        if not command or shutil.which(command, path=environ.get("PATH", "")) is None:
            yield bad(f"{name} starts {command or 'nothing'}, which is not there", _SETUP)
        elif len(found) == 1:
            yield ok(f"{name}, starting {command}")


def hook(environ: Mapping[str, str], places: Places) -> Iterator[Finding]:
    """Whether the hook after a plan's approval is there, exactly once, and may run."""
    lines = {
        f"settings (scope {scope})": line
        for scope in Scope
        for line in standing.hook_lines(places.settings_of(scope))
    }
    for scope in standing.plugin_scopes(places):
        file = places.marketplace / packaged.PLUGIN / "hooks" / "hooks.json"
        for line in standing.hook_lines(file):
            lines[f"the plugin (scope {scope})"] = line
    off = [s for s in Scope if standing.json_of(places.settings_of(s)).get("disableAllHooks")]
    if not lines:
        yield bad("not there: no choice after a plan's approval", _SETUP)
    elif off:
        file = places.settings_of(off[0])
        yield bad(f"all hooks are off in {file}", "Take disableAllHooks out of it.")
    elif len(lines) > 1:
        yield bad(f"there twice: {', '.join(lines)}", _SETUP)
    else:
        ((name, line),) = lines.items()
        program = shlex.split(line.rpartition("|| ")[2])[0]
        if shutil.which(program, path=environ.get("PATH", "")) is None:
            yield bad(f"{name} calls {program}, which is not there", _SETUP)
        else:
            yield ok(name)


def rule(places: Places, receipts: list[Receipt]) -> Finding:
    """Whether the rule for plan mode is there, and whose words it has."""
    files = [places.rule, places.project / ".claude" / "rules" / packaged.RULE_NAME]
    found = next((file for file in files if file.exists()), None)
    if found is None:
        return bad("not there", _SETUP)
    text = standing.text_of(found)
    if text == packaged.rule():
        return ok(str(found))
    if any(receipt.texts.get(str(found)) == text for receipt in receipts):
        return note(f"{found} is from another version of kimi-mcp", _SETUP)
    return note(f"{found} was edited; it is kept as it is")


def plugin(places: Places) -> Finding:
    """Whether the plugin is of this version."""
    scopes = standing.plugin_scopes(places)
    if not scopes:
        return ok("not used: rule, skills and hook are files")
    manifest = places.marketplace / packaged.PLUGIN / ".claude-plugin" / "plugin.json"
    if not manifest.exists():
        return bad(f"{places.marketplace} is gone", _SETUP)
    version = json.loads(standing.text_of(manifest) or "{}").get("version")
    if version != __version__:
        return note(f"{version}, and kimi-mcp is {__version__}", _SETUP)
    return ok(f"{version}, read from {places.marketplace}")


def _counts_here(one: standing.Registration, places: Places) -> bool:
    if one.scope is Scope.LOCAL:
        return one.project == places.project
    off = standing.json_of(places.settings_of(Scope.LOCAL)).get("disabledMcpjsonServers")
    return one.scope is Scope.USER or one.name not in (off or ())


def receipts(folder: Path, environ: Mapping[str, str]) -> list[Receipt]:
    """Read what setup remembers of the user and of this project."""
    return [Receipt.of(Places.of(scope, folder=folder, environ=environ)) for scope in Scope]
