"""What `setup --remove` does: everything of ours goes, and what was there before comes back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kimi_mcp.claude import packaged, standing
from kimi_mcp.claude.arrangement import Arrangement, Call
from kimi_mcp.claude.json_text import without
from kimi_mcp.claude.places import Places, Scope
from kimi_mcp.claude.receipt import Receipt
from kimi_mcp.claude.standing import Registration
from kimi_mcp.claude.wanted import ALLOW, HOOKS, add_server, chain, remove_server, take_away


def unarrange(places: Places, receipt: Receipt, *, has_client: bool) -> Arrangement:
    """Work out what is to be done; a file that a person edited is left to them.

    Raises:
        Refused: a file cannot be edited.
    """
    made = Arrangement()
    scopes = standing.plugin_scopes(places)
    if has_client and places.scope in scopes:
        _call(made, places, "plugin", "uninstall", packaged.PLUGIN_ID, "-s", places.scope)
    is_last = set(scopes) <= {places.scope}
    if has_client and is_last and standing.is_marketplace_known(places) is not False:
        _call(made, places, "plugin", "marketplace", "remove", packaged.MARKETPLACE)
    for one in standing.registrations(places):
        is_same_project = one.scope is Scope.USER or one.project == places.project
        if one.is_ours and one.scope is places.scope and is_same_project:
            remove_server(made, places, one, has_client=has_client)
    for kept in receipt.replaced:
        _register_again(made, places, receipt, kept, has_client=has_client)
    _clear_settings(made, places)
    for path in [*receipt.texts]:
        file = Path(path)
        if is_last or not file.is_relative_to(places.marketplace):
            take_away(made, receipt, file)
    return made


def _register_again(
    made: Arrangement, places: Places, receipt: Receipt, kept: dict[str, Any], *, has_client: bool
) -> None:
    one = Registration(
        scope=Scope(kept["scope"]),
        project=Path(kept["project"]),
        name=kept["name"],
        entry=kept["entry"],
    )
    holder = places.shared_servers if one.scope is Scope.PROJECT else places.state_file
    if str(holder) not in receipt.exact():  # else its bytes come back as they were
        add_server(made, places, one, has_client=has_client)


def _clear_settings(made: Arrangement, places: Places) -> None:
    ours = {
        f"{prefix}__{tool}"
        for tool in packaged.ALLOWED_TOOLS
        for prefix in (
            f"mcp__{packaged.SERVER}",
            f"mcp__plugin_{packaged.PLUGIN}_{packaged.SERVER}",
        )
    }

    def cleared(text: str) -> str:
        text = without(text, HOOKS, standing.is_hook_of_ours)
        text = without(text, ALLOW, lambda rule: rule in ours)
        text = without(text, ["enabledPlugins", packaged.PLUGIN_ID])
        return without(text, ["extraKnownMarketplaces", packaged.MARKETPLACE])

    chain(made, places.settings, cleared)
    chain(
        made,
        places.settings_of(Scope.LOCAL),
        _if_disabled_by_us(places),
    )


def _if_disabled_by_us(places: Places) -> Callable[[str], str]:
    names = {
        one.name
        for one in standing.registrations(places)
        if one.is_ours and one.scope is Scope.PROJECT
    }
    return lambda text: without(text, ["disabledMcpjsonServers"], lambda name: name in names)


def _call(made: Arrangement, places: Places, *arguments: str) -> None:
    made.calls.append(Call(arguments=arguments, cwd=places.project))
