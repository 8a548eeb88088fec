"""Who may import whom, read from the source itself: `main -> gui -> engine`, and the order inside the engine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("engine", "gui", "resources")
REACH_RUNTIME = {"gui.checker", "gui.training", "gui.jobs", "gui.importing"}
COMMAND_LINE = {"engine.__main__"}

FLOORS = (
    {"problem", "tensor", "expr", "accept", "reading", "jsontext", "formula", "places"},
    {"param", "shared_settings"},
    {"declare"},
    {
        "catalog", "concise", "sliding", "progress", "schedule", "datafacts", "datasets", "defaults", "recipe",
        "values", "graph", "stretching",
    },
    {"project"},
    {
        "names", "levels", "wires", "removal", "edits", "groups", "unpack", "instances", "history", "diff", "layout",
        "level_ends", "expand",
    },
    {"graphfile", "migrations", "proposal", "weightfile", "projectfile", "clipboard", "settings", "examples"},
)  # fmt: skip
"""From low to high; a module of one floor may use its own and those below. Others stand above all of these, except
that `runtime` stands above everything but the command line."""


@dataclass(frozen=True)
class Import:
    """One import statement: in which module, of what, and whether only inside a function or for the type checker."""

    module: str
    target: str
    line: int
    late: bool
    typing: bool


@cache
def modules() -> dict[str, Path]:
    found = {"main": ROOT / "main.py"}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports() -> tuple[Import, ...]:
    return tuple(item for name, path in modules().items() for item in read_imports(name, path))


def read_imports(name: str, path: Path) -> Iterator[Import]:
    def walk(node: ast.AST, late: bool, typing: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(name, alias.name, node.lineno, late, typing) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute here"
            base = node.module or ""
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield Import(name, inner if inner in modules() else base, node.lineno, late, typing)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for part in node.body:
                yield from walk(part, late, True)
            for part in node.orelse:
                yield from walk(part, late, typing)
        else:
            inside = late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            for child in ast.iter_child_nodes(node):
                yield from walk(child, inside, typing)

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), False, False)


def under(target: str, *packages: str) -> bool:
    return any(target == package or target.startswith(package + ".") for package in packages)


def told(found: list[Import]) -> str:
    return "\n".join(f"{item.module}:{item.line} imports {item.target}" for item in found)


def test_there_is_something_to_check() -> None:
    assert len(modules()) > 50
    assert len(imports()) > 300


def test_nothing_imports_back_up() -> None:
    wrong = [
        item
        for item in imports()
        if (under(item.module, "engine") and under(item.target, "gui", "main"))
        or (under(item.module, "gui") and under(item.target, "main", "engine.__main__"))
        or (under(item.module, "resources") and under(item.target, "engine", "gui", "main"))
    ]
    assert not wrong, told(wrong)


def test_the_engine_never_names_qt() -> None:
    wrong = [
        item for item in imports()
        if under(item.module, "engine") and under(item.target, "PySide6", "PyQt6", "pyqtgraph", "shiboken6", "qtpy")
    ]  # fmt: skip
    assert not wrong, told(wrong)


def test_torch_is_named_only_in_the_runtime() -> None:
    wrong = [
        item
        for item in imports()
        if under(item.target, "torch", "torchvision", "safetensors.torch")
        and not under(item.module, "engine.runtime")
        and not item.typing
    ]
    assert not wrong, told(wrong)


def test_three_modules_of_the_window_reach_the_runtime_and_only_inside_functions() -> None:
    wrong = [
        item
        for item in imports()
        if under(item.target, "engine.runtime")
        and under(item.module, "gui", "main")
        and not item.typing
        and not (item.module in REACH_RUNTIME and item.late)
    ]
    assert not wrong, told(wrong)


def test_the_runtime_stands_above_the_rest_of_the_engine() -> None:
    wrong = [
        item
        for item in imports()
        if under(item.target, "engine.runtime")
        and under(item.module, "engine")
        and not under(item.module, "engine.runtime")
        and item.module not in COMMAND_LINE
        and not item.module.startswith(("engine.command", "engine.cli"))
        and not item.typing
        and not item.late
    ]
    assert not wrong, told(wrong)


def floor(module: str) -> int | None:
    parts = module.split(".")
    if parts[0] != "engine" or len(parts) < 2:
        return None
    return next((number for number, names in enumerate(FLOORS) if parts[1] in names), len(FLOORS))


def test_inside_the_engine_imports_go_down() -> None:
    wrong = []
    for item in imports():
        here, there = floor(item.module), floor(item.target)
        if here is not None and there is not None and there > here and not item.typing and not item.late:
            wrong.append(item)
    assert not wrong, told(wrong)


def test_nobody_imports_a_catalogue_file_by_name() -> None:
    files = {name for name in modules() if under(name, "engine.catalog")} - {"engine.catalog", "engine.catalog.layers"}
    wrong = [item for item in imports() if item.target in files and not under(item.module, "engine.catalog")]
    assert not wrong, told(wrong)


def test_panels_do_not_import_each_other() -> None:
    def panel(name: str) -> str:
        parts = name.split(".")
        return parts[2] if parts[:2] == ["gui", "panels"] and len(parts) > 2 else ""

    def family(name: str) -> str:
        # `runs_table` may belong to `runs`: one dock, several files.
        return panel(name).split("_")[0]

    wrong = [
        item for item in imports()
        if panel(item.module) and panel(item.target) and family(item.module) != family(item.target)
    ]  # fmt: skip
    assert not wrong, told(wrong)


def test_there_are_no_import_cycles() -> None:
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for item in imports():
        if item.target in graph and item.target != item.module and not item.late and not item.typing:
            graph[item.module].add(item.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as fault:
        pytest.fail(" -> ".join(fault.args[1]))


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_module_says_what_it_owns(name: str) -> None:
    text = ast.get_docstring(ast.parse(modules()[name].read_text(encoding="utf-8")))
    assert text
    assert text.rstrip().endswith((".", ")", "`", ":", "|", "]", '"')) or "\n" in text
