"""doctor's look at the other machines: which there are, and whether each can carry out a task."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from kimi_mcp.cli import nodes
from kimi_mcp.cli.finding import Finding, bad, ok
from kimi_mcp.demo.rehearsal import Rehearsed, rehearse
from kimi_mcp.dispatch.elsewhere.asking import cluster_of
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.settings import Settings

AT_ONCE = 4  # each takes 0.1 GB here while it lasts
_NODE = "ray.io/node-id"  # a label that Ray (2.60) gives each node


def is_in_use(environ: Mapping[str, str]) -> bool:
    """Tell whether the settings name a cluster; broken ones are told of by their own link."""
    try:
        chosen = Settings.load(environ).cluster
    except KimiMcpError:
        return False
    return chosen.address is not None or chosen.policy != "local"


def machines(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Which machines there are; and a scripted task carried out by each that takes tasks."""
    asked = cluster_of(Settings.load(environ), environ)
    fit: list[Mapping[str, Any]] = []
    for node in nodes.found(asked):
        wrong = nodes.unfit(node, is_open_allowed=asked.is_open_allowed)
        for evidence, remedy in wrong:
            yield bad(f"{node['name']}: {evidence}", remedy)
        if not wrong:
            yield ok(f"{node['name']}: {nodes.place_of(node)}; {nodes.versions_of(node)}")
            fit += [node] * bool(node["slots"])
    if not fit:
        yield bad("no machine takes a task", "Have one join: `kimi-mcp cluster join` there.")
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for node, came in zip(fit, pool.map(partial(_tried, environ), fit), strict=True):
            yield _told(node["name"], came)


def _tried(environ: Mapping[str, str], node: Mapping[str, Any]) -> Rehearsed:
    return rehearse(environ, host=nodes.own_address(), labels={_NODE: node["id"]})


def _told(name: str, came: Rehearsed) -> Finding:
    if came.trouble is not None:
        return bad(
            f"{name}: a scripted task was not carried out: {came.trouble}",
            "`kimi-mcp doctor` there says more; it must reach this machine, too.",
        )
    return ok(f"{name}: a scripted task went there and came back, checked, in {came.took_s:.0f} s")
