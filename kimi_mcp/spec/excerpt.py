"""Reading files and checks off one task of a plan.

Everything is decided by the label a line stands under (`Files:`, `Create:`, `Verification:`,
`Run:`) or the verb it begins with; running prose gives nothing.
"""

import re
from collections.abc import Sequence

from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.mentions import SPAN, path_in, script_in
from kimi_mcp.spec.pieces import DraftFile, Piece, Reading

_VERBS = {
    Operation.CREATE: ("create", "add", "new"),
    Operation.MODIFY: ("modify", "update", "edit", "change", "extend"),
    Operation.DELETE: ("delete", "remove"),
    Operation.MOVE: ("move", "rename"),
    Operation.READ: ("read", "see"),
}
_OPERATIONS = {verb: op for op, verbs in _VERBS.items() for verb in verbs}
_VERB = "|".join(_OPERATIONS)
_START = r"[\s*_>]*(?:\[[ xX]\]\s*)?[*_]*"
_VERB_LABEL = re.compile(
    rf"{_START}({_VERB})(?:\s+files?)?[*_]*\s*[:\uff1a][*_]*\s*(.*)", re.IGNORECASE
)
_VERB_SENTENCE = re.compile(
    rf"{_START}({_VERB})[*_]*\s+(?:the\s+)?(?:new\s+)?(?:file\s+)?(.*)", re.IGNORECASE
)
_FILES_LABEL = re.compile(
    rf"{_START}(?:\S+\s+)?files?(?:\s+(?:to\s+)?({_VERB})[\w/]*|\s+changed|\s+touched)?"
    r"[*_]*\s*(?:[:\uff1a][*_]*\s*(.*)|$)",
    re.IGNORECASE,
)
_TEST_LABEL = re.compile(rf"{_START}tests?[*_]*\s*[:\uff1a][*_]*\s*(.*)", re.IGNORECASE)
_RUN_LABEL = re.compile(rf"{_START}(?:run|command)[*_]*\s*[:\uff1a][*_]*\s*(.*)", re.IGNORECASE)
_RUN_STEP = re.compile(
    r"(?:\[[ xX]\]\s*)?\*\*(?:step\s+\d+\s*[:.]\s*)?(?:re-?)?run\b[^`*]*\*\*:?", re.IGNORECASE
)
_CHECK_LABEL = re.compile(
    rf"{_START}(?:verification|verify|validation|testing|how to test|automated verification"
    r"|acceptance(?:\s+criteria)?|success criteria)[*_]*\s*(?:[:\uff1a][*_]*\s*(.*)|$)",
    re.IGNORECASE,
)
_ANY_LABEL = re.compile(rf"{_START}[A-Z][\w /()&-]{{0,40}}[*_]*\s*[:\uff1a][*_]*\s*(.*)")
_EXPECTED_FAILURE = re.compile(rf"{_START}expect(?:ed|ing)?\b.*\b(?:fail|error|red)", re.IGNORECASE)
_ARROW = re.compile(r"\s*(?:->|→|=>|\bto\b)\s*")
_SHELL = {"bash", "sh", "shell", "console", "zsh", "terminal", ""}


def read(inside: Sequence[Piece]) -> Reading:
    """Read the files and checks off the pieces of one task."""
    reader = _Reader()
    for piece in inside:
        reader.piece(piece)
    return reader.reading


