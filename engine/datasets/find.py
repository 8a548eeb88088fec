"""Where a data set's files are: under the folder given, beside the project, in the data folder of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.problem import ProblemError, Where, error

if TYPE_CHECKING:
    from engine.places import Places


def candidates(path: str, places: Places) -> list[Path]:
    """Every place where a file or folder named in a recipe may be; an absolute one has only itself."""
    if Path(path).expanduser().is_absolute():
        return [Path(path).expanduser()]
    return [root / path for root in places.roots]


def find_path(path: str, places: Places, *, folder: bool = False) -> Path:
    """The first candidate that exists; ProblemError says where it was looked for."""
    what = "folder" if folder else "file"
    where = Where(label="data", path="recipe.data.path", file=path)
    if not path:
        raise ProblemError(
            error(
                where, f"No {what} is chosen.", f"The path of a {what}", f"Choose a {what}, or set recipe.data.path",
                code="data-no-path",
            )
        )  # fmt: skip
    found = next((place for place in candidates(path, places) if (place.is_dir() if folder else place.is_file())), None)
    if found is None:
        looked = ", ".join(str(place) for place in candidates(path, places))
        raise ProblemError(
            error(
                where, f"There is no {what} {path}.", f"It at one of: {looked}",
                "Put it there, correct recipe.data.path, or name its folder with --data",
                code="data-missing",
            )
        )  # fmt: skip
    return found
