"""Which Kimi can hand tasks to a swarm of agents. Pure.

Kimi Code has the tool AgentSwarm (2.1.0, ran); the legacy CLI has nothing of the kind, and of Kimi
Code before 2.0 nobody has tried it.
"""

from kimi_mcp.kimi.detect import Kimi
from kimi_mcp.kimi.identify import release

OLDEST = (2, 0, 0)


def no_swarm(fan_out: str, kimi: Kimi | None) -> str | None:
    """Say why a wave cannot go to one Kimi, where that was wanted."""
    if fan_out != "swarm" or kimi is None:
        return None
    if kimi.dialect == "code" and (release(kimi.version) or OLDEST) >= OLDEST:
        return None
    name = "the legacy kimi-cli" if kimi.dialect == "legacy" else "Kimi Code"
    return (
        f'fan_out = "swarm" needs Kimi Code 2.0 or newer, and {name} {kimi.version} is used: each '
        "task goes to a Kimi of its own"
    )
