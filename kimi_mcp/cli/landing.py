"""`land` and `clean`: what becomes of results, by hand."""

import argparse
from collections import Counter
from dataclasses import asdict

from kimi_mcp.cli.commands import numbers
from kimi_mcp.cli.printing import say, say_json
from kimi_mcp.cli.telling import tell
from kimi_mcp.cli.waiting import counting
from kimi_mcp.dispatch.housekeeping.clean import Piece, tidy_history
from kimi_mcp.dispatch.housekeeping.clean import clean as clean_up
from kimi_mcp.dispatch.housekeeping.sweep import Worth
from kimi_mcp.dispatch.landing.land import LandWish
from kimi_mcp.dispatch.landing.land import land as land_result
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.landings import How
from kimi_mcp.quoting.quotes import counted
from kimi_mcp.review import showing

MEGABYTE = 10**6


def land(arguments: argparse.Namespace) -> int:
    """Land, publish or discard what a dispatch has delivered."""
    bench = Workbench.open()
    wish = LandWish(how=How(arguments.how), tasks=numbers(arguments.tasks), head=arguments.head)
    say(bench, land_result(bench, showing.chosen(bench, arguments.dispatch), wish))
    return 0


def clean(arguments: argparse.Namespace) -> int:
    """Remove what earlier dispatches have left and nobody needs; tell what there is."""
    bench = Workbench.open()
    with counting("Looking at dispatches") as seen:
        pieces = clean_up(bench, is_dry_run=arguments.dry_run, seen=seen)
    given_back = 0 if arguments.dry_run else tidy_history(bench)
    if arguments.json:
        say_json(bench, [asdict(piece) for piece in pieces])
        return 0
    for piece in pieces:
        tell(_line(piece, is_dry_run=arguments.dry_run))
    tell(_total(pieces, is_dry_run=arguments.dry_run))
    for sentence in _what_now(pieces):
        tell(sentence)
    if given_back:
        tell(f"The history is {given_back / MEGABYTE:.1f} MB smaller.")
    return 0


def _line(piece: Piece, *, is_dry_run: bool) -> str:
    verb = ("would go" if is_dry_run else "removed") if piece.is_removed else "kept"
    size = "" if piece.size_bytes is None else f", {piece.size_bytes / MEGABYTE:.1f} MB"
    return f"{verb:<8} {piece.worth:<11} {piece.name}{size}"


def _what_now(pieces: tuple[Piece, ...]) -> list[str]:
    """Say why what is kept is kept, and what would let it go."""
    kept = {
        piece.kind if piece.kind == "clones" else piece.worth
        for piece in pieces
        if not piece.is_removed
    }
    return [sentence for reason, sentence in _REASONS.items() if reason in kept]


_REASONS = {
    Worth.UNIQUE: "Unique work is in no branch of yours: `kimi-mcp land ID apply` brings it in for "
    "you to commit, `kimi-mcp land ID discard` throws it away.",
    Worth.FOREIGN: "Foreign is what was moved or made by another than kimi-mcp: yours to delete.",
    "clones": "Clones go with the landing, else after the days of keep.clones_days.",
}


def _total(pieces: tuple[Piece, ...], *, is_dry_run: bool) -> str:
    if not pieces:
        return "Earlier dispatches have left nothing."
    gone = [piece for piece in pieces if piece.is_removed]
    freed = sum(piece.size_bytes or 0 for piece in gone)
    left = sum(piece.size_bytes or 0 for piece in pieces) - freed
    kinds = Counter(piece.kind for piece in gone)
    said = "Would remove" if is_dry_run else "Removed"
    return (
        f"{said} {counted(kinds['ref'], 'ref')} and {counted(kinds['clones'], 'folder')} of clones "
        f"({freed / MEGABYTE:.1f} MB); {left / MEGABYTE:.1f} MB of clones stay."
    )