class _Reader:
    """Remembers under which label the pieces stand."""

    def __init__(self) -> None:
        self.reading = Reading()
        self._mode = ""  # "files", "checks", "run" (one fence), or nothing
        self._operation: Operation | None = None
        self._last_run: list[str] = []

    def piece(self, piece: Piece) -> None:
        if piece.is_fence:
            self._fence(piece)
            return
        if piece.is_heading:
            self._mode = ""
        for number, line in enumerate(piece.text.split("\n"), piece.start):
            self._line(line, number, piece)

    def _fence(self, piece: Piece) -> None:
        if self._mode in {"checks", "run"} and piece.info in _SHELL:
            commands = script_in(piece.text)
            self._checks(commands)
            if commands and self._mode == "checks":
                self.reading.spent.update(range(piece.start, piece.stop))
        if self._mode == "run":
            self._mode = ""

    def _line(self, line: str, number: int, piece: Piece) -> None:
        if _EXPECTED_FAILURE.match(line):
            self._forget_last_run()
            return
        if self._label(line, number, piece):
            return
        if self._mode == "files" and (piece.is_item or _is_only_paths(line)):
            if self._files_line(line, self._operation):
                self.reading.spent.add(number)
        elif self._mode == "checks":
            self._check_line(line, number, piece)
        else:
            self._sentence(line)

    def _label(self, line: str, number: int, piece: Piece) -> bool:
        """Take a label line; tell whether it was one."""
        for pattern, take in (
            (_FILES_LABEL, self._files_label),
            (_VERB_LABEL, self._verb_label),
            (_TEST_LABEL, self._test_label),
            (_RUN_LABEL, self._run_label),
            (_RUN_STEP, self._run_step),
            (_CHECK_LABEL, self._check_label),
        ):
            found = pattern.fullmatch(line)
            if found and take(found, number, piece):
                return True
        is_other = _ANY_LABEL.fullmatch(line) and not piece.is_item and self._mode
        if is_other and not SPAN.match(line):
            self._mode = ""
        return False

    def _files_label(self, found: re.Match[str], number: int, piece: Piece) -> bool:
        rest = found[2] or ""
        if found[2] is None and not piece.is_heading and not _is_strong(piece.text):
            return False
        operation = _OPERATIONS.get((found[1] or "").lower())
        if rest and not self._files_line(rest, operation):
            return False
        self._mode, self._operation = "files", operation
        self._spend(number, piece)
        return True

    def _verb_label(self, found: re.Match[str], number: int, piece: Piece) -> bool:
        operation = _OPERATIONS[found[1].lower()]
        if not found[2].strip():
            self._mode, self._operation = "files", operation
            self._spend(number, piece)
            return True
        if not self._files_line(found[2], operation):
            return False
        self._spend(number, piece)
        return True

    def _test_label(self, found: re.Match[str], number: int, piece: Piece) -> bool:
        if self._files_line(found[1], None):
            self._spend(number, piece)
            return True
        return self._check_label(found, number, piece)

    def _run_label(self, found: re.Match[str], _number: int, _piece: Piece) -> bool:
        commands = _commands(found[1])
        self._checks(commands)
        if not commands and not found[1].strip():
            self._mode = "run"
        return bool(commands) or self._mode == "run"

    def _run_step(self, _found: re.Match[str], _number: int, _piece: Piece) -> bool:
        self._mode = "run"
        return True

    def _check_label(self, found: re.Match[str], number: int, piece: Piece) -> bool:
        rest = (found[1] or "").strip()
        if found[1] is None and not piece.is_heading and not _is_strong(piece.text):
            return False
        self._mode = "checks"
        if rest:
            self._check_line(rest, number, piece)
        else:
            self._spend(number, piece)
        return True

    def _check_line(self, line: str, number: int, piece: Piece) -> None:
        line = re.sub(_START, "", line, count=1) if not line.startswith("`") else line
        run = _RUN_LABEL.fullmatch(line)
        span = SPAN.match(line)
        if span and span[2] and not path_in(span[2]):
            self._checks([span[2].strip()])
            rest = line[span.end() :].strip(" .:—\u2013-")
            if rest:
                self.reading.prose.append(f"{line.strip()}")
        elif run:
            self._checks(_commands(run[1]))
        elif piece.is_item or number == piece.start:
            self.reading.prose.append(line.strip())
        elif self.reading.prose:
            self.reading.prose[-1] += f" {line.strip()}"
        self.reading.spent.add(number)

    def _sentence(self, line: str) -> None:
        found = _VERB_SENTENCE.fullmatch(line)
        span = SPAN.match(found[2]) if found else None
        if not found or not span:
            return
        operation = _OPERATIONS[found[1].lower()]
        path = path_in(span[2] or "")
        if path and not path.startswith("/"):
            self._add(operation, path, found[2][span.end() :])

    def _files_line(self, text: str, operation: Operation | None) -> bool:
        """Take the paths of a line that is about files; tell whether there were any."""
        verb = _VERB_LABEL.fullmatch(text) or _VERB_SENTENCE.fullmatch(text)
        if verb:
            operation, text = _OPERATIONS[verb[1].lower()], verb[2]
        spans = [m for m in SPAN.finditer(text) if path_in(m[2] or m[3])]
        if not spans:
            word = text.strip().lstrip("*_").split(" ", 1)[0].rstrip(".,;*")
            path = path_in(word)
            if path:
                self._add(operation, path, text.strip()[len(word) :])
            return path is not None
        first = spans[0]
        if operation is Operation.MOVE:
            path = path_in(first[2] or first[3])
            return bool(path) and self._add(operation, path or "", text[first.end() :])
        said = operation or _operation_beside(text)
        for span in spans:
            self._add(said, path_in(span[2] or span[3]) or "", "")
        return True

    def _add(self, operation: Operation | None, path: str, rest: str) -> bool:
        target = None
        if operation is Operation.MOVE:
            arrow = _ARROW.match(rest)
            after = rest[arrow.end() :] if arrow else ""
            span = SPAN.match(after)
            target = path_in((span[2] or span[3]) if span else after.split(" ", 1)[0].rstrip(".,;"))
            if target is None:
                return False
        self.reading.entries.append(DraftFile(operation, path, target))
        return True

    def _checks(self, commands: Sequence[str]) -> None:
        self._last_run = [c for c in commands if c not in self.reading.checks]
        self.reading.checks.extend(commands)

    def _forget_last_run(self) -> None:
        """A command that is expected to fail is a step of the work, and no check of the result."""
        for command in self._last_run:
            self.reading.checks.remove(command)
        self._last_run = []

    def _spend(self, number: int, piece: Piece) -> None:
        self.reading.spent.add(number)
        if piece.is_heading:
            self.reading.spent.update(range(piece.start, piece.stop))


def _operation_beside(text: str) -> Operation | None:
    """Read an operation said beside a path: `path` (new), (modify) `path`."""
    said = re.findall(r"[(（]([A-Za-z]+)\b", text)  # noqa: RUF001  # Chinese plans use these
    named = {_OPERATIONS[word.lower()] for word in said if word.lower() in _OPERATIONS}
    return named.pop() if len(named) == 1 else None


def _is_only_paths(line: str) -> bool:
    return bool(line.strip()) and not SPAN.sub("", line).strip(" ,;:*_-")


def _is_strong(text: str) -> bool:
    return bool(re.fullmatch(r"\*\*[^*]+\*\*:?|__[^_]+__:?", text.split("\n", 1)[0].strip()))


def _commands(text: str) -> list[str]:
    found = [m[2].strip() for m in SPAN.finditer(text) if m[2]]
    return found[:1]
