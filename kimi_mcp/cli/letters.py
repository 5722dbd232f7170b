"""What a terminal or file that takes no Unicode is given: for each letter one that it can show.

One for one, so that what stands in columns stays in columns. Python itself takes every terminal for
one that knows UTF-8 (PEP 538, PEP 540), so the locale is asked.
"""

import codecs
import io
from collections.abc import Mapping
from typing import TextIO

_NEAREST = str.maketrans(
    {
        "·": "-",
        "…": "~",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}": ">",
        "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}": "<",
        "→": ">",
        "↑": "^",
        "↓": "v",
        "✓": "+",
        "✗": "x",
        "●": "*",
        "○": "o",
        "█": "#",
        "▒": "=",
        "─": "-",
        "━": "-",
        "│": "|",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    }
)
_PLAIN = {"C", "POSIX"}


def can_show_unicode(environ: Mapping[str, str]) -> bool:
    """Tell whether the locale is one of UTF-8; where none is named, it is taken for one."""
    general = environ.get("LC_ALL") or environ.get("LANG") or ""
    letters = environ.get("LC_CTYPE") or ""
    if general in _PLAIN and letters in {"", "C.UTF-8"}:
        return False  # the second is what Python itself sets beside LANG=C
    named = environ.get("LC_ALL") or letters or general
    return not named or named.lower().replace("-", "").endswith("utf8")


def fit(stream: TextIO, environ: Mapping[str, str]) -> None:
    """Make *stream* write the nearest letter that it can, instead of failing."""
    if isinstance(stream, io.TextIOWrapper):
        is_plain = stream.isatty() and not can_show_unicode(environ)
        stream.reconfigure(encoding="ascii" if is_plain else None, errors=_NAME)


def nearest(text: str) -> str:
    """Write *text* in ASCII, a letter for a letter."""
    return text.translate(_NEAREST).encode("ascii", "replace").decode("ascii")


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return nearest(error.object[error.start : error.end]), error.end


_NAME = "kimi_mcp.nearest"
codecs.register_error(_NAME, _replace)
