"""Text to spec: strict, lossless, and every problem named with its line.

`parse` cuts the text into the parts of a layout (`model`), so nothing of the text is ever dropped,
and reads the values off the parts. It collects all problems before it refuses. PyYAML is imported
only for a text with front matter.
"""

from dataclasses import replace
from itertools import pairwise
from typing import TypedDict

from kimi_mcp.spec import structure
from kimi_mcp.spec.front import Front, read_front
from kimi_mcp.spec.model import SECTION_LEVELS, TASK_LEVELS, Part, Section, Spec, Task
from kimi_mcp.spec.render import spoken
from kimi_mcp.spec.sections import read_task
from kimi_mcp.spec.source import Source

_BOM = "\ufeff"
_MOST_TASKS = 300


def parse(text: str, *, name: str = "spec") -> Spec:
    """Read a spec; *name* is what messages call it.

    Raises: `SpecInvalid` whose message has one line `name:LINE: what; what now` for every problem.
    """
    source = Source.of(text.removeprefix(_BOM), name=name)
    front, start = read_front(source)
    source.find_regions(start)
    layout: list[Part] = []
    if text.startswith(_BOM):
        layout.append(Part("bom", _BOM))
    if start:
        layout.append(Part("front", source.text(0, start)))
    body = _Body(source, layout)
    body.read(start)
    source.refuse_if_reported()
    return body.spec(front)


class _Texts(TypedDict, total=False):
    preface: str
    goal: str
    context: str
    out_of_scope: str


class _Body:
    """Collects what stands below the front matter, section by section."""

    def __init__(self, source: Source, layout: list[Part]) -> None:
        self._source = source
        self._layout = layout
        self._number: int | None = None
        self._title = ""
        self._heading_line = 0
        self._texts = _Texts()
        self._tasks: list[Task] = []
        self._sections: list[Section] = []
        self._seen: dict[str, int] = {}

    def read(self, start: int) -> None:
        """Read from line *start* to the end."""
        source = self._source
        total = len(source.lines)
        headings = self._headings(start, total, levels=SECTION_LEVELS)
        first = headings[0] if headings else total
        self._lead(start, first)
        for line, stop in pairwise([*headings, total]):
            self._section(line, stop, is_first=line == first)
        if not any(_heading(source, line).level == 1 for line in headings[:1]):
            source.report(first if headings else 0, "no title; begin with `# Spec: 001 -- Title`")
        elif "tasks" not in self._seen:
            source.report(first, "no `## Tasks` section; add one, with `### Task 1: title` in it")

    def spec(self, front: Front) -> Spec:
        """Put the spec together."""
        number = front.get("number", self._number)
        if self._number is not None and number != self._number:
            message = f"the title says {self._number}, the front matter {number}; make them equal"
            self._source.report(self._heading_line, message)
            self._source.refuse_if_reported()
        spec = Spec(
            number=number,
            title=self._title,
            source=front.get("source"),
            source_hash=front.get("source_hash"),
            base=front.get("base"),
            profile=front.get("profile"),
            budget=front.get("budget"),
            from_plan=front.get("from_plan", ()),
            preface=self._texts.get("preface", ""),
            goal=self._texts.get("goal", ""),
            context=self._texts.get("context", ""),
            out_of_scope=self._texts.get("out_of_scope", ""),
            tasks=tuple(self._tasks),
            sections=tuple(self._sections),
            layout=tuple(self._layout),
        )
        said = spoken(spec)
        layout = (
            part if part.values else part._replace(values=said.get(part.kind, ()))
            for part in self._layout
        )
        return replace(spec, layout=tuple(layout))

    def _lead(self, start: int, stop: int) -> None:
        for line in range(start, stop):
            if not self._source.is_empty(line):
                problem = "text before the title; move it below `# Spec: 001 -- Title`"
                self._source.report(line, problem)
                break
        if start < stop:
            self._layout.append(Part("lead", self._source.text(start, stop)))

    def _section(self, line: int, stop: int, *, is_first: bool) -> None:
        heading = _heading(self._source, line)
        if heading.level == 1:
            self._spec_title(heading, line, stop, is_first=is_first)
            return
        kind = heading.text.lower()
        earlier = self._seen.setdefault(kind, line)
        if earlier != line:
            what = f"a second `## {heading.text}` (the first is in line {earlier + 1})"
            self._source.report(line, f"{what}; make them one section")
        text = self._source.free_text(line + 1, stop, levels=SECTION_LEVELS)
        match kind:
            case "goal":
                self._texts["goal"] = text
            case "context":
                self._texts["context"] = text
            case "out of scope":
                self._texts["out_of_scope"] = text
            case "tasks":
                self._read_tasks(line, stop)
                return
            case "":
                self._source.report(line, "a section without a title; give it one")
                return
            case _:
                section = Section(title=heading.text, text=text)
                self._sections.append(section)
                self._layout.append(Part("sections", self._source.text(line, stop), (section,)))
                return
        self._layout.append(Part(kind.replace(" ", "_"), self._source.text(line, stop)))

    def _spec_title(
        self, heading: structure.Heading, line: int, stop: int, *, is_first: bool
    ) -> None:
        source = self._source
        if not is_first:
            source.report(line, "a second `#` title; use `##` for sections")
            return
        if not heading.text.startswith("Spec:"):
            source.report(line, "the title is not a spec's; write `# Spec: 001 -- Title`")
            return
        self._heading_line = line
        self._number, self._title = structure.spec_title(heading.text[5:].strip())
        body = source.after_blank(line + 1, stop)
        self._layout.append(Part("heading", source.text(line, body)))
        if body < stop:
            self._texts["preface"] = source.free_text(body, stop, levels=SECTION_LEVELS)
            self._layout.append(Part("preface", source.text(body, stop)))

    def _read_tasks(self, line: int, stop: int) -> None:
        starts = [
            n
            for n in self._headings(line + 1, stop, levels=TASK_LEVELS)
            if _heading(self._source, n).level == TASK_LEVELS
        ]
        first = starts[0] if starts else stop
        self._layout.append(Part("tasks", self._source.text(line, first), ("tasks",)))
        if len(starts) > _MOST_TASKS:
            problem = f"more than {_MOST_TASKS} tasks; make several specs of them"
            self._source.report(starts[_MOST_TASKS], problem)
            return
        for start, end in pairwise([*starts, stop]):
            task = read_task(self._source, start, end)
            if task:
                self._tasks.append(task)

    def _headings(self, start: int, stop: int, *, levels: int) -> list[int]:
        return [
            line
            for line in range(start, stop)
            if line not in self._source.opaque
            and (found := structure.heading(self._source.lines[line]))
            and found.level <= levels
        ]


def _heading(source: Source, line: int) -> structure.Heading:
    """Give the heading of a line that is known to have one."""
    return structure.heading(source.lines[line]) or structure.Heading(0, "")
