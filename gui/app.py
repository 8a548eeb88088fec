"""Starts the application: hooks, theme, the window on its first project; torch warms up only after the window shows.

Never imports torch: the first frame must not wait for it.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from engine.examples import load_example
from gui import settings, style
from gui.icons import icon
from gui.noscreen import told_politely
from gui.theme import themes
from gui.window import MainWindow

FIRST_PROJECT = "digits-mlp"


def run(arguments: list[str]) -> int:
    """Opens the window, on a project file or the embedded example, and runs until it is closed."""
    app = make_application()
    window = MainWindow()
    path = next((Path(item) for item in arguments if not item.startswith("-")), None)
    if path is None:
        window.document.adopt(load_example(FIRST_PROJECT))
    window.show_first()
    window.start(path)
    # Python sees a signal only when it gets to run: the timer gives it the chance.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    pulse = QTimer()
    pulse.start(200)
    pulse.timeout.connect(lambda: None)
    return app.exec()


def make_application() -> QApplication:
    """The application with name, style and theme; the one that runs already in a test."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    with told_politely():
        app = QApplication(sys.argv[:1])
    app.setApplicationName("Layerwright")
    app.setOrganizationName(settings.ORGANISATION)
    app.setDesktopFileName("layerwright")
    app.setWindowIcon(icon("logo", "accent"))
    themes.set_mode(settings.theme.get())
    style.follow_theme(app)
    return app
