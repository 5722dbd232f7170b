"""A run's timeline as a picture in a page. Pure."""

from kimi_mcp.review.board import clock, listed
from kimi_mcp.review.markup import Maker, Node
from kimi_mcp.review.timeline import Phase, Stretch

_WIDTH, _NAMES, _TAILS = 900, 230, 190
_LINE, _BAR = 26, 14
_NAME_CHARS = 34
_LEGEND = 70


def axis(make: Maker, stretch: Stretch) -> Node:
    """Draw a run: a line for each task, a bar for each phase, its seconds below."""
    room = _WIDTH - _NAMES - _TAILS
    height = _LINE * (len(stretch.lanes) + 1)
    drawn: list[Node] = []
    for place, lane in enumerate(stretch.lanes):
        y = place * _LINE
        name = f"{lane.task} {lane.title}"
        drawn.append(make.node("text", name[:_NAME_CHARS], x="0", y=str(y + _BAR)))
        for span in lane.spans:
            start = span.start_s / stretch.length_s * room if stretch.length_s else 0
            end = span.end_s / stretch.length_s * room if stretch.length_s else 0
            told = f"{span.phase}: {clock(span.start_s)} to {clock(span.end_s)}"
            drawn.append(
                make.node(
                    "rect",
                    make.node("title", told),
                    class_=str(span.phase),
                    x=f"{_NAMES + start:.1f}",
                    y=str(y + 3),
                    width=f"{max(end - start, 1):.1f}",
                    height=str(_BAR),
                )
            )
        after = f", after {listed(lane.after)}" if lane.after else ""
        tail = f"{clock(lane.worked_s)} {lane.end or 'goes on'}{after}"
        drawn.append(make.node("text", tail, x=str(_NAMES + room + 10), y=str(y + _BAR)))
    below = str(height - 8)
    drawn += [
        make.node("text", "0:00", class_="dim", x=str(_NAMES), y=below),
        make.node(
            "text",
            clock(stretch.length_s),
            class_="dim",
            x=str(_NAMES + room),
            y=below,
            text_anchor="end",
        ),
    ]
    for place, phase in enumerate((Phase.KIMI, Phase.CHECKS, Phase.WAITING)):
        x, y = place * _LEGEND, height - 18
        side = {"width": "10", "height": "10"}
        drawn += [
            make.node("rect", class_=str(phase), x=str(x), y=str(y), **side),
            make.node("text", str(phase), class_="dim", x=str(x + 14), y=below),
        ]
    return make.node("svg", *drawn, role="img", viewBox=f"0 0 {_WIDTH} {height}")
