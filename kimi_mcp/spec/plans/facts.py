"""What one task of a plan says of files, checks, dependencies and budget. Pure.

The pieces are read in the order of the plan. What a line means is decided by the label that it
bears or stands under, by the verb that governs a path, or by the kind of command; a line whose
whole content went into a field is spent, and is not repeated among the requirements.
"""

# plans are written with these signs

import re
from collections.abc import Sequence

from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.plans import checks, filework, lines
from kimi_mcp.spec.plans.draft import DraftFile
from kimi_mcp.spec.plans.found import PATH_LINE, Facts
from kimi_mcp.spec.plans.lines import Kind, Said
from kimi_mcp.spec.plans.shapes import Piece, Row

_STEPS = re.compile(
    r"(\d{1,4})\s*(?:steps?|schritte|étapes|pasos|passos|шаг\w*|bước|步|ステップ|단계)?",
    re.IGNORECASE,
)
_TICK = re.compile(r"^\[[ xX]\]\s*")
_FENCED = {"checks", "run"}


def read(
    inside: Sequence[Piece], rows: Sequence[Row] = (), *, cells: Sequence[tuple[str, str]] = ()
) -> Facts:
    """Read the facts off the pieces and table rows of one task, or off the *cells* of one row."""
    reader = _Reader()
    for head, cell in cells:
        reader.cell(head, cell)
    for part in sorted([*inside, *rows], key=_line):
        if isinstance(part, Row):
            reader.row(part)
        elif part.is_fence:
            reader.fence(part)
        else:
            reader.piece(part)
    facts = reader.facts
    facts.commands = list(dict.fromkeys(facts.commands))
    facts.manual = [text for text in dict.fromkeys(facts.manual) if text]
    return facts


def _line(part: Piece | Row) -> int:
    return part.line if isinstance(part, Row) else part.start


