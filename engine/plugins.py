"""One's own callbacks: which classes the files of the plug-in folder hold, and the way from a name to a class.

The folder lies among the user's settings and nowhere else: a project names a class, never a file, so it cannot bring
code along. Looking reads files without running them; only `load_class` runs one. Knows no torch.
"""

from __future__ import annotations

import ast
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.callback import Callback
from engine.places import config_folder
from engine.problem import Problem, ProblemError, Where, error

_MARK = "__layerwright_plugin__"


@dataclass(frozen=True, slots=True)
class PluginClass:
    """One callback class of a file."""

    name: str
    help: str
    line: int


@dataclass(frozen=True, slots=True)
class PluginFile:
    """One file of the folder: its callback classes, or why it cannot be used."""

    path: Path
    classes: tuple[PluginClass, ...] = ()
    problem: Problem | None = None


def plugins_folder() -> Path:
    """Where one's own files are looked for."""
    return config_folder() / "plugins"


def list_plugins() -> list[PluginFile]:
    """Every Python file of the folder, by name, read but not run; names that begin with _ are passed over."""
    try:
        files = sorted(path for path in plugins_folder().glob("*.py") if not path.name.startswith("_"))
        return [_read(path, path.stat().st_mtime_ns, path.stat().st_size) for path in files]
    except OSError:
        return []


def find_class(name: str) -> PluginFile:
    """The file that holds a class of that name; ProblemError when none or several do, or when it is broken."""
    where = Where(label=f"plug-in {name[:80]}" if name else "plug-in", path="recipe.callbacks",
                  file=str(plugins_folder()))  # fmt: skip
    if not name.isidentifier():
        happened = f"{name[:80]!r} is no class's name" if name else "No plug-in is chosen"
        raise ProblemError(
            error(where, f"{happened}: plug-ins are named by class and come from {plugins_folder()} alone",
                  _known(), "Name a class that `main.py plugins` lists", code="plugin_name")
        )  # fmt: skip
    files = list_plugins()
    found = [item for item in files if any(one.name == name for one in item.classes)]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(item.path.name for item in found)
        raise ProblemError(error(where, f"{name} is defined in {names}", "One class of that name", "Rename one of them",
                                 code="plugin_twice"))  # fmt: skip
    broken = [item.problem for item in files if item.problem is not None]
    raise ProblemError(
        error(where, f"There is no plug-in {name!r} in {plugins_folder()}", _known(),
              "Put its file there, or choose another", code="plugin_unknown"), *broken
    )  # fmt: skip


def load_class(name: str) -> type[Callback]:
    """The class itself; its file runs now. ProblemError names file and line of what is wrong with it."""
    found = find_class(name)
    module = _executed(found.path)
    made = getattr(module, name, None)
    if not (isinstance(made, type) and issubclass(made, Callback)):
        raise ProblemError(
            error(Where(label=found.path.name, file=str(found.path)), f"{name} is no subclass of Callback",
                  "class " + name + "(Callback), with Callback from engine.callback", "Mend the file",
                  code="plugin_class")
        )  # fmt: skip
    return made


def make_plugin(name: str, settings: dict[str, Any]) -> Callback:
    """An instance with these arguments; ProblemError when the class does not take them."""
    cls = load_class(name)
    try:
        return cls(**settings)
    except Exception as fault:
        file = file_of(cls) or plugins_folder()
        raise ProblemError(_fault_of(file, fault, f"{name}(...) raised", "Settings that the class takes")) from fault


def file_of(cls: type) -> Path | None:
    """The plug-in file that a class was loaded from; None for the program's own."""
    module = sys.modules.get(cls.__module__)
    file = getattr(module, _MARK, None)
    return Path(file) if file else None


@lru_cache(maxsize=256)
def _read(path: Path, changed: int, size: int) -> PluginFile:
    try:
        tree = ast.parse(path.read_text("utf-8"), str(path))
    except SyntaxError as fault:
        where = Where(label=f"{path.name}, line {fault.lineno}", file=str(path))
        happened = f"This is no Python: {fault.msg}"
        return PluginFile(path, problem=error(where, happened, "A Python file that can be read", "Mend the file",
                                              code="plugin_broken"))  # fmt: skip
    except (OSError, ValueError, RecursionError, MemoryError) as fault:
        where = Where(label=path.name, file=str(path))
        return PluginFile(path, problem=error(where, f"The file cannot be read: {fault}", "A Python file in UTF-8",
                                              "Mend or remove it", code="plugin_broken"))  # fmt: skip
    return PluginFile(path, tuple(_classes(tree)))


def _classes(tree: ast.Module) -> Iterator[PluginClass]:
    """The classes at the top of a file that derive from Callback, under whatever name it was imported."""
    known = {"Callback"}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "engine.callback":
            known |= {item.asname for item in node.names if item.name == "Callback" and item.asname}
        if isinstance(node, ast.ClassDef) and any(_last(base) in known for base in node.bases):
            known.add(node.name)
            if not node.name.startswith("_"):
                lines = (ast.get_docstring(node) or "").strip().splitlines()
                yield PluginClass(node.name, lines[0] if lines else "", node.lineno)


def _last(base: ast.expr) -> str:
    return base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""


def _executed(path: Path) -> ModuleType:
    name = f"layerwright_plugin_{path.stem}"
    module = ModuleType(name)
    module.__file__ = str(path)
    setattr(module, _MARK, str(path))
    sys.modules[name] = module
    try:
        exec(compile(path.read_text("utf-8"), str(path), "exec"), vars(module))
    except (Exception, SystemExit) as fault:
        raise ProblemError(_fault_of(path, fault, "Loading it raised", "A file that can be imported")) from fault
    return module


def _fault_of(path: Path, fault: BaseException, words: str, expected: str) -> Problem:
    frames = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == str(path)]
    line = f", line {frames[-1]}" if frames else f", line {fault.lineno}" if isinstance(fault, SyntaxError) else ""
    first = (str(fault).strip().splitlines() or [""])[0][:300]
    return error(
        Where(label=f"{path.name}{line}", file=str(path), path="recipe.callbacks"),
        f"{words} {type(fault).__name__}{f': {first}' if first else ''}", expected, "Mend the file, or its settings",
        code="plugin_broken",
    )  # fmt: skip


def _known() -> str:
    names = [one.name for item in list_plugins() for one in item.classes]
    return f"One of {', '.join(names)}" if names else "A file with a subclass of engine.callback.Callback there"
