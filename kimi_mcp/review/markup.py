"""A page's tree and its text. Pure.

Everything in the tree is text until it is written, and written text is escaped: there is no way to
put markup into a page but by a node of ours.
"""

from collections.abc import Iterable
from typing import TypeAlias
from xml.etree import ElementTree as ET

from kimi_mcp.quoting.harmless import harmless
from kimi_mcp.quoting.shapes import Redact

Node: TypeAlias = "ET.Element[str]"
Child: TypeAlias = "Node | str"


class Maker:
    """Makes nodes; takes secrets and what cannot be seen out of every text."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact

    def node(self, tag: str, /, *children: Child, **attributes: str) -> Node:
        """Make a node; of attributes a trailing underscore goes, an inner one becomes a dash."""
        named = {
            key.rstrip("_").replace("_", "-"): self.text(one) for key, one in attributes.items()
        }
        made = ET.Element(tag, named)
        last: Node | None = None
        for child in children:
            if not isinstance(child, str):
                made.append(child)
                last = child
            elif last is None:
                made.text = (made.text or "") + self.text(child)
            else:
                last.tail = (last.tail or "") + self.text(child)
        return made

    def row(self, cell: str, texts: Iterable[Child]) -> Node:
        """Make a row of a table."""
        return self.node("tr", *(self.node(cell, text) for text in texts))

    def text(self, text: str) -> str:
        """Return *text* as it may stand in a page."""
        return harmless(self._redact(text))


def written(page: Node) -> str:
    """Turn an `html` element into the text of a file."""
    return f"<!DOCTYPE html>\n{ET.tostring(page, encoding='unicode', method='html')}\n"
