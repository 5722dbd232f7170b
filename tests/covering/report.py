"""What the counts of all processes come to, module by module."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import coverage

from tests.covering.counting import CONFIGURATION
from tests.covering.standards import Covered


def joined(counts: Iterable[Path], into: Path) -> None:
    """Put the counts of several processes or rooms into one file; the others stay."""
    into.unlink(missing_ok=True)
    whole = coverage.Coverage(config_file=str(CONFIGURATION), data_file=str(into))
    whole.combine([str(file) for file in counts], keep=True)
    whole.save()


def modules(counts: Path, root: Path) -> Mapping[str, Covered]:
    """Read how much of each module was run, by its path in *root*."""
    told = counts.with_suffix(".json")
    whole = coverage.Coverage(config_file=str(CONFIGURATION), data_file=str(counts))
    whole.load()
    # not what a test copied to have another version of it
    whole.json_report(outfile=str(told), include=[str(root / "kimi_mcp/*")])
    found: Mapping[str, Any] = json.loads(told.read_text(encoding="utf-8"))["files"]
    return {str(Path(root, name).relative_to(root)): _covered(one) for name, one in found.items()}


def _covered(found: Mapping[str, Any]) -> Covered:
    summary = found["summary"]
    missing = [
        *(str(line) for line in found["missing_lines"]),
        *(
            f"{source}->{'end' if target < 0 else target}"
            for source, target in found["missing_branches"]
            if source not in found["missing_lines"] and target not in found["missing_lines"]
        ),
    ]
    return Covered(
        run=summary["covered_lines"] + summary["covered_branches"],
        all=summary["num_statements"] + summary["num_branches"],
        missing=" ".join(missing),
    )


def table(found: Mapping[str, Covered], *, worst: int) -> str:
    """Draw the percentage of each room, and of the modules of which least was run."""
    rooms: dict[str, Covered] = {}
    for name, covered in found.items():
        parts = Path(name).parts
        room = parts[1] if len(parts) > 2 else "(top)"
        rooms[room] = rooms.get(room, Covered(run=0, all=0)) + covered
    total = sum(rooms.values(), start=Covered(run=0, all=0))
    lines = [_row(name, covered) for name, covered in sorted(rooms.items())]
    lines.append(_row("all", total))
    least = sorted(found.items(), key=lambda item: item[1].percent)[:worst]
    lines += ["", *(f"{_row(name, one)}  {one.missing}"[:160] for name, one in least)]
    return "\n".join(lines)


def _row(name: str, covered: Covered) -> str:
    return f"{name:<48} {covered.percent:5.1f} %  {covered.run} of {covered.all}"
