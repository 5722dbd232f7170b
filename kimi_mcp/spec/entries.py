r"""The entries of a task's lists, files and checks, each with its Markdown form beside it.

Reading and writing stand together because one must undo the other: `read_file(str(entry)) == entry`
and `read_check(str(check)) == check`. Nothing here knows where a list begins or ends.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from kimi_mcp.errors import SpecInvalid
from kimi_mcp.spec import structure


class Operation(StrEnum):
    """What a task may do with a file; `READ` is a pointer and never scope."""

    READ = "READ"
    CREATE = "CREATE"
    MODIFY = "MODIFY"
    DELETE = "DELETE"
    MOVE = "MOVE"


_LINES = r"\d+(?:-\d+)?(?:,[ ]*\d+(?:-\d+)?)*"
_PATH_LINES = re.compile(rf"(.*\S):({_LINES})", re.DOTALL)
_SPAN = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_OPERATION = re.compile(r"(?i:(READ|CREATE|MODIFY|DELETE|MOVE))(?::|(?=\s))\s*(?=\S)")
_ARROW = re.compile(r"\s*(?:->|→)\s*")
_NOTE = re.compile(r"\s+(?:[—\u2013#]|--?)\s+(\S.*)|\s+(\(.*\))", re.DOTALL)
_TRAILING_LINES = re.compile(rf":({_LINES})(?=\s|$)")
_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_OPTIONS = re.compile(
    # possessive: a long run of spaces must not be cut in every way
    rf"\(\s*+(?:in\s++(?P<directory>`[^`]+`|[^\s,()`]+))?\s*+,?\s*+"
    rf"(?:timeout\s++(?P<amount>{_NUMBER})\s*+(?P<unit>s|sec|seconds?|m|min|minutes?|h|hours?)?)?"
    rf"\s*+\)(?=\s|$)"
)
_UNIT_S = {"s": 1, "m": 60, "h": 3600}
_PLAIN_DIRECTORY = re.compile(r"[^\s,()`]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One line of a task's file list; *target* belongs to MOVE and to nothing else.

    *lines* is a hint such as `10-20`, *note* the prose after the path.

    Raises: `SpecInvalid` for what the format cannot hold.
    """

    operation: Operation
    path: str
    lines: str | None = None
    target: str | None = None
    note: str | None = None
    line: int | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Bring the path to the form in which it is written."""
        path, lines = self.path.strip(), self.lines
        found = _PATH_LINES.fullmatch(path)
        while found and lines is None:
            path, lines = found[1], found[2]
        object.__setattr__(self, "path", _one_line(path, what="a path"))
        object.__setattr__(self, "lines", lines and lines.replace(" ", ""))
        object.__setattr__(self, "note", _one_paragraph(self.note or "") or None)
        if (self.target is not None) != (self.operation is Operation.MOVE):
            message = f"`{path}`: a target belongs to MOVE and only there; write `MOVE old -> new`"
            raise SpecInvalid(message)
        if self.target is not None:
            object.__setattr__(self, "target", _one_line(self.target.strip(), what="a path"))
        if lines is not None and not re.fullmatch(_LINES, lines):
            message = f"`{path}`: `{lines}` is no line range; write `{path}:10-20`"
            raise SpecInvalid(message)

    @property
    def is_write(self) -> bool:
        """Whether the entry lets the task change something."""
        return self.operation is not Operation.READ

    @property
    def written_paths(self) -> tuple[str, ...]:
        """The paths or globs that the task may change by this entry."""
        if not self.is_write:
            return ()
        return (self.path,) if self.target is None else (self.path, self.target)

    def __str__(self) -> str:
        """Write the entry as the text of a list item."""
        lines = f":{self.lines}" if self.lines else ""
        target = f" -> {_quoted(self.target)}" if self.target is not None else ""
        note = f" — {self.note}" if self.note else ""
        return f"{self.operation} {_quoted(self.path)}{lines}{target}{note}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A check that we run with `sh -c`; *note* is prose after it, which stays manual.

    *directory* is relative to the repository's root. *timeout_s* may only shorten the user's limit.

    Raises: `SpecInvalid` for an empty command or one of several lines.
    """

    text: str
    directory: str | None = None
    timeout_s: float | None = None
    note: str | None = None
    line: int | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Bring the command to the form in which it is written."""
        object.__setattr__(self, "text", _one_line(self.text.strip(), what="a command"))
        object.__setattr__(self, "note", _one_paragraph(self.note or "") or None)
        if self.timeout_s is not None and not 0 < self.timeout_s < float("inf"):
            message = f"`{self.text}`: a timeout of {self.timeout_s:g} s; write `(timeout 10m)`"
            raise SpecInvalid(message)
        if self.directory is not None:
            directory = _one_line(self.directory.strip(), what="a directory")
            if "`" in directory:
                message = f"`{self.text}`: the directory's name holds a backtick; rename it"
                raise SpecInvalid(message)
            object.__setattr__(self, "directory", directory)

    def __str__(self) -> str:
        """Write the command as the text of a list item."""
        options = ", ".join(filter(None, [_in(self.directory), _timeout(self.timeout_s)]))
        note = f" {self.note}" if self.note else ""
        if not options and note and _OPTIONS.match(note.strip()):
            options = " "  # an empty pair keeps the note from being read as options
        return f"{_code_span(self.text)}{f' ({options})' if options else ''}{note}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manual:
    """A check in prose, for the reviewer.

    Raises: `SpecInvalid` when empty.
    """

    text: str
    line: int | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Bring the prose to one line."""
        text = _one_paragraph(self.text)
        object.__setattr__(self, "text", _one_line(text, what="a manual check"))

    def __str__(self) -> str:
        """Write the check as the text of a list item, marked where it would not read as prose."""
        return self.text if _reads_as_prose(self.text) else f"manual: {self.text}"


