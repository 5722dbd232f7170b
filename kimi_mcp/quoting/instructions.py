"""Which lines of a worker's text read like instructions to the model that reads them. Pure.

A small rule, and an honest one: it knows the usual turns of phrase in ten languages, the marks of
conversations and tool calls, and the names of our own tools. What it does not know it does not
name; the envelope is what keeps the text data, this only draws attention to it.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

SEARCHED_CHARS = 2_000  # of each line

_TOOLS = (
    "plan_to_spec|dispatch_spec|get_result|revise_task|land_result|cancel_dispatch|switch_profile"
)
#: The verbs and nouns of "ignore your previous instructions", either first.
_IGNORE = (
    r"ignor\w*|disregard|forget|override|vergiss|missachte|oublie[rz]?|olvid[ae]\w*|esque[cç]a"
    r"|dimentica|negeer|игнорируй\w*|забудь\w*|忽略|无视|忽視|無視|무시"
)
_ORDERS = (
    r"instruction|prompt|guideline|directive|anweisung|vorgabe|consigne|instruccion|instrucción"
    r"|instruç|istruzion|instructie|инструкци|указани|指令|指示|命令|提示|지시|명령"
)
_ANY_CASE = (
    rf"(?:{_IGNORE}).{{0,60}}(?:{_ORDERS})"
    rf"|(?:指示|命令|지시|명령).{{0,20}}(?:無視|무시)"
    r"|\b(?:ignore|disregard|forget) (?:all|everything|anything|the above|what)\b"
    r"|\byou (?:must|should|need to|have to|are (?:now|required|authori[sz]ed)|will now|may now)\b"
    r".{0,40}\b(?:call|run|use|execute|invoke|approve|accept|merge|land|push|delete|reveal|send"
    r"|print|open|read|act|pretend|an?)\b"
    r"|\b(?:do not|don't|never) (?:tell|inform|ask|warn|alert|mention|show)\b.{0,30}\buser\b"
    r"|\bthe user (?:has |have |already |now )*(?:approved|agreed|confirmed|authori[sz]ed|asked"
    r"|wants?|said|instructs?|requests?)\b"
    r"|\b(?:attention|dear|hey|note to|message for|to) (?:claude|opus|the (?:ai|model|assistant"
    r"|reviewer|agent))\b"
    r"|^\W*(?:claude|opus|assistant|ai)\s*[,:]"
    r"|\bnew (?:system )?(?:instruction|directive|task|orders?)s?\s*:"
    r"|\b(?:reveal|print|show|repeat|output) (?:me )?(?:your|the) (?:system )?prompt\b"
    rf"|\b(?:{_TOOLS})\b|\bmcp__\w+"
    r"|<\s*/?\s*(?:system(?:[-_ ]\w+)?|assistant|human|function_\w+|tool_\w+|tool-\w+|invoke"
    r"|antml:\w+|task-notification|important|instructions?)\b[^>]{0,200}>"
    r"|<\|\w+\|>|\[/?inst\]|<<\s*/?sys\s*>>"
    r"|[\"']type[\"']\s*:\s*[\"']tool_(?:use|result)|[\"']method[\"']\s*:\s*[\"']tools/call"
    r"|[\"']role[\"']\s*:\s*[\"'](?:system|assistant|user|developer)"
    r"|^\W*next: |^\W*\d{3,}-[a-z0-9-]+: .{0,40}\bdelivered\b"
    r"|[<\u2039]\s*/?\s*data-\d"
)
_EXACT_CASE = (
    r"^\W*(?:SYSTEM|ASSISTANT|HUMAN|USER|DEVELOPER)\b[A-Z ]{0,20}[:\]>]"
    r"|^[^\w\"'`]*(?:System|Human|Assistant)(?: (?:message|prompt|note|reminder))?: "
)
#: What stands between letters without being seen, as `harmless` writes it.
_ESCAPED = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def instructing(text: str) -> list[int]:
    """Number the lines of *text*, from 1, that read like instructions to the reader."""
    return [number for number, line in enumerate(text.split("\n"), start=1) if _instructs(line)]


def any_instructs(pieces: Iterable[str | None]) -> bool:
    """Tell whether one of several short texts reads like an instruction."""
    return any(piece and instructing(piece) for piece in pieces)


@cache
def _phrases() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Compile them when they are first looked for: they take 3 ms, and a start has no text."""
    return re.compile(_ANY_CASE, re.IGNORECASE), re.compile(_EXACT_CASE)


def _instructs(line: str) -> bool:
    seen = _ESCAPED.sub("", unicodedata.normalize("NFKC", line[:SEARCHED_CHARS]))
    seen = "".join(letter for letter in seen if unicodedata.category(letter) != "Cf")
    return any(phrases.search(seen) for phrases in _phrases())
