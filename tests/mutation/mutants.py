"""Every small change that could be made to a module, one at a time. Pure.

Also data is changed: a table of moves is as much of a decision as an `if` is. Left alone is what
decides nothing: docstrings, annotations, decorators.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip
Change = Callable[[Any], None]  # of a node of the kind that it was made for


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change; *name* says where and which, and stays when lines move."""

    name: str
    line: int
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Make all mutants of a module, from its first line to its last."""
    tree = ast.parse(source)
    nodes = [*_deciding(tree, scope="")]
    seen: dict[str, int] = {}
    for index, (scope, node) in enumerate(nodes):
        for label, change in _changes(node):
            changed = copy.deepcopy(tree)
            change([*_deciding(changed, scope="")][index][1])
            text = ast.unparse(ast.fix_missing_locations(changed))
            name = f"{scope}: {label}"
            seen[name] = seen.get(name, 0) + 1
            number = f" ({seen[name]})" if seen[name] > 1 else ""
            yield Mutant(name=name + number, line=getattr(node, "lineno", 0), source=text)


def _deciding(node: ast.AST, *, scope: str) -> Iterator[tuple[str, ast.AST]]:
    """Walk over what decides something, with the name of the function or table it stands in."""
    named = getattr(node, "name", None) if isinstance(node, _NAMED) else _target(node)
    scope = f"{scope}.{named}".strip(".") if named else scope
    yield scope, node
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "bases", "type_params"}:
            continue
        children = cast("list[object]", value) if isinstance(value, list) else [value]
        for child in children:
            if isinstance(child, ast.AST) and not _is_docstring(child):
                yield from _deciding(child, scope=scope)


_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _target(node: ast.AST) -> str | None:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return None


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _SWAPPED:
            yield _said(node), lambda n: setattr(n, "ops", [_SWAPPED[type(op)]()])
        case ast.BoolOp(op=op) | ast.BinOp(op=op) if type(op) in _SWAPPED:
            yield _said(node), lambda n: setattr(n, "op", _SWAPPED[type(op)]())
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            yield f"without not: {_said(inner)}", _become_operand
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield f"unless {_said(test)}", _negate("test")
        case ast.match_case(guard=ast.expr() as guard):
            yield f"case unless {_said(guard)}", _negate("guard")
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield (
                f"return None for {_said(value)}",
                lambda n: setattr(n, "value", ast.Constant(None)),
            )
        case ast.Constant(value=value) if _mutable(value):
            yield f"constant {value!r}"[:70], lambda n: setattr(n, "value", _other(n.value))
        case _:
            pass
    yield from _removals(node)


def _removals(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Set(elts=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            for index, part in enumerate(parts):
                yield f"no {_said(part)}", _drop(index, "elts")
        case ast.Dict(keys=keys):
            for index, key in enumerate(keys):
                yield f"no entry {_said(key)}", _drop(index, "keys", "values")
        case ast.Match(cases=cases):
            for index, case in enumerate(cases[:-1]):
                yield f"no case {_said(case.pattern)}", _drop(index, "cases")
        case _:
            body = getattr(node, "body", None)
            parts = cast("list[ast.AST]", body) if isinstance(body, list) else []
            for index, part in enumerate(parts):
                if isinstance(part, ast.AugAssign | ast.Continue) or _is_call(part):
                    yield f"without {_said(part)}", _pass(index)


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _mutable(value: object) -> bool:
    return isinstance(value, str | int) and value != ""


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case _:
            return f"XX{value}"


def _said(node: ast.AST | None) -> str:
    text = " ".join(ast.unparse(node).split()) if node is not None else "**"
    return text if len(text) <= 60 else f"{text[:59]}…"


def _negate(field: str) -> Change:
    def change(node: Any) -> None:
        setattr(node, field, ast.UnaryOp(ast.Not(), getattr(node, field)))

    return change


def _drop(index: int, *fields: str) -> Change:
    def change(node: Any) -> None:
        for field in fields:
            del getattr(node, field)[index]

    return change


def _pass(index: int) -> Change:
    def change(node: Any) -> None:
        node.body[index] = ast.Pass()

    return change


def _become_operand(node: Any) -> None:
    """Turn a node into what it negates."""
    operand = node.operand
    node.__class__ = operand.__class__
    node.__dict__ = operand.__dict__
