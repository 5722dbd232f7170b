"""What setup brings about: by the plugin, or by files. Decides; changes nothing.

With the plugin, server, hook and skills come from one folder of ours that Claude Code reads in
place; a plugin cannot hold a rule, so that is a file either way. What was registered before by hand
goes, for two servers would offer every tool twice.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kimi_mcp.claude import packaged, standing
from kimi_mcp.claude.arrangement import Arrangement, Call, Edit
from kimi_mcp.claude.json_text import with_item, with_member, without
from kimi_mcp.claude.merging import merge
from kimi_mcp.claude.places import Places, Scope
from kimi_mcp.claude.receipt import Receipt
from kimi_mcp.claude.standing import Registration
from kimi_mcp.errors import Refused

HOOKS = ("hooks", "PostToolUse")  # the path to them in Claude Code's settings
ALLOW = ("permissions", "allow")  # the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person asked for, and what starts our server and hook (*command*, an argv)."""

    has_client: bool
    is_plugin: bool = True
    is_allowing: bool = True
    command: Sequence[str] = packaged.SHARED_COMMAND


def arrange(places: Places, wish: Wish, receipt: Receipt) -> Arrangement:
    """Work out what is to be done.

    Raises:
        Refused: a file cannot be edited, or another server has our name.
    """
    made = _Maker(places, wish, receipt)
    made.registrations()
    made.settings()
    made.texts()
    if made.is_plugin:
        made.plugin()
    return made.arrangement


class _Maker:
    """Collects what is to be done."""

    def __init__(self, places: Places, wish: Wish, receipt: Receipt) -> None:
        self.places, self.wish, self.receipt = places, wish, receipt
        self.arrangement = Arrangement()
        self.is_plugin = wish.is_plugin and wish.has_client and places.scope is not Scope.PROJECT
        if wish.is_plugin and not self.is_plugin:
            why = (
                "others share them"
                if places.scope is Scope.PROJECT
                else "no `claude` is there to install one"
            )
            self.arrangement.notes.append(f"By files and not as a plugin, for {why}.")
        is_shared = places.scope is Scope.PROJECT
        self.command = packaged.SHARED_COMMAND if is_shared else wish.command
        self.found = standing.registrations(places)
        self.prefix = (
            f"mcp__plugin_{packaged.PLUGIN}_{packaged.SERVER}"
            if self.is_plugin
            else f"mcp__{packaged.SERVER}"
        )

    @property
    def kept(self) -> dict[str, Any]:
        """What a person chose on an earlier registration; never carried into a shared file."""
        is_shared = self.places.scope is Scope.PROJECT
        entries = [
            one.entry
            for one in self.found
            if one.is_ours and (one.scope is Scope.PROJECT) is is_shared
        ]
        if not is_shared:
            entries.append(standing.plugins_server(self.places))
        chosen = [kept for entry in entries if (kept := packaged.kept_keys(entry))]
        return chosen[0] if chosen else {}

    def registrations(self) -> None:
        """Leave exactly one server, under our name."""
        wanted = packaged.server_entry(self.command, self.kept)
        is_there = False
        for one in self.found:
            is_same_place = one.scope is self.places.scope and (
                one.scope is Scope.USER or one.project == self.places.project
            )
            if not one.is_ours:
                if is_same_place and not self.is_plugin:
                    raise Refused(
                        f"Another server is registered as {one.name!r} in scope {one.scope}: "
                        f"`claude mcp remove -s {one.scope} {one.name}`, then run setup again."
                    )
            elif not self.is_plugin and is_same_place and _is_same(one, wanted):
                is_there = True
            elif one.scope is Scope.PROJECT and self.places.scope is not Scope.PROJECT:
                self._disable_shared(one)
            elif is_same_place or self.places.scope is Scope.USER:
                self._unregister(one)
        if not self.is_plugin and not is_there:
            self._register(wanted)
        if not self.is_plugin:
            self._without_plugin()

    def _unregister(self, one: Registration) -> None:
        key = [one.scope, str(one.project), one.name]
        if key in self.receipt.registered:
            self.receipt.registered.remove(key)
        else:
            named = dict(zip(("scope", "project", "name"), key, strict=True))
            self.receipt.replaced.append({**named, "entry": one.entry})
            self.arrangement.notes.append(f"Replaces the server {one.name!r} of scope {one.scope}.")
        remove_server(self.arrangement, self.places, one, has_client=self.wish.has_client)

    def _register(self, wanted: dict[str, Any]) -> None:
        places = self.places
        self.receipt.registered.append([places.scope, str(places.project), packaged.SERVER])
        add_server(
            self.arrangement,
            self.places,
            Registration(
                scope=self.places.scope,
                project=self.places.project,
                name=packaged.SERVER,
                entry={"type": "stdio", **wanted},
            ),
            has_client=self.wish.has_client,
        )

    def _disable_shared(self, one: Registration) -> None:
        """Leave a project's shared registration to the others, and switch it off for this user."""
        file = self.places.settings_of(Scope.LOCAL)
        self._edit(file, lambda text: with_item(text, ["disabledMcpjsonServers"], one.name))

    def _without_plugin(self) -> None:
        for scope in standing.plugin_scopes(self.places):
            if scope is self.places.scope:
                self._call("plugin", "uninstall", packaged.PLUGIN_ID, "-s", scope)

    def settings(self) -> None:
        """Leave one hook, and offer the allow rules."""
        hook = None if self.is_plugin else packaged.hook_entry(self.command)

        def changed(text: str) -> str:
            entry = hook

            def is_old(one: Any) -> bool:
                return standing.is_hook_of_ours(one) and one != entry

            text = without(text, HOOKS, is_old)
            return text if entry is None else with_item(text, HOOKS, entry)

        self._edit(self.places.settings, changed)
        if self.wish.is_allowing:
            self._edit(self.places.settings, self._allowed)

    def _allowed(self, text: str) -> str:
        allowed: Any = standing.table(standing.read(text).get("permissions")).get("allow")
        if self.prefix in (allowed or ()):
            return text
        for tool in reversed(packaged.ALLOWED_TOOLS):
            text = with_item(text, ALLOW, f"{self.prefix}__{tool}")
        return text

    def texts(self) -> None:
        """Put rule, skills and the plugin's files in place, around what a person changed."""
        wanted = {self.places.rule: packaged.rule()}
        if self.is_plugin:
            for path, text in packaged.marketplace(self.command, self.kept).items():
                wanted[self.places.marketplace / path] = text
        else:
            for path, text in packaged.skills().items():
                wanted[self.places.skills / path] = text
        for path in [*self.receipt.texts]:
            if Path(path) not in wanted:
                take_away(self.arrangement, self.receipt, Path(path))
        for file, text in wanted.items():
            self._text(file, text)

    def _text(self, file: Path, text: str) -> None:
        old = self.receipt.texts.get(str(file))
        theirs = standing.text_of(file) if file.exists() else None
        told = merge(old, text, theirs).told
        if told:
            self.arrangement.notes.append(f"{file} {told}.")
        is_own = file.is_relative_to(self.places.own)
        self.arrangement.edits.append(
            Edit(file=file, transform=lambda now: merge(old, text, now).text, is_own=is_own)
        )
        if not (old is None and told):
            self.receipt.texts[str(file)] = text

    def plugin(self) -> None:
        """Let Claude Code know the marketplace, and switch the plugin on."""
        known = standing.is_marketplace_known(self.places)
        if known is None:
            self._call("plugin", "marketplace", "remove", packaged.MARKETPLACE)
        if known is not True:
            self._call("plugin", "marketplace", "add", str(self.places.marketplace))
        if known is not True or self.places.scope not in standing.plugin_scopes(self.places):
            self._call("plugin", "install", packaged.PLUGIN_ID, "-s", self.places.scope)

    def _call(self, *arguments: str) -> None:
        self.arrangement.calls.append(Call(arguments=arguments, cwd=self.places.project))

    def _edit(self, file: Path, changed: Callable[[str], str]) -> None:
        chain(self.arrangement, file, changed)


