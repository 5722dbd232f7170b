"""The two dialects, by the name under which a dispatch's orders keep them."""

from collections.abc import Mapping

from kimi_mcp.kimi import code, legacy
from kimi_mcp.kimi.dialect import Dialect, DialectName

DIALECTS: Mapping[DialectName, Dialect] = {"code": code.DIALECT, "legacy": legacy.DIALECT}
