"""Finishes exceptions before they leave methods that Qt calls, on Python 3.11.

Until Python 3.12 an exception that C code raised (`int("x")`, numpy) is a type and a text until somebody catches it.
PySide takes it for an object where it leaves an override (`paintEvent`, `sizeHint`) and the process dies of it; seen
with 6.8.3, 6.9.3, 6.10.2 and 6.11.3, in eight lines. Catching and raising it again finishes it, and then it reaches
the window's hook as any other. Owns that, for every class of this package as its module is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from importlib.machinery import ModuleSpec, PathFinder
from types import FunctionType, ModuleType
from typing import Any

UNFINISHED = sys.version_info < (3, 12)
"""Whether this Python leaves exceptions unfinished."""

_GUARDED = "_finishes_exceptions"
_QT = ("PySide6", "Shiboken", "shiboken6")


def guard(module: ModuleType) -> None:
    """Guards what the classes of a module override."""
    for item in list(vars(module).values()):
        if isinstance(item, type) and item.__module__ == module.__name__:
            for owner, name, function in overrides(item):
                setattr(owner, name, _finishing(function))


def overrides(kind: type) -> Iterator[tuple[type, str, FunctionType]]:
    """(class, name, function) of every method of ours by the name of one of Qt's that is not guarded yet."""
    bases = [vars(base) for base in kind.__mro__ if base.__module__.startswith(_QT)]
    if not bases:
        return
    for owner in kind.__mro__:
        if owner.__module__.partition(".")[0] in ("gui", kind.__module__.partition(".")[0]):
            for name, function in list(vars(owner).items()):
                if name.startswith("__") or not isinstance(function, FunctionType) or hasattr(function, _GUARDED):
                    continue
                if any(name in base for base in bases):
                    yield owner, name, function


def _finishing(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        try:
            return function(*args, **named)
        except BaseException:  # this is what finishes it
            raise

    setattr(call, _GUARDED, True)
    return call


class Guarding:
    """Finds modules of this package as usual, and guards each when it was run."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The usual spec, with a loader that guards."""
        if not name.startswith("gui."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        run = getattr(spec.loader, "exec_module", None) if spec is not None else None
        if spec is None or run is None:
            return spec

        def run_and_guard(module: ModuleType) -> None:
            run(module)
            guard(module)

        spec.loader.exec_module = run_and_guard  # type: ignore[union-attr, method-assign]
        return spec


def install() -> None:
    """Guards every module of this package from now on, where Python needs it."""
    if UNFINISHED and Guarding not in sys.meta_path:
        sys.meta_path.insert(0, Guarding)  # type: ignore[arg-type]
