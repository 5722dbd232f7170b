"""A spec's text as numbered lines, and the list of what is wrong with it.

Lines are counted from 0 inside and from 1 in messages.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from kimi_mcp.errors import SpecInvalid
from kimi_mcp.quoting.quotes import inline
from kimi_mcp.spec import structure

_SHOWN_PROBLEMS = 20


class Item(NamedTuple):
    """A list item, or a paragraph between list items, as one line of text."""

    line: int
    text: str
    is_listed: bool


@dataclass(slots=True)
class Source:
    """The lines of one spec; *opaque* ones lie in fences and comments."""

    name: str
    raw: list[str]
    lines: list[str]
    opaque: dict[int, structure.Region] = field(default_factory=dict[int, structure.Region])
    problems: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    @classmethod
    def of(cls, text: str, *, name: str) -> "Source":
        """Cut *text* at its line ends."""
        raw: list[str] = re.findall(r"[^\n]*\n|[^\n]+", text)
        lines = [line.removesuffix("\n").removesuffix("\r") for line in raw]
        return cls(name=name, raw=raw, lines=lines)

    def find_regions(self, start: int) -> None:
        """Learn which lines from *start* on are opaque."""
        for region in structure.regions(self.lines[start:]):
            first = start + region.start
            if region.stop is None:
                end = "`-->`" if region.is_comment else "the same fence"
                kind = "comment" if region.is_comment else "fenced block"
                self.report(first, f"this {kind} is never closed; close it with {end}")
                continue
            for line in range(first, start + region.stop):
                self.opaque[line] = region

    def report(self, line: int, problem: str) -> None:
        """Note a problem: what is wrong, and after a semicolon what to do."""
        self.problems.append((line, problem))

    def refuse_if_reported(self) -> None:
        """End the reading if there were problems.

        Raises: `SpecInvalid` with one line a problem, in the order of the text.
        """
        if self.problems:
            first = sorted(self.problems)[:_SHOWN_PROBLEMS]
            lines = [f"{self.name}:{line + 1}: {inline(text, limit=300)}" for line, text in first]
            if len(self.problems) > len(first):
                lines.append(f"and {len(self.problems) - len(first)} more problems")
            raise SpecInvalid("\n".join(lines))

    def text(self, start: int, stop: int) -> str:
        """Give the lines from *start* to *stop* (exclusive) as they are."""
        return "".join(self.raw[start:stop])

    def is_empty(self, line: int) -> bool:
        """Tell whether nothing but a comment stands in this line."""
        region = self.opaque.get(line)
        return region.is_comment if region else not self.lines[line].strip()

    def after_blank(self, start: int, stop: int) -> int:
        """Return the first line from *start* on that is not blank; *stop* where all are."""
        while start < stop and not self.lines[start].strip():
            start += 1
        return start

    def free_text(self, start: int, stop: int, *, levels: int, first: str = "") -> str:
        """Read free text: what `structure.escape` protected is as it was meant."""
        text = structure.plain(first + "\n" + self.text(start, stop))
        return structure.plain(structure.unescape(text, levels=levels))

    def items(self, start: int, stop: int) -> Iterator[Item]:
        """Read list items and paragraphs; an item's further lines belong to it."""
        current: Item | None = None
        words: list[str] = []
        is_after_blank = True
        for line in range(start, stop):
            if self.is_empty(line):
                is_after_blank = True
                continue
            text = None if line in self.opaque else structure.item(self.lines[line])
            is_indented = self.lines[line][:1].isspace()
            if text is None and current and (is_indented or not is_after_blank):
                words.append(self.lines[line].strip())
            else:
                if current:
                    yield current._replace(text=" ".join(words))
                words = [text or self.lines[line].strip()]
                current = Item(line, words[0], is_listed=text is not None)
            is_after_blank = False
        if current:
            yield current._replace(text=" ".join(words))
