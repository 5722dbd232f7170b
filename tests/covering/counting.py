"""Counts what every Python process of this environment runs of the product while it lasts.

The runner, the launcher and the server are started with an environment of ours, the launcher
isolated as well, so no variable reaches them all. What does is a file of the environment's own
that Python's `site` reads at each start (Python 3.11, `.pth`). A fork that leaves through `_exit`
is counted as its configuration says (coverage 7.10, `patch`). Not counted: a process that is
killed, what a fork runs before it becomes another program, and what runs without `site`.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

CONFIGURATION = Path(__file__).resolve().parents[2] / "pyproject.toml"
_PRODUCT = CONFIGURATION.parent / "kimi_mcp"
_NAME = "kimi_mcp_covering.pth"
#: One that was left behind by a kill does nothing. No process may notice that it is counted, one
#: whose fence keeps it from writing its counts down included.
_BEGIN = """
def begin():
    try:
        import os
        os.kill({owner}, 0)
        import atexit
        import coverage
        counting = coverage.Coverage(
            config_file={configuration!r},
            source=[{product!r}],  # also what is run by its path, not its module's name
            data_file={data!r},
            data_suffix=True,
        )
        counting.start()
    except Exception:
        return
    def end():
        try:
            counting.stop()
            counting.save()
        except Exception:
            pass
    atexit.register(end)
begin()
"""


@contextmanager
def counted(data: Path, *, site: Path) -> Generator[None]:
    """Let each process that reads *site* leave its counts in a file whose name begins as *data*."""
    text = _BEGIN.format(
        owner=os.getpid(),
        configuration=str(CONFIGURATION),
        product=str(_PRODUCT),
        data=str(data),
    )
    planted = site / _NAME
    planted.write_text(f"import sys; exec({text!r}, {{}})\n", encoding="utf-8")
    try:
        yield
    finally:
        planted.unlink(missing_ok=True)