def chain(arrangement: Arrangement, file: Path, changed: Callable[[str], str]) -> None:
    """Add an edit of a JSON file, after those that are planned for it already."""
    earlier = next((edit for edit in arrangement.edits if edit.file == file), None)

    def transform(text: str | None) -> str | None:
        begun = earlier.transform(text) if earlier else text
        after = changed(begun or "")
        return begun if after == (begun or "") else after

    if earlier:
        arrangement.edits.remove(earlier)
    arrangement.edits.append(Edit(file=file, transform=transform))


def take_away(arrangement: Arrangement, receipt: Receipt, file: Path) -> None:
    """Delete a file of ours unless a person edited it."""
    ours = receipt.texts.pop(str(file))
    if file.exists() and standing.text_of(file) != ours:
        arrangement.notes.append(f"{file} was edited and is left where it is; delete it by hand.")
    is_own = file.is_relative_to(receipt.file.parent)
    arrangement.edits.append(
        Edit(file=file, transform=lambda now: None if now == ours else now, is_own=is_own)
    )


def add_server(
    arrangement: Arrangement, places: Places, one: Registration, *, has_client: bool
) -> None:
    """Register a server, by Claude Code's own command where there is one."""
    if has_client:
        said = json.dumps(one.entry, ensure_ascii=False)
        words = ("mcp", "add-json", "-s", one.scope, one.name, said)
        arrangement.calls.append(Call(arguments=words, cwd=one.project))
        return
    file, path = _written(places, one)
    chain(arrangement, file, lambda text: with_member(text, path, one.entry))


def remove_server(
    arrangement: Arrangement, places: Places, one: Registration, *, has_client: bool
) -> None:
    """Unregister a server, by Claude Code's own command where there is one."""
    if has_client and one.project.is_dir():
        words = ("mcp", "remove", "-s", one.scope, one.name)
        arrangement.calls.append(Call(arguments=words, cwd=one.project))
        return
    file, path = _written(places, one)
    chain(arrangement, file, lambda text: without(text, path))


def _written(places: Places, one: Registration) -> tuple[Path, list[str]]:
    """Say in which file and where in it a registration stands."""
    path = ["mcpServers", one.name]
    if one.scope is Scope.PROJECT:
        return places.shared_servers, path
    inside = ["projects", str(one.project)] if one.scope is Scope.LOCAL else []
    return places.state_file, [*inside, *path]


def _is_same(one: Registration, wanted: dict[str, Any]) -> bool:
    present = {key: value for key, value in one.entry.items() if key != "type" and value != {}}
    return one.name == packaged.SERVER and present == wanted


def files_of(arrangement: Arrangement, places: Places) -> Iterable[Path]:
    """Name every file that is touched."""
    return {*(edit.file for edit in arrangement.edits), *places.clients_files}
