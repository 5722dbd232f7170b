"""Secrets that are told by what stands around them, in a few patterns of our own. Pure.

They stand beside the detector (`detector`), which knows hundreds of issuers' keys and leaves these
to others: an access key id of AWS without its secret, the plan keys of Kimi, a password in an
address or after its name, a private key of which the beginning or the end is missing. Each takes
time in proportion to the text, whatever it holds.
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

Redact: TypeAlias = Callable[[str], str]


class _Shape(NamedTuple):
    name: str
    pattern: re.Pattern[str]  # its group `secret` is taken out


_NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|auth[_-]?key"
    r"|private[_-]?key|encryption[_-]?key|signing[_-]?key|account[_-]?key|credentials?"
)
#: A value that is no word, path, call or reference: letters and digits, mixed.
_VALUE = r"(?=[^\s\"'`]{0,40}[A-Za-z])(?=[^\s\"'`]{0,40}[0-9])[A-Za-z0-9+/=_!#%&*~^.@?-]"
_KEY_LINE = r"[ \t>|+-]{0,4}[A-Za-z0-9+/=]{16,80}[ \t\r]*\n"

_SHAPES = (
    _Shape(
        "private key",
        re.compile(
            r"(?P<secret>-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?s:.*?)(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z))"
        ),
    ),
    _Shape("AWS key", re.compile(r"\b(?P<secret>(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b")),
    _Shape("API key", re.compile(r"\b(?P<secret>sk-(?:[a-z0-9]{2,12}-)?[A-Za-z0-9_-]{32,200})")),
    _Shape("password", re.compile(r"://[^\s/:@\"']{0,100}:(?P<secret>[^\s/@\"'{}$<>]{3,200})@")),
    _Shape(
        "bearer token",
        re.compile(
            r"(?i)\bbearer\s{1,4}(?P<secret>(?=[^\s]{0,30}[0-9])[A-Za-z0-9._~+/=-]{20,4000})"
        ),
    ),
    _Shape(
        "secret",
        re.compile(
            rf"(?i)(?:{_NAMES})[A-Za-z0-9_]{{0,30}}[\"']?\s{{0,4}}(?:=>|:=|=|:)\s{{0,4}}"
            rf"(?P<quote>[\"'])(?P<secret>{_VALUE}{{8,400}})(?P=quote)"
        ),
    ),
    _Shape(  # as in .env files and the like: NAME=value, nothing else on the line
        "secret",
        re.compile(
            rf"(?m)^[ \t+-]{{0,8}}(?:export )?[A-Z0-9_]{{0,40}}"
            r"(?:PASS(?:WORD|WD|PHRASE)?|PWD|SECRET|TOKEN|(?:API|ACCESS|AUTH|PRIVATE)_?KEY)"
            rf"[A-Z0-9_]{{0,30}}[ \t]{{0,2}}[=:][ \t]{{0,2}}(?P<secret>{_VALUE}{{8,400}})[ \t\r]*$"
        ),
    ),
)
_BEHEADED = re.compile(
    rf"(?m)^(?P<secret>(?:{_KEY_LINE})++)(?=[ \t>|+-]{{0,4}}-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY)"
)


def without_shapes(text: str) -> str:
    """Take out of *text* what these patterns find."""
    for shape in _SHAPES:
        text = shape.pattern.sub(lambda found, name=shape.name: _cut(found, name), text)
    if "PRIVATE KEY" in text:
        text = _BEHEADED.sub(f"{redacted('private key')}\n", text)
    return text


def redacted(name: str) -> str:
    """Word what stands in a secret's place."""
    return f"[redacted: {name}]"


def _cut(found: re.Match[str], name: str) -> str:
    start, end = (place - found.start() for place in found.span("secret"))
    return f"{found[0][:start]}{redacted(name)}{found[0][end:]}"