class _Reader:
    """Remembers under which label the pieces stand."""

    def __init__(self) -> None:
        self.facts = Facts()
        self._mode = ""  # "files", "checks", "run" (one fence), "tied", or nothing
        self._operation: Operation | None = None
        self._is_failing = False
        self._last: list[str] = []

    def row(self, row: Row) -> None:
        """Take a table row: in a list of checks a check, else a file where it names one."""
        if self._mode == "checks":
            return
        self.facts.entries += filework.row(row.cells, self._operation)

    def cell(self, head: str, text: str) -> None:
        """Take a cell of a row that is a task: its column's head is its label."""
        said = lines.read(f"{head}: {text}")
        if said and said.kind in {Kind.FILES, Kind.CHECKS, Kind.BUDGET, Kind.TEST}:
            self._labelled(said, text, 0, Piece(0, 0, text))
        else:
            self._prose(text, Piece(0, 0, text, is_item=True))
        self._mode = ""

    def fence(self, piece: Piece) -> None:
        """Take a fence: a listing of files, commands, or code that names its file."""
        listing = filework.listing(piece.text)
        if listing and piece.info in {"", "diff", "text", "patch"}:
            self.facts.entries += listing
            return
        if piece.info in checks.SHELLS:
            is_asked = self._mode in _FENCED
            commands = checks.script(piece.text, is_asked=is_asked)
            if not self._is_failing:
                self._take(commands)
            if commands and self._mode == "checks":
                self.facts.spent.update(range(piece.start, piece.stop))
        else:
            named = filework.headed(piece.text)
            self.facts.weak += [named] if named else []
        if self._mode == "run":
            self._mode = ""
        self._is_failing = False

    def piece(self, piece: Piece) -> None:
        """Take a paragraph or heading, line by line."""
        if piece.is_heading:
            self._mode, self._operation = "", None
        for number, line in enumerate(piece.text.split("\n"), piece.start):
            self._one(line, number, piece)

    def _one(self, line: str, number: int, piece: Piece) -> None:
        if lines.is_step(line):
            self._mode, self._operation, self._is_failing = "", None, False
        said = lines.read(line, is_bare=piece.is_heading)
        if said and self._labelled(said, line, number, piece):
            return
        if self._mode == "files":
            self._files(line, number, piece)
        elif self._mode == "checks":
            self._check(line, number, piece)
        elif self._mode == "tied":
            self.facts.tied.append((number, line))
        else:
            self._prose(line, piece)

    def _labelled(self, said: Said, line: str, number: int, piece: Piece) -> bool:
        """Take a line by its label; tell whether nothing of it is left to read."""
        match said.kind:
            case Kind.FILES | Kind.VERB | Kind.TEST:
                return self._files_label(said, line, number, piece)
            case Kind.RUN:
                return self._run(said, line)
            case Kind.CHECKS:
                return self._checks_label(said, number, piece)
            case Kind.BUDGET:
                return self._budget(said, number)
            case Kind.OTHER:
                return self._other(line, piece)
            case _:
                return self._about_others(said, line, number)

    def _about_others(self, said: Said, line: str, number: int) -> bool:
        """Take what ties a task to others, or says how a command is to end."""
        if said.kind is Kind.EXPECTED:
            if checks.says_failure(said.rest or line):
                self._forget()
            return True
        if said.kind is Kind.DEPENDS:
            self.facts.tied.append((number, said.rest))
            self._mode = "" if said.rest else "tied"
            return True
        names = re.findall(r"`([^`]+)`", said.rest)
        if said.kind is Kind.PRODUCES:
            self.facts.produced += names
        else:
            self.facts.consumed += names
            self.facts.tied.append((-1, said.rest))
        return bool(names)

    def _other(self, line: str, piece: Piece) -> bool:
        """Take a label that says nothing here: it ends what stood before it."""
        is_file = self._mode == "files" and filework.listed(line, self._operation)
        if not is_file and not piece.is_item and self._mode != "checks":
            self._mode = ""
        return False

    def _files_label(self, said: Said, line: str, number: int, piece: Piece) -> bool:
        if not said.rest:
            if said.kind is Kind.TEST:
                return self._checks_label(said, number, piece)
            self._mode, self._operation = "files", said.operation
            if said.kind is Kind.FILES:
                self._spend(number, piece)
            return not piece.is_heading or not filework.spots(line)
        found = filework.listed(said.rest, said.operation)
        if said.kind is Kind.VERB and not _begins_with_path(said.rest):
            found = []
        if not found:
            if said.kind is Kind.TEST:
                return self._checks_label(said, number, piece)
            return False
        self.facts.entries += found
        if said.kind is Kind.FILES and not piece.is_item:
            self._mode, self._operation = "files", said.operation
        if _is_only(said.rest, found):
            self._spend(number, piece)
        return True

    def _files(self, line: str, number: int, piece: Piece) -> None:
        whole = piece.text if number == piece.start else line
        if not (piece.is_item or all(map(_is_only_paths, whole.split("\n")))):
            self._mode = ""
            self._prose(line, piece)
            return
        found = filework.listed(_TICK.sub("", line), self._operation)
        self.facts.entries += found
        if found and _is_only(line, found):
            self.facts.spent.add(number)

    def _run(self, said: Said, line: str) -> bool:
        if checks.says_failure(line):
            self._is_failing = True
        commands = checks.spans(said.rest, is_asked=True)
        if commands:
            self._is_failing = False
            if not checks.says_failure(line):
                self._take(commands)
            return True
        self._mode = "run"
        return not said.rest

    def _checks_label(self, said: Said, number: int, piece: Piece) -> bool:
        self._mode = "checks"
        if said.rest:
            self._check(said.rest, number, piece)
        else:
            self._spend(number, piece)
        return True

    def _check(self, line: str, number: int, piece: Piece) -> None:
        line = _TICK.sub("", line.strip())
        found = checks.first_span(line)
        said = lines.read(line)
        if found:
            self._take([found[0]])
            if found[1]:
                self.facts.manual.append(line)
        elif said and said.kind is Kind.RUN and checks.spans(said.rest, is_asked=True):
            self._take(checks.spans(said.rest, is_asked=True))
        elif said and said.kind is Kind.EXPECTED and checks.says_failure(line):
            self._forget()
        else:
            inner = checks.spans(line, is_asked=False)
            self._take(inner)
            if piece.is_item or number == piece.start or not self.facts.manual:
                self.facts.manual.append(line)
            else:
                self.facts.manual[-1] += f" {line}"
        self.facts.spent.add(number)

    def _prose(self, line: str, piece: Piece) -> None:
        if checks.says_failure(line) and lines.read(line) is None and piece.is_item:
            self._is_failing = True
        found = filework.governed(line)
        if piece.is_item or piece.is_heading or line.lstrip().startswith("**"):
            found = found or filework.leads(line)
        self.facts.entries += found
        self.facts.weak += [
            DraftFile(None, spot.path)
            for spot in filework.named(line)
            if PATH_LINE.search(spot.path) or piece.is_heading
        ]
        if not self._is_failing:
            self._take(checks.spans(line, is_asked=False))

    def _budget(self, said: Said, number: int) -> bool:
        found = _STEPS.match(said.rest.strip(" *_`"))
        if found and int(found[1]) > 0:
            self.facts.budget = int(found[1])
            self.facts.spent.add(number)
        return bool(found)

    def _take(self, commands: Sequence[str]) -> None:
        checking = [command for command in commands if not checks.is_look(command)]
        self.facts.manual += [f"`{c}`" for c in commands if checks.is_look(c) and "`" not in c]
        self._last = [c for c in checking if c not in self.facts.commands]
        self.facts.commands.extend(checking)

    def _forget(self) -> None:
        """A command that is expected to fail is a step of the work, and no check of the result."""
        for command in self._last:
            self.facts.commands.remove(command)
        self._last = []

    def _spend(self, number: int, piece: Piece) -> None:
        self.facts.spent.add(number)
        if piece.is_heading:
            self.facts.spent.update(range(piece.start, piece.stop))


def _begins_with_path(text: str) -> bool:
    found = filework.spots(text)
    return not found or not text[: found[0].start].strip("*_ ")


def _is_only(text: str, found: Sequence[DraftFile]) -> bool:
    """Tell whether a line says nothing but its files, so that it need not be repeated."""
    rest = text
    for file in found:
        for path in filter(None, (file.path, file.target)):
            rest = rest.replace(path, "")
    words = re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,2}|\w+", rest)
    return len(words) <= 2  # noqa: PLR2004  # a verb and "new", or a bracketed word


def _is_only_paths(line: str) -> bool:
    found = filework.spots(line)
    return bool(found) and _is_only(line, [DraftFile(None, spot.path) for spot in found])
