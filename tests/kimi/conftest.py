from pathlib import Path

import pytest

from kimi_mcp.kimi.install import install_kimi_code


@pytest.fixture(scope="session")
def kimi_main() -> Path:
    """The real Kimi Code's program, installed once for all runs of this checkout."""
    cache = Path(__file__).parents[2] / ".cache" / "kimi"
    return install_kimi_code(cache, say=lambda _: None)
