"""Sizes, as a habit that is measured: small files, small functions, classes with few methods."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[2]
FILES = sorted([ROOT / "main.py", *(ROOT / "engine").rglob("*.py"), *(ROOT / "gui").rglob("*.py")])


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in FILES:
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_no_file_is_over_four_hundred_lines() -> None:
    large = [f"{path.relative_to(ROOT)}: {lines_of(path)}" for path in FILES if lines_of(path) > 400]
    assert not large, "\n".join(large)


def test_nine_of_ten_files_have_at_most_two_hundred_and_fifty_lines() -> None:
    sizes = [lines_of(path) for path in FILES]
    assert quantiles(sizes, n=10)[-1] <= 250, sorted(sizes)[-len(sizes) // 8 :]


def test_half_of_the_files_have_at_most_a_hundred_and_twenty_lines() -> None:
    assert median(lines_of(path) for path in FILES) <= 120


def test_no_function_is_over_fifty_lines() -> None:
    large = []
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
                size = (node.end_lineno or first) - first + 1
                if size > 50:
                    large.append(f"{name}:{node.lineno} {node.name}: {size}")
    assert not large, "\n".join(large)


def test_no_class_has_more_than_twenty_public_methods() -> None:
    large = []
    for name, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                methods = {
                    item.name
                    for item in node.body
                    if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and not item.name.startswith("_")
                }
                if len(methods) > 20:
                    large.append(f"{name}:{node.lineno} {node.name}: {len(methods)}")
    assert not large, "\n".join(large)


def test_nothing_is_left_for_later() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X:", "TEMP" + "ORARY")
    found = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if any(word in line for word in words)
    ]
    assert not found, "\n".join(found)
