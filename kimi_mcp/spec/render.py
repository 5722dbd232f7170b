"""Spec to text: `parse(render(spec)) == spec`, and `render(parse(text)) == text` byte for byte.

The work is `model.assemble`; here is only what belongs to the whole file. PyYAML is imported when
there is front matter to write, and not before: the runner loads this module.
"""

from collections.abc import Mapping

from kimi_mcp.spec import structure
from kimi_mcp.spec.model import SECTION_LEVELS, Part, Spec, assemble

FRONT_KEYS = ("number", "source", "source_hash", "base", "profile", "budget", "from_plan")


def render(spec: Spec) -> str:
    """Write *spec*; parts of its layout that still say what the spec says keep every byte."""
    tasks = [Part("tasks", task.section, is_fresh=not task.layout) for task in spec.tasks]
    layout: list[Part] = []
    for part in spec.layout or (Part("tasks", "## Tasks\n", ("tasks",), is_fresh=True),):
        layout.append(part)
        if part.kind == "tasks":
            layout.extend(tasks)
    mark = layout.pop(0).text if layout[0].kind == "bom" else ""
    return mark + assemble(layout, spoken(spec), write=lambda kind: _canonical(spec, kind))


def spoken(spec: Spec) -> Mapping[str, tuple[object, ...]]:
    """Give what each kind of part of a spec's text has to say, in canonical order."""
    front = front_values(spec)
    return {
        "front": front if any(value for value in front[1:]) or _has_front(spec) else (),
        "heading": (spec.number, spec.title),
        "preface": (spec.preface,) if spec.preface else (),
        "goal": (spec.goal,) if spec.goal else (),
        "context": (spec.context,) if spec.context else (),
        "out_of_scope": (spec.out_of_scope,) if spec.out_of_scope else (),
        "tasks": ("tasks",),
        "sections": spec.sections,
    }


def front_values(spec: Spec) -> tuple[object, ...]:
    """Give the values of the front matter, in the order of `FRONT_KEYS`."""
    return tuple(getattr(spec, key) for key in FRONT_KEYS)


def _has_front(spec: Spec) -> bool:
    return any(part.kind == "front" for part in spec.layout)


def _canonical(spec: Spec, kind: str) -> str:
    match kind:
        case "front":
            return _front_matter(spec)
        case "heading":
            number = "" if spec.number is None else f"{spec.number:03d} "
            needs_dashes = number or structure.splits_title(spec.title)
            return f"# Spec: {number}{'-- ' if needs_dashes else ''}{spec.title}".rstrip()
        case "preface":
            return _escaped(spec.preface)
        case "sections":
            sections = (f"## {s.title}\n\n{_escaped(s.text)}".rstrip("\n") for s in spec.sections)
            return "\n\n".join(sections)
        case _:
            title = kind.replace("_", " ").capitalize()
            return f"## {title}\n\n{_escaped(getattr(spec, kind))}"


def _front_matter(spec: Spec) -> str:
    import yaml  # noqa: PLC0415  # 60 ms that a runner without front matter does not pay

    values = dict(zip(FRONT_KEYS, front_values(spec), strict=True))
    values["from_plan"] = dict(spec.from_plan) or None
    kept = {key: value for key, value in values.items() if value is not None}
    texts = (
        *map(str, front_values(spec)[:-1]),
        *(text for pair in spec.from_plan for text in pair),
    )
    body = yaml.safe_dump(
        kept,
        sort_keys=False,
        allow_unicode=all(text.isprintable() for text in texts),  # else U+0085 becomes a line end
        width=10_000,
    )
    return f"---\n{body}---"


def _escaped(text: str) -> str:
    return structure.escape(text, levels=SECTION_LEVELS)