Check = Command | Manual


def read_file(text: str, *, default: Operation | None = None, line: int | None = None) -> FileEntry:
    """Read `MODIFY path:10-20 — note`; *default* is the operation where the item names none.

    Raises: `SpecInvalid` when the item is no file entry.
    """
    found = _OPERATION.match(text)
    operation = Operation(found[1].upper()) if found else default
    if operation is None:
        message = f"`{text}` names no operation; begin with READ, CREATE, MODIFY, DELETE or MOVE"
        raise SpecInvalid(message)
    path, lines, rest = _path(text[found.end() :] if found else text)
    target = None
    arrow = _ARROW.match(rest)
    if operation is Operation.MOVE:
        if not arrow:
            message = f"`{text}` does not say where to; write `MOVE old -> new`"
            raise SpecInvalid(message)
        target, part, rest = _path(rest[arrow.end() :])
        target += f":{part}" if part else ""
    note = _NOTE.fullmatch(rest)
    if rest and not note:
        message = (
            f"`{text}` has more than a path; put a path with spaces in backticks, "
            "and a remark after ` — `"
        )
        raise SpecInvalid(message)
    return FileEntry(
        operation=operation,
        path=path,
        lines=lines,
        target=target,
        note=(note[1] or note[2]) if note else None,
        line=line,
    )


def names_operation(text: str) -> bool:
    """Tell whether the text of a file entry begins with an operation."""
    return bool(_OPERATION.match(text))


def read_check(text: str, *, line: int | None = None) -> Check:
    """Read the text of a verification item: a leading backticked span is a command.

    Raises: `SpecInvalid` when nothing is left to check.
    """
    if text[:7].lower() == "manual:":
        return Manual(text=text[7:], line=line)
    span = _SPAN.match(text)
    if not span or not span[2].strip():
        return Manual(text=text, line=line)
    rest = text[span.end() :].strip()
    options = _OPTIONS.match(rest)
    directory = timeout_s = None
    if options:
        rest = rest[options.end() :]
        directory = options["directory"] and options["directory"].strip("`")
        amount: str | None = options["amount"]
        timeout_s = float(amount) * _UNIT_S[(options["unit"] or "s")[0]] if amount else None
    return Command(
        text=_unspanned(span[2]), directory=directory, timeout_s=timeout_s, note=rest, line=line
    )


def _path(text: str) -> tuple[str, str | None, str]:
    """Take a path off the front: path, lines, what is left."""
    span = _SPAN.match(text)
    if span:
        path, rest = _unspanned(span[2]), text[span.end() :]
    else:
        path = text.split(maxsplit=1)[0] if text.strip() else ""
        rest = text[len(path) :]
        inside = _ARROW.search(path)
        if inside:
            path, rest = text[: inside.start()], text[inside.start() :]
    lines = _TRAILING_LINES.match(rest)
    return path, lines[1] if lines else None, rest[lines.end() :] if lines else rest


def _quoted(path: str) -> str:
    return _code_span(path) if re.search(r"[\s`]|->|→", path) else path


def _code_span(text: str) -> str:
    runs = {len(run) for run in re.findall("`+", text)}
    fence = "`" * next(n for n in range(1, len(runs) + 2) if n not in runs)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _unspanned(content: str) -> str:
    is_padded = content.startswith(" ") and content.endswith(" ") and content.strip()
    return content[1:-1] if is_padded else content


def _reads_as_prose(text: str) -> bool:
    line = f"- {text}"
    if structure.item(line) != text or structure.opens_fence(line):
        return False
    try:
        return read_check(text) == Manual(text=text)
    except SpecInvalid:
        return False


def _in(directory: str | None) -> str:
    if directory is None:
        return ""
    return f"in {directory if _PLAIN_DIRECTORY.fullmatch(directory) else f'`{directory}`'}"


def _timeout(timeout_s: float | None) -> str:
    if timeout_s is None:
        return ""
    minutes, rest = divmod(timeout_s, 60)
    if not rest and minutes < 10_000:  # noqa: PLR2004  # beyond, seconds
        return f"timeout {int(minutes)}m"
    return f"timeout {timeout_s!r}s".replace(".0s", "s")


def _one_line(text: str, *, what: str) -> str:
    if not text:
        message = f"{what} is empty; name it or remove the item"
        raise SpecInvalid(message)
    if "\n" in text or "\r" in text:
        first = text.splitlines()[0]
        message = f"{what} has several lines (`{first}` …); use one item a line, or join with `&&`"
        raise SpecInvalid(message)
    return text


def _one_paragraph(text: str) -> str:
    lines = text.replace("\r", "\n").split("\n")
    return " ".join(line.strip() for line in lines if line.strip())
