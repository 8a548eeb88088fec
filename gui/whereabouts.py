"""Where the window looks for a project's data and keeps its runs: the settings' folders, else beside the project."""

from __future__ import annotations

from pathlib import Path

from engine import places
from engine.places import Places
from gui import settings


def runs_of(project_path: Path | None) -> Path:
    """Where the runs of a project are; None for one that was never saved."""
    chosen = settings.runs_folder.get()
    return Path(chosen) if chosen else places.runs_folder(project_path)


def places_of(project_path: Path | None) -> Places:
    """Where the data of a project is looked for."""
    beside = project_path.parent if project_path else None
    return Places(data=None, beside=beside, folder=settings.default_data_folder())
