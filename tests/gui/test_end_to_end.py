"""The program as a person starts it: a real window on an X server, and the words where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

DRIVER = """
import sys
from pathlib import Path
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from gui.app import make_application
from engine.examples import load_example

app = make_application()
assert app.platformName() == "xcb", app.platformName()
from gui.window import MainWindow

def wait(until, seconds=60):
    loop, poll = QEventLoop(), QTimer()
    poll.timeout.connect(lambda: until() and loop.quit())
    poll.start(20)
    QTimer.singleShot(seconds * 1000, loop.quit)
    loop.exec()
    assert until(), "it never happened"

window = MainWindow()
window.document.adopt(load_example("digits-mlp"))
window.show_first()
window.start()
wait(lambda: bool(window.document.analysis.source))
train = window.toolbar.run_controls.train
QTest.mouseClick(train, Qt.MouseButton.LeftButton)
wait(lambda: window.training.active)
wait(lambda: not window.training.active)
assert window.training.last.outcome == "completed", window.training.last
assert window.training.last.best["val_accuracy"] > 0.95, window.training.last.best
assert not window.grab().isNull()
target = Path(sys.argv[1]) / "mine.lwr"
window.document.save(target)
assert window.close()
assert target.exists()
print("done")
"""


def _screen_missing() -> str:
    if not sys.platform.startswith("linux"):
        return "an X server is tested on Linux only"
    if not os.environ.get("DISPLAY") and not shutil.which("Xvfb"):
        return "there is no display and Xvfb is not installed"
    return ""


@pytest.fixture
def display() -> Iterator[str]:
    """An X server: the one there is, or a virtual one of the test's own."""
    if os.environ.get("DISPLAY"):
        yield os.environ["DISPLAY"]
        return
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as numbers:
        number = numbers.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait(10)


@pytest.mark.xvfb
@pytest.mark.skipif(bool(_screen_missing()), reason=_screen_missing() or "there is a screen")
def test_the_real_window_opens_trains_past_95_percent_saves_and_closes(display: str, tmp_path: Path) -> None:
    environment = {
        **os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1",
        "LAYERWRIGHT_HOME": str(tmp_path / "home"), "LAYERWRIGHT_CONFIG": str(tmp_path / "config"),
    }  # fmt: skip
    found = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path)], cwd=ROOT, env=environment, capture_output=True, text=True,
        timeout=110, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr[-3000:]
    assert "done" in found.stdout


@pytest.mark.parametrize(
    ("screen", "reason"),
    [
        ({}, "DISPLAY or WAYLAND_DISPLAY is not set"),
        ({"DISPLAY": ":7654"}, "connect to display :7654"),
        ({"WAYLAND_DISPLAY": "wayland-7654"}, "connect to display"),
        ({"QT_QPA_PLATFORM": "nonsense"}, "nonsense"),
    ],
)
def test_without_a_display_the_program_says_so_and_points_to_the_command_line(
    screen: dict[str, str], reason: str
) -> None:
    if sys.platform in ("win32", "darwin"):
        pytest.skip("these systems always have a screen")
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden} | screen
    found = subprocess.run(
        [sys.executable, "main.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    # A library of the screen may be missing here: then Qt names it, and the rest is the same.
    said = reason in found.stderr or ("QT_QPA" not in "".join(screen) and "plugin" in found.stderr)
    assert (found.returncode, said) == (2, True), found.stderr
    assert found.stderr.startswith("Layerwright: there is no display")
    assert "main.py train" in found.stderr
    assert "Traceback" not in found.stderr
    assert "Aborted" not in found.stderr
