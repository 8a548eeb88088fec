"""A formula of numbers that a person types: `0.1 ** (epoch / 20)`. Read once, then worked out for any values.

Arithmetic, comparisons, `a if b else c`, and the functions of `FUNCTIONS`; nothing else is understood, so that a
project file cannot run code by it. Every number is a float, which keeps each operation short.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 200
"""Characters of a formula at most."""

FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "log10": math.log10, "sin": math.sin, "cos": math.cos,
    "abs": abs, "min": min, "max": max, "floor": lambda x: float(math.floor(x)),
}  # fmt: skip
_LARGEST = 1e300
CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}

Values = Mapping[str, float]
_Worked = Callable[[Values], float]
_SIGNS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: math.pow,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """A formula that was read. `used`: the names in it that its values must give."""

    text: str
    used: frozenset[str]
    _work: _Worked

    def __call__(self, values: Values) -> float:
        """The number for these values; ArithmeticError or ValueError where there is none (1 / 0, sqrt(-1))."""
        return float(self._work(values))


def read_formula(text: str, names: Collection[str]) -> Formula:
    """Reads a formula of these names; ValueError says in a few words what cannot be understood."""
    if len(text) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("it is no formula") from None
    used: set[str] = set()
    work = _read(tree.body, names, used)
    return Formula(text, frozenset(used), work)


def _read(node: ast.AST, names: Collection[str], used: set[str]) -> _Worked:
    """What a part of the formula works out; ValueError for what is not allowed."""
    if isinstance(node, ast.Constant):
        return _number(node)
    if isinstance(node, ast.Name):
        return _name(node.id, names, used)
    parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    if isinstance(node, ast.Call):
        return _call(node, [_read(part, names, used) for part in node.args])
    made = _MADE.get(type(node))
    worked = made(node, [_read(part, names, used) for part in parts]) if made is not None else None
    if worked is None:
        raise _not_understood(node)
    return worked


def _number(node: ast.Constant) -> _Worked:
    if type(node.value) not in (int, float) or not abs(node.value) < _LARGEST:  # type: ignore[arg-type]
        raise _not_understood(node)
    number = float(node.value)  # type: ignore[arg-type]
    return lambda _: number


def _name(name: str, names: Collection[str], used: set[str]) -> _Worked:
    if name in names:
        used.add(name)
        return operator.itemgetter(name)
    if name not in CONSTANTS:
        raise ValueError(f"{name[:40]!r} is not known")
    constant = CONSTANTS[name]
    return lambda _: constant


def _call(node: ast.Call, given: list[_Worked]) -> _Worked:
    if not isinstance(node.func, ast.Name) or node.keywords:
        raise _not_understood(node)
    name = node.func.id
    if name not in FUNCTIONS:
        raise ValueError(f"{name[:40]!r} is no function that is known")
    several = name in ("min", "max")
    if (len(given) < 2) if several else (len(given) != 1):
        raise ValueError(f"{name} takes {'two numbers or more' if several else 'one number'}")
    function = FUNCTIONS[name]
    return lambda values: function(*[part(values) for part in given])


def _sign(node: ast.UnaryOp, parts: list[_Worked]) -> _Worked | None:
    (value,) = parts
    if isinstance(node.op, ast.USub):
        return lambda values: -value(values)
    return value if isinstance(node.op, ast.UAdd) else None


def _between(node: ast.BinOp | ast.Compare, parts: list[_Worked]) -> _Worked | None:
    sign = _SIGNS.get(type(node.op if isinstance(node, ast.BinOp) else node.ops[0]))
    if sign is None or len(parts) != 2:
        return None
    first, second = parts
    return lambda values: float(sign(first(values), second(values)))


def _either(node: ast.IfExp, parts: list[_Worked]) -> _Worked:
    asked, yes, no = parts
    return lambda values: yes(values) if asked(values) else no(values)


def _together(node: ast.BoolOp, parts: list[_Worked]) -> _Worked:
    decide = all if isinstance(node.op, ast.And) else any
    return lambda values: float(decide(part(values) for part in parts))


def _not_understood(node: ast.AST) -> ValueError:
    return ValueError(f"{ast.unparse(node)[:40]!r} is not understood")


_MADE: dict[type, Callable[..., _Worked | None]] = {
    ast.UnaryOp: _sign, ast.BinOp: _between, ast.Compare: _between, ast.IfExp: _either, ast.BoolOp: _together,
}  # fmt: skip
