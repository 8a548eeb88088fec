"""Remembered choices: theme, folders, recent files, how the window is arranged.

Owns the keys, their types and their defaults. Never holds project data, and never fails: what cannot be read counts as
never chosen. The environment variable LAYERWRIGHT_CONFIG names a folder to use in place of the person's own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from PySide6.QtCore import QByteArray, QSettings

from engine import places

T = TypeVar("T")
ORGANISATION = "Layerwright"
OVERRIDE = "LAYERWRIGHT_CONFIG"
MAX_RECENT = 12


class Choice(Generic[T]):
    """One remembered value: its key, and its default, which also says the type."""

    def __init__(self, key: str, default: T) -> None:
        self.key: Final = key
        self.default: Final = default

    def get(self) -> T:
        """The remembered value, or the default when there is none or it has another type."""
        text = store().value(self.key)
        if not isinstance(text, str):
            return self.default
        try:
            found = json.loads(text)
        except ValueError:
            return self.default
        if isinstance(self.default, float) and type(found) is int:
            found = float(found)
        return found if type(found) is type(self.default) else self.default

    def set(self, value: T) -> None:
        """Remember `value` from now on."""
        store().setValue(self.key, json.dumps(value))

    def forget(self) -> None:
        """Go back to the default."""
        store().remove(self.key)


theme: Choice[str] = Choice("look/theme", "system")
language: Choice[str] = Choice("look/language", "")
motion: Choice[str] = Choice("look/motion", "system")
"""One of "system", "reduced" and "full"."""
recent_files: Choice[list[str]] = Choice("files/recent", [])
data_folder: Choice[str] = Choice("files/data", "")
runs_folder: Choice[str] = Choice("files/runs", "")
last_folder: Choice[str] = Choice("files/last", "")
autosave: Choice[bool] = Choice("files/autosave", True)
autosave_seconds: Choice[int] = Choice("files/autosave_seconds", 30)


def store() -> QSettings:
    """The settings file; made anew each time, because QSettings shares what it has read."""
    override = os.environ.get(OVERRIDE)
    if override:
        return QSettings(str(Path(override) / "settings.ini"), QSettings.Format.IniFormat)
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, ORGANISATION, ORGANISATION)


def value(key: str, default: T) -> T:
    """A remembered value without a name of its own, such as whether a section of a panel is open."""
    return Choice(key, default).get()


def set_value(key: str, new: Any) -> None:
    """Remember a value without a name of its own; anything that JSON can hold."""
    Choice(key, new).set(new)


def arrangement(project: str, workspace: str) -> QByteArray | None:
    """The remembered window state of one workspace of one project, or None when there is none."""
    found = store().value(_arrangement_key(project, workspace))
    return found if isinstance(found, QByteArray) and not found.isEmpty() else None


def set_arrangement(project: str, workspace: str, state: QByteArray | None) -> None:
    """Remember the window state of one workspace of one project; None forgets it."""
    if state is None:
        store().remove(_arrangement_key(project, workspace))
    else:
        store().setValue(_arrangement_key(project, workspace), state)


def geometry() -> QByteArray | None:
    """Where the window was."""
    found = store().value("window/geometry")
    return found if isinstance(found, QByteArray) and not found.isEmpty() else None


def set_geometry(state: QByteArray) -> None:
    """Remember where the window is."""
    store().setValue("window/geometry", state)


def add_recent(path: str) -> None:
    """Put a file first in the list of recent ones."""
    recent_files.set([path, *(one for one in recent_files.get() if one != path)][:MAX_RECENT])


def default_data_folder() -> Path:
    """Where datasets go: the chosen folder, or the system's place for application data."""
    chosen = data_folder.get()
    return Path(chosen) if chosen else places.data_folder() / "data"


def _arrangement_key(project: str, workspace: str) -> str:
    # A slash would open a group of its own in the settings file.
    return f"arrangement/{project.replace('/', '|').replace(chr(92), '|') or 'unnamed'}/{workspace}"
