"""Every row of like parts in a plan that could be its tasks. Pure.

Each kind of row has its own rule and weight in its own module; which is taken is decided in
`choice`.
"""

from kimi_mcp.spec.plans import headings, lists, tables
from kimi_mcp.spec.plans.outline import Outline
from kimi_mcp.spec.plans.parts import Series


def propose(outline: Outline) -> list[Series]:
    """Give every series that could be the tasks."""
    found = [
        *headings.labelled(outline),
        *headings.children(outline),
        *headings.work_sections(outline),
        *lists.numbered(outline),
        *lists.labelled(outline),
        *lists.bulleted(outline),
        *lists.boxes(outline),
        *tables.tables(outline),
    ]
    return [series for series in found if series.entries]
