"""Reading one task's section into a `Task`."""

import re
from collections.abc import Iterator
from itertools import pairwise

from kimi_mcp.errors import SpecInvalid
from kimi_mcp.spec import structure
from kimi_mcp.spec.entries import Check, FileEntry, Operation, read_check, read_file
from kimi_mcp.spec.model import TASK_LEVELS, Block, Part, Task
from kimi_mcp.spec.source import Item, Source

_HEADING = re.compile(r"Task[ \t]+(\d{1,9})[ \t]*(?:(?::|\.(?!\d)|--|[-—\u2013])[ \t]*(.*))?")
_NUMBERS = re.compile(r"(?:(?:task|step)s?\s*)?#?(\d{1,9})", re.IGNORECASE)
_NO_NUMBERS = {"", "none", "nothing", "-", "—", "n/a"}
_STEPS = re.compile(r"(\d{1,9})(?:\s*steps?)?\.?", re.IGNORECASE)
_MOST_FILES, _LONGEST_PATH = 500, 4_096
_MOST_CHECKS, _LONGEST_CHECK = 100, 16_384
_VERBS = {op.value.lower(): op for op in Operation}


def read_task(source: Source, start: int, stop: int) -> Task | None:
    """Read the task whose heading stands in line *start*; problems are reported to *source*."""
    heading = structure.heading(source.lines[start])
    found = _HEADING.fullmatch(heading.text) if heading else None
    if not found:
        source.report(start, "a heading under `## Tasks` names a task; write `### Task 1: title`")
        return None
    title, is_marked = structure.split_mark((found[2] or "").strip())
    reader = _Reader(source, number=int(found[1]), title=title, is_marked=is_marked)
    return reader.task(start, stop)


