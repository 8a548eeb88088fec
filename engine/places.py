"""Where things are on this computer: data sets, runs, settings, recovery files, caches.

`LAYERWRIGHT_HOME` moves all of the program's own folders under one (tests, portable installs). Folders are named
here and made by whoever writes into them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import PlatformDirs

HOME = "LAYERWRIGHT_HOME"
_DIRS = PlatformDirs("layerwright", appauthor=False)


def config_folder() -> Path:
    """Settings and plug-ins."""
    return _folder("config", _DIRS.user_config_path)


def data_folder() -> Path:
    """Downloaded data sets, and runs of projects that were never saved."""
    return _folder("data", _DIRS.user_data_path)


def state_folder() -> Path:
    """Recovery files and logs."""
    return _folder("state", _DIRS.user_state_path)


def cache_folder() -> Path:
    """What can be made again at any time."""
    return _folder("cache", _DIRS.user_cache_path)


def runs_folder(project_path: Path | None) -> Path:
    """`runs` beside a saved project, else in the user's data folder."""
    return (project_path.absolute().parent if project_path else data_folder()) / "runs"


@dataclass(frozen=True)
class Places:
    """Where data is looked for, in this order: `data` (`--data`), `beside` the project, the data `folder`."""

    data: Path | None = None
    beside: Path | None = None
    folder: Path = field(default_factory=lambda: data_folder() / "data")

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders to look in, first to last, each once."""
        given = (self.data, self.beside, self.folder)
        return tuple(dict.fromkeys(place for place in given if place is not None))

    @property
    def downloads(self) -> Path:
        """Where a downloaded data set is kept."""
        return self.data or self.folder

    def find(self, path: str | Path) -> Path | None:
        """The first existing file or folder of that name; an absolute path is taken as it is. None when absent."""
        wanted = Path(path).expanduser()
        found = [wanted] if wanted.is_absolute() else [root / wanted for root in self.roots]
        return next((place for place in found if place.exists()), None)


def default_places(project_path: Path | None = None, data: Path | None = None) -> Places:
    """The places for a project file (None: never saved) and a folder given with `--data`."""
    return Places(data=data, beside=project_path.absolute().parent if project_path else None)


def _folder(name: str, usual: Path) -> Path:
    home = os.environ.get(HOME)
    return Path(home) / name if home else usual
