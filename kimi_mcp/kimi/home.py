"""The Kimi home of one task: a folder of its own instead of the user's `~/.kimi-code` or `~/.kimi`.

Its `config.toml` is composed from our data before every start and never read back. The user's
credentials are linked with their refresh lock, not copied: one lock must serve every Kimi of the
machine, and a refreshed token must be stored. The user's own configuration, MCP servers and hooks
are not involved.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.dialects import DIALECTS


def user_home(environ: Mapping[str, str], dialect: Dialect = DIALECTS["code"]) -> Path:
    """Return where the user's own Kimi of this dialect has its configuration; it may not exist."""
    named = environ.get(dialect.home_variable)
    home = Path(named) if named else Path(environ.get("HOME", "~")) / dialect.home_folder
    return home.expanduser().absolute()


def lay(
    folder: Path, *, user: Path, config: str, files: Mapping[str, str | None], dialect: Dialect
) -> None:
    """Make *folder* a Kimi home with the text *config*; keep the sessions it already holds.

    Args:
        folder: created when absent, 0700.
        user: the user's own home, from which credentials are linked.
        config: the composed `config.toml`; it holds keys, so its mode is 0600.
        files: further ones, as the dialect's `home_files` names them; without a text: removed.
        dialect: whose home it is.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write_private(folder / "config.toml", config)
    if (user / "credentials").is_dir():
        for name in dialect.shared:
            (user / name).mkdir(mode=0o700, exist_ok=True)
            link = folder / name
            _clear(link)
            link.symlink_to(user / name, target_is_directory=True)
    device = user / "device_id"
    if device.is_file():
        _write_private(folder / "device_id", device.read_text(encoding="utf-8"))
    for name, text in files.items():
        if text is None:
            _clear(folder / name)
        else:
            _write_private(folder / name, text)


def forget_secrets(folder: Path) -> None:
    """Remove what holds keys or leads to them, once no Kimi uses the home any more."""
    shared = {name for dialect in DIALECTS.values() for name in dialect.shared}
    for name in ("config.toml", "config.toml.new", *shared):
        _clear(folder / name)


def _clear(path: Path) -> None:
    """Remove whatever stands there: in an earlier attempt the worker could put a folder there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    _clear(fresh)
    if path.is_dir():
        _clear(path)
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    fresh.replace(path)
