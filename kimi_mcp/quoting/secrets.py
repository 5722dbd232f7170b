"""Taking secrets out of every text that is shown, logged or stored.

Three kinds: values that we know for secrets (`known`), what a detector knows by its issuer, and
what stands where a secret stands. What is taken out is named: `[redacted: github pat]`. Not touched
are the work itself (commits, branches, clones keep Kimi's bytes) and the raw output files of a run,
which are for their owner alone (0600 in a 0700 folder) and cannot be cut at the borders of chunks.

What cannot be found: a secret that is encoded otherwise than in base64, one that is told in pieces,
and a password that looks like a word.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kimi_mcp.quoting.detector import Detector, Found, is_suspicious
from kimi_mcp.quoting.shapes import redacted, without_shapes

#: Secrets that are known, each with the name under which it is known.
Known = Callable[[], Mapping[str, str]]

LEAST_CHARS = 8  # of a known secret; a shorter one would take ordinary words along
_SECRET_NAME = re.compile(r"(?i)key|token|secret|passw|credential")
_WRAP = r"(?:[ \t]*\r?\n[ \t>|+-]{0,4})?"  # how a terminal or a diff goes on in the next line


def nothing_known() -> Mapping[str, str]:
    """Be the source of known secrets where there is none; rules alone find some then."""
    return {}


def secrets_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values of variables whose names say that they are secret, with those names."""
    return {
        value: name
        for name, value in environ.items()
        if _SECRET_NAME.search(name) and is_telling(value)
    }


def is_telling(value: str) -> bool:
    """Tell whether a value is long enough to be looked for, and no path."""
    return len(value.strip()) >= LEAST_CHARS and not value.startswith(("/", "~", "./"))


@dataclass(slots=True)
class Redactor:
    """Takes secrets out of texts. May be shared between threads."""

    known: Known = nothing_known
    rules: Path | None = None
    _detector: Detector = field(init=False)
    _is_blind: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._detector = Detector(self.rules)

    def __call__(self, text: str) -> str:
        """Return *text* without its secrets, each replaced by its name."""
        for secret, name in self.known().items():
            text = _without(secret, name, text)
        text = without_shapes(text)
        if self._is_blind or not (self._detector.is_loaded or is_suspicious(text)):
            return text
        try:
            found = self._detector.find(text)
        except Exception:  # noqa: BLE001  native code; without it no text could be told at all
            self._is_blind = True
            return text
        return _cut_out(text, found)


def _without(secret: str, name: str, text: str) -> str:
    if secret in text:
        text = text.replace(secret, redacted(name))
    if "\n" in text and secret[0] in text:
        wrapped = _WRAP.join(re.escape(letter) for letter in secret)
        text = re.sub(wrapped, redacted(name), text)
    return text


def _cut_out(text: str, found: Collection[Found]) -> str:
    data = text.encode("utf-8", "surrogatepass")
    kept: list[str] = []
    at = 0
    for one in sorted(found):
        if one.start >= at:
            kept += [_decoded(data[at : one.start]), redacted(one.name)]
        at = max(at, one.end)
    return "".join([*kept, _decoded(data[at:])])


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
