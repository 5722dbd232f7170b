"""What the settings ask of other machines, or why it cannot be asked."""

from collections.abc import Mapping
from pathlib import Path

from kimi_mcp.cluster.asked import TOKEN, Asked
from kimi_mcp.cluster.calls import is_installed
from kimi_mcp.errors import Refused
from kimi_mcp.settings import Settings

INSTALL = "pip install 'kimi-mcp[ray]'"


def asked_of(settings: Settings, environ: Mapping[str, str]) -> Asked | None:
    """Return what a dispatch asks of other machines; nothing where everything is done here.

    Raises:
        Refused: no address, no token, or the extra is not installed.
    """
    return None if settings.cluster.policy == "local" else cluster_of(settings, environ)


def cluster_of(settings: Settings, environ: Mapping[str, str]) -> Asked:
    """Return the cluster that the settings name.

    Raises:
        Refused: no address, no token, or the extra is not installed.
    """
    chosen = settings.cluster
    if not is_installed():
        raise Refused(f"Other machines need the extra `ray`: {INSTALL}, or cluster.policy = local.")
    if chosen.address is None:
        raise Refused("No cluster.address is set. `kimi-mcp cluster head` starts one and names it.")
    token = str(Path(chosen.token_file).expanduser()) if chosen.token_file else None
    if token is None and not environ.get(TOKEN) and not chosen.open:
        raise Refused(
            f"No token for {chosen.address}: set cluster.token_file (or {TOKEN} in the "
            "environment). A cluster that asks nobody for one is used with cluster.open = true."
        )
    return Asked(
        address=chosen.address,
        policy=chosen.policy,
        token_file=token,
        is_open_allowed=chosen.open,
        retries=chosen.retries,
        credential=chosen.credential,
        memory_bytes=chosen.memory_bytes,
        labels=chosen.labels,
    )
