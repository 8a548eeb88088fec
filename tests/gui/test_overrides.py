"""An exception in a method that Qt calls reaches the window's hook and never ends the process."""

from __future__ import annotations

import subprocess
import sys
from types import FunctionType

import pytest

from gui.overrides import UNFINISHED, overrides

FAULTY = """
import sys
from types import ModuleType
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget
from gui.overrides import guard, install

install()
module = ModuleType("gui.faulty")
exec('''
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

class Mixed:
    def sizeHint(self):
        return QSize(int("not a number"), 0)

class Faulty(Mixed, QWidget):
    def showEvent(self, event):
        super().showEvent(event)
        int("not a number")
''', vars(module))
guard(module)
app = QApplication([])
told = []
sys.excepthook = lambda kind, fault, trace: told.append(fault)
widget = module.Faulty()

def within():
    widget.setVisible(True)

try:
    within()
except ValueError as fault:
    told.append(fault)
app.processEvents()
assert any("not a number" in str(fault) for fault in told), told
print("alive")
"""


def test_a_fault_below_qt_does_not_end_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTY], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr[-2000:]


@pytest.mark.skipif(not UNFINISHED, reason="from Python 3.12 on exceptions are finished when they are raised")
def test_every_override_of_the_window_is_guarded() -> None:
    import gui.window

    assert gui.window
    loaded = [module for name, module in sys.modules.items() if name.startswith("gui.")]
    kinds = {item for module in loaded for item in vars(module).values() if isinstance(item, type)}
    ours = [kind for kind in kinds if kind.__module__.startswith("gui.")]
    left = [f"{owner.__qualname__}.{name}" for kind in ours for owner, name, _ in overrides(kind)]
    assert not left
    guarded = [
        name for kind in ours for name, item in vars(kind).items()
        if isinstance(item, FunctionType) and hasattr(item, "_finishes_exceptions")
    ]  # fmt: skip
    assert len(guarded) > 100, "the window overrides that many methods of Qt"