class _Reader:
    """Collects a task's values and layout, block by block."""

    def __init__(self, source: Source, *, number: int, title: str, is_marked: bool) -> None:
        self._source = source
        self._values = Task(number=number, title=title, is_marked_independent=is_marked)
        self._first_lines: dict[str, int] = {}
        self._layout: list[Part] = []
        self._files: list[FileEntry] = []
        self._checks: list[Check] = []
        self._others: list[Block] = []
        self._depends_on: tuple[int, ...] = ()
        self._budget: int | None = None
        self._preface = ""
        self._requirements = ""

    def task(self, start: int, stop: int) -> Task:
        source, head = self._source, self._values
        labels = [
            (line, found)
            for line in range(start + 1, stop)
            if line not in source.opaque and (found := structure.label(source.lines[line]))
        ]
        first = labels[0][0] if labels else stop
        body = source.after_blank(start + 1, first)
        heading = (head.number, head.title, head.is_marked_independent)
        self._layout.append(Part("heading", source.text(start, body), heading))
        if body < first:
            self._preface = source.free_text(body, first, levels=TASK_LEVELS)
            said = (self._preface,) if self._preface else ()
            self._layout.append(Part("preface", source.text(body, first), said))
        lines = [line for line, _ in labels] + [stop]
        for (_, label), (line, end) in zip(labels, pairwise(lines), strict=True):
            self._block(label, line, end)
        return Task(
            number=head.number,
            title=head.title,
            is_marked_independent=head.is_marked_independent,
            preface=self._preface,
            depends_on=self._depends_on,
            files=tuple(self._files),
            requirements=self._requirements,
            verification=tuple(self._checks),
            budget=self._budget,
            others=tuple(self._others),
            layout=tuple(self._layout),
            line=start + 1,
        )

    def _block(self, label: structure.Label, line: int, stop: int) -> None:
        kind = _kind(label)
        if kind not in {"files", "others"}:
            first = self._first_lines.setdefault(kind, line)
            if first != line:
                what = f"a second `{label.name}:` (the first is in line {first + 1})"
                self._source.report(line, f"{what}; make them one block")
        said: tuple[object, ...] = ()
        match kind:
            case "files":
                said = self._read_files(label, line, stop)
            case "depends_on":
                said = self._depends_on = self._read_numbers(label, line, stop)
            case "verification":
                said = self._read_checks(label, line, stop)
            case "budget":
                said = self._read_budget(label, line, stop)
            case "requirements":
                self._requirements = self._source.free_text(
                    line + 1, stop, levels=TASK_LEVELS, first=label.rest
                )
                said = (self._requirements,) if self._requirements else ()
            case _:
                text = self._source.free_text(line + 1, stop, levels=TASK_LEVELS)
                said = (Block(label=label.name, text=text),)
                self._others.extend(said)
        self._layout.append(Part(kind, self._source.text(line, stop), said))

    def _read_files(self, label: structure.Label, line: int, stop: int) -> tuple[object, ...]:
        verbs = [op for verb, op in _VERBS.items() if verb in label.name.lower().split()]
        default = verbs[0] if len(verbs) == 1 else None
        self._refuse_inline(label, line, "- MODIFY src/app.py")
        entries: list[FileEntry] = []
        for item in self._items(line, stop, most=_MOST_FILES, longest=_LONGEST_PATH):
            if not item.is_listed:
                problem = f"`{item.text[:60]}` is no list item; write `- MODIFY path`"
                self._source.report(item.line, problem)
                continue
            try:
                entries.append(read_file(item.text, default=default, line=item.line + 1))
            except SpecInvalid as error:
                self._source.report(item.line, str(error))
        self._files.extend(entries)
        return tuple(entries)

    def _read_checks(self, label: structure.Label, line: int, stop: int) -> tuple[object, ...]:
        self._refuse_inline(label, line, "- `pytest -q`")
        checks: list[Check] = []
        for item in self._items(line, stop, most=_MOST_CHECKS, longest=_LONGEST_CHECK):
            if item.line in self._source.opaque:
                problem = "a fenced block is no check; write each command as `- `command``"
                self._source.report(item.line, problem)
                continue
            try:
                checks.append(read_check(item.text, line=item.line + 1))
            except SpecInvalid as error:
                self._source.report(item.line, str(error))
        self._checks.extend(checks)
        return tuple(checks)

    def _items(self, line: int, stop: int, *, most: int, longest: int) -> Iterator[Item]:
        """Read the items of the block at *line* that are not beyond all bounds."""
        for count, item in enumerate(self._source.items(line + 1, stop), start=1):
            if count > most:
                problem = f"more than {most} items; use globs, or a script of the repository"
                self._source.report(item.line, problem)
                return
            if len(item.text) > longest:
                problem = f"an item of {len(item.text)} characters; write at most {longest}"
                self._source.report(item.line, problem)
                continue
            yield item

    def _read_numbers(self, label: structure.Label, line: int, stop: int) -> tuple[int, ...]:
        texts = [label.rest, *(item.text for item in self._source.items(line + 1, stop))]
        numbers: list[int] = []
        for text in re.split(r"[,;&]|\band\b", ",".join(texts)):
            word = text.strip().rstrip(".")
            found = _NUMBERS.fullmatch(word)
            if found:
                numbers.append(int(found[1]))
            elif word.lower() not in _NO_NUMBERS:
                self._source.report(
                    line, f"`{word[:60]}` is no task; write `Depends on: Task 1, Task 2`"
                )
        return tuple(numbers)

    def _read_budget(self, label: structure.Label, line: int, stop: int) -> tuple[object, ...]:
        texts = [label.rest, *(item.text for item in self._source.items(line + 1, stop))]
        text = " ".join(filter(None, texts))
        found = _STEPS.fullmatch(text)
        if not found or not int(found[1]):
            self._source.report(line, f"`{text[:60]}` is no budget; write `Budget: 40 steps`")
            return ()
        self._budget = int(found[1])
        return (self._budget,)

    def _refuse_inline(self, label: structure.Label, line: int, example: str) -> None:
        if label.rest:
            problem = f"`{label.name}:` is followed by text; put it below as a list, `{example}`"
            self._source.report(line, problem)


def _kind(label: structure.Label) -> str:
    if not label.is_known:
        return "others"
    words = label.name.lower()
    return "files" if words.startswith("files") else words.replace(" ", "_")
