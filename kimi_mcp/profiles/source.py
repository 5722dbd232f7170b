"""Reading a `config.toml` that belongs to Kimi."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kimi_mcp.errors import Refused


def read_config(file: Path) -> Mapping[str, Any]:
    """Read Kimi's configuration; a missing file is an empty one.

    Raises:
        Refused: the file is no TOML, or cannot be read; the message names file and line.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(
            f"Kimi's configuration {file} is not valid TOML: {error}. Correct it by hand; "
            "`kimi doctor` checks it."
        ) from error
    except OSError as error:
        raise Refused(f"Kimi's configuration {file} cannot be read: {error.strerror}.") from error
