"""Arithmetic typed into a number field: `2*64`, `1/3`, `(28-4)//2`. Owns evaluating it safely; runs no code."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable

LONGEST = 120
LARGEST_POWER = 64
LARGEST_BASE = 1e6
GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def evaluate(text: str) -> int | float:
    """The value of `text`; raises ValueError when it is not a finite number or arithmetic on numbers.

    Knows + - * / // % **, brackets, thousands commas, the true minus, times and division signs, and ^ for a power.
    """
    tidy = text.strip().replace("\N{MINUS SIGN}", "-").replace("\N{MULTIPLICATION SIGN}", "*")
    tidy = tidy.replace("\N{DIVISION SIGN}", "/").replace("^", "**")
    tidy = GROUPED.sub(lambda found: found[0].replace(",", ""), tidy)
    if not tidy or len(tidy) > LONGEST:
        raise ValueError("not a number")
    # Somebody may type 007: Python refuses leading zeros, people do not.
    tidy = re.sub(r"(?<![\w.])0+(?=\d)", "", tidy)
    try:
        found = _value(ast.parse(tidy, mode="eval").body)
    except (SyntaxError, ArithmeticError, RecursionError, MemoryError) as problem:
        raise ValueError("not a number") from problem
    if isinstance(found, float) and not math.isfinite(found):
        raise ValueError("not finite")
    return found


def is_plain(text: str) -> bool:
    """Whether `text` is one number and no arithmetic, so that it needs no explanation."""
    return re.fullmatch(r"[-+\N{MINUS SIGN}]?[\d.,]+(?:[eE][-+]?\d+)?", text.strip()) is not None


def _value(node: ast.expr) -> int | float:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value  # type: ignore[return-value]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _value(node.operand)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Pow):
            if abs(right) > LARGEST_POWER or abs(left) > LARGEST_BASE:
                raise ValueError("too large")
            raised = left**right
            if isinstance(raised, complex):
                raise ValueError("not a number")
            return raised
        operation = OPERATIONS.get(type(node.op))
        if operation is not None:
            return operation(left, right)
    raise ValueError("not arithmetic")
