"""The detector of secrets: Kingfisher's rules (MongoDB's, some five hundred issuers), in process.

Chosen for being kept (its latest release is of October 2026), for matching in linear time what may
be hostile, and for finding nothing in five megabytes of ordinary code. Rejected: detect-secrets
1.5.0, whose last release is of 2024, which knows neither Kimi's nor Anthropic's nor Google's keys,
and which matches by backtracking. Loading it costs 0.3 s and 45 MB (the first time on a machine
3 s, for compiling the rules into a cache of ours), so it is loaded for suspicious text only.
"""

import re
import threading
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kingfisher_sdk import Finding, Scanner

BOUND_S = 5.0  # for one text
_TOKEN = re.compile(r"[A-Za-z0-9_~+=-]{16,}")  # a path is judged by its parts
_ASSIGNED = re.compile(r"[=:>,|][\"'`\s=>:|]{0,8}([A-Za-z0-9_~+.-][A-Za-z0-9_~+/.-]{9,})")
_HASH = re.compile(
    r"(?<![A-Za-z0-9])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{7,64})(?![A-Za-z0-9])"
)
#: A hash that says what it is: of a large file's pointer, an image, a lock file.
_DIGEST = re.compile(r"\bsha(?:1|256|384|512)[:=-](?:[0-9a-f]{40}|[0-9a-f]{64,128})\b")
#: An issuer's mark before letters, an address with a password, a key's first line.
_HINT = re.compile(
    r"\b[A-Za-z]{2,8}[_-][A-Za-z0-9]{20}|\bxox[a-z]-|\bxapp-|refresh_token"
    r"|://[^\s/@]{1,200}@|-----BEGIN"
)
#: Of the rules that tell a part of a credential, those that tell the secret part.
_SECRET = re.compile(r"secret-|-secret|token$|passphrase|consumer-key|-key$")
#: The rules want a space, a quote or the line's end behind a key; a sentence has other marks there.
_APART = bytes.maketrans(b",()[]{}<>|!", b" " * 11)
_FULL_STOP = re.compile(rb"[.:?](?=\s|\Z)")
_TURNS = 4  # between letters and digits; a dispatch id has up to three
_MIXED = 0.45  # turns between digits, small and large letters, a letter


class Found(NamedTuple):
    """A secret within a text, by its place in the text's UTF-8."""

    start: int
    end: int
    name: str


def is_suspicious(text: str) -> bool:
    """Tell whether the detector is worth loading for *text*: whether anything in it is jumbled.

    Words, paths, and hashes that are assigned to nothing are not. What has few digits and
    few turns between small and large letters may be missed: of the shortest keys that the rules
    find, one in sixteen.
    """
    return any(
        _HINT.search(line)
        or any(_is_jumbled(token) for token in _TOKEN.findall(line))
        or any(_turns(token) >= _TURNS for token in _ASSIGNED.findall(line))
        for line in _DIGEST.sub("", text).splitlines()
    )


def _is_jumbled(token: str) -> bool:
    rest = _HASH.sub("", token)
    return _turns(rest) >= _TURNS or _changes(rest) >= _MIXED * len(token)


def _turns(token: str) -> int:
    """Count the turns between letters and digits."""
    return sum(
        one.isalnum() and other.isalnum() and one.isdigit() != other.isdigit()
        for one, other in pairwise(token)
    )


def _changes(token: str) -> int:
    """Count the changes between digits, small and large letters."""
    return sum(
        one.isalnum() and other.isalnum() and _kind(one) != _kind(other)
        for one, other in pairwise(token)
    )


def _kind(letter: str) -> tuple[bool, bool]:
    return letter.isdigit(), letter.isupper()


@dataclass(slots=True)
class Detector:
    """Finds the keys of known issuers. *rules*: folder for the compiled ones; None: the user's."""

    rules: Path | None = None
    _scanner: "Scanner | None" = None
    _loading: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_loaded(self) -> bool:
        """Whether looking costs microseconds from now on."""
        return self._scanner is not None

    def find(self, text: str) -> list[Found]:
        """Find secrets in *text*, loading the rules the first time."""
        data = text.encode("utf-8", "surrogatepass")
        scanner = self._loaded()
        places = [
            _place(one, searched)
            for searched in (data, _FULL_STOP.sub(b" ", data.translate(_APART)))
            for one in scanner.scan(searched, timeout=BOUND_S)
            if one.visible or _SECRET.search(one.rule_id)
        ]
        return [place for place in places if place is not None]

    def _loaded(self) -> "Scanner":
        with self._loading:
            if self._scanner is None:
                from kingfisher_sdk import Rules, Scanner  # noqa: PLC0415  see the docstring

                self._scanner = Scanner(Rules(cache_dir=self.rules))
            return self._scanner


def _place(one: "Finding", data: bytes) -> Found | None:
    start, end = one.location["start_offset"], one.location["end_offset"]
    name = one.rule_id.rpartition("/")[2].rpartition(".")[2].replace("-", " ")
    secret = one.secret.encode("utf-8", "surrogatepass")
    if not one.is_base64_encoded and data[start:end] != secret:
        start = data.find(secret)  # the scanner counts from behind a byte order mark
        end = start + len(secret)
    return Found(start, end, name) if 0 <= start < end else None
