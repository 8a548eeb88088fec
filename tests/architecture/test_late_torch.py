"""What importing costs: torch comes with the runtime only, Qt with the window only. Tried in fresh processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "torchvision", "sklearn", "scipy", "pandas", "matplotlib")


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def names(folder: str, *, without: str = "") -> list[str]:
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if not (without and (name == without or name.startswith(without + "."))):
            found.append(name)
    return found


def loaded_after(modules: list[str], heavy: tuple[str, ...]) -> str:
    return run(
        "import sys, importlib\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "from engine.declare import catalogue\n"
        "assert not catalogue().problems, catalogue().problems\n"
        f"print(sorted(name for name in {heavy!r} if name in sys.modules))"
    )


def test_the_engine_without_its_runtime_loads_neither_torch_nor_qt() -> None:
    engine = names("engine", without="engine.runtime")
    assert len(engine) > 40
    assert loaded_after(engine, (*HEAVY, "PySide6", "pyqtgraph")) == "[]"


def test_the_runtime_loads_torch_but_never_qt() -> None:
    assert loaded_after(names("engine"), ("torch", "PySide6", "pyqtgraph")) == "['torch']"


def test_the_window_loads_without_torch() -> None:
    assert loaded_after(["gui.app"], HEAVY) == "[]"


def test_the_window_stands_before_the_library_of_its_charts_is_loaded() -> None:
    assert loaded_after(["gui.app", "gui.window"], ("pyqtgraph",)) == "[]"


def test_every_part_of_the_window_loads_without_torch() -> None:
    assert loaded_after(names("gui"), HEAVY) == "[]"
