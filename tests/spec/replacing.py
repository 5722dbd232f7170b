"""A spec in which one task says something else."""

from dataclasses import replace
from typing import Any

from kimi_mcp.spec.model import Spec


def with_task(spec: Spec, number: int, **fields: Any) -> Spec:
    """Replace just these fields of one task."""
    old = spec.task(number)
    new = replace(old, **fields)
    return replace(spec, tasks=tuple(new if task is old else task for task in spec.tasks))
