"""The named statements of `queries.sql`, read once when the module is imported.

At import and not at first use: a runner that works for an hour must not meet the statements of a
version that was installed meanwhile.
"""

import re
from collections.abc import Mapping
from importlib import resources

_BLOCK = re.compile(r"^-- name: (\w+)\n((?:.*\n)*?)(?=^-- name: |\Z)", re.MULTILINE)


def _read() -> Mapping[str, str]:
    text = resources.files("kimi_mcp.history").joinpath("queries.sql").read_text(encoding="utf-8")
    return dict(_BLOCK.findall(text))


#: Statement by name.
QUERIES: Mapping[str, str] = _read()
