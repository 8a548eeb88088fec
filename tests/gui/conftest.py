"""What every test of the window gets: no display needed, settings of its own, and nothing odd left behind."""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

# What the platform plugin without a display says about things only a display has; none of it is about our code.
UNAVOIDABLE = ("This plugin does not support", "propagateSizeHints")
Show = Callable[..., QWidget]
SERIOUS = (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings folder of its own for each test; the person's choices are neither read nor changed."""
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setenv("LAYERWRIGHT_CONFIG", str(folder))
    return folder


@pytest.fixture(autouse=True)
def own_clipboard() -> Iterator[None]:
    """An empty clipboard after each test: the offscreen platform frees what is left on it too late, and crashes."""
    yield
    if isinstance(QApplication.instance(), QApplication):
        QApplication.clipboard().clear()


@pytest.fixture(autouse=True)
def no_qt_warnings() -> Iterator[list[str]]:
    """Fail the test on any warning of Qt; a test that provokes one clears the list it gets here."""
    heard: list[str] = []

    def listen(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        if kind in SERIOUS and not any(words in text for words in UNAVOIDABLE):
            heard.append(text)

    previous = qInstallMessageHandler(listen)
    yield heard
    qInstallMessageHandler(previous)
    assert not heard, "Qt warned: " + "; ".join(heard)


@pytest.fixture(autouse=True)
def no_unexpected_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail the test on a log record of WARNING or above; a test that expects one calls `caplog.clear()`."""
    yield
    records = [one for when in ("setup", "call") for one in caplog.get_records(when)]
    loud = [one.getMessage() for one in records if one.levelno >= logging.WARNING]
    assert not loud, "logged: " + "; ".join(loud)


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Fail the test when a thread still runs, or a timer ticks that belongs to no living object."""
    before = set(threading.enumerate())
    yield
    application = QApplication.instance()
    if application is not None:
        application.processEvents()
    left = [one for one in threading.enumerate() if one not in before and one.is_alive() and not one.daemon]
    for one in left:
        one.join(1.0)
    assert not [one.name for one in left if one.is_alive()], "threads still run"
    # By type, not isinstance: torch keeps objects that warn when they are asked for their class.
    timers = [one for one in gc.get_objects() if issubclass(type(one), QTimer) and isValid(one) and one.isActive()]
    assert not [one for one in timers if one.parent() is None], "timers without an owner still tick"


@pytest.fixture
def styled(qapp: QApplication) -> Iterator[QApplication]:
    """The application in the dark theme with the whole sheet; the sheet goes again after the test."""
    from gui import style
    from gui.theme import themes

    themes.set_mode("dark")
    style.apply(qapp)
    yield qapp
    themes.set_mode("system")
    qapp.setStyleSheet("")


@pytest.fixture
def shown(styled: QApplication, qtbot: QtBot) -> Iterator[Show]:
    """Puts widgets below each other into a window, shows it and keeps it alive until the test ends."""
    windows: list[QWidget] = []

    def show(*widgets: QWidget) -> QWidget:
        window = QWidget()
        layout = QVBoxLayout(window)
        for widget in widgets:
            layout.addWidget(widget)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=2000)
        windows.append(window)
        return window

    yield show
    for window in windows:
        window.close()
        window.deleteLater()
    styled.processEvents()
