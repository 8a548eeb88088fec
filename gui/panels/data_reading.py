"""The jobs of the data panel: read to look at, fetch what is missing, read the head of a table. Shows nothing.

Keeps what was read last, so that another split or other samples need no second reading.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.datasets.download import DownloadPlan
from engine.datasets.find import find_path
from engine.datasets.readout import Readout
from engine.known import data_key
from engine.places import Places
from engine.problem import Problem
from engine.recipe import Recipe
from gui.jobs import Job, Jobs, Progress, Work, fetch_data, preview_augmentation, read_data
from gui.panels.data_look import Look, Pictures, look_at, picture_of_pixels

KEPT_BYTES = 100_000_000
"""Data up to this size stays at hand for another look; larger data is read again."""
NUM_PREVIEWED, NUM_VARIANTS = 16, 5


@dataclass(frozen=True)
class Wish:
    """What is asked of one reading."""

    recipe: Recipe
    places: Places
    title: str
    split: str = "train"
    seed: int = 0
    augmented: bool = False

    @property
    def key(self) -> tuple[str, Places]:
        """What the samples depend on; split and seed only choose among them."""
        return data_key(self.recipe), self.places


class DataReader(QObject):
    """Starts one reading at a time; the newest wins."""

    began = Signal(object, bool)
    """The `Job`, and whether it counts bytes."""
    looked = Signal(object, object, object)
    """The `Wish`, the `Look`, and `Pictures` of augmented images or None."""
    planned = Signal(object, object)
    """The `Wish`, and the `DownloadPlan` of what must be fetched first."""
    failed = Signal(object)
    columns_found = Signal(object, object)
    """The `Problem` that asked for a column, and the names of all columns."""
    given_up = Signal()
    may_be_there = Signal()
    """Something ended that could have brought missing data: a fetch of ours or of somebody else."""

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._kept: tuple[Any, Readout] | None = None
        self._starting = False
        jobs.started.connect(self._watch)

    def read(self, wish: Wish) -> None:
        """Reads and chooses samples."""
        kept = self._kept[1] if self._kept is not None and self._kept[0] == wish.key else None
        job = self._start(
            "data-preview", self.tr("Reading {0}").format(wish.title), _looking(wish, kept),
            done=lambda found: self._take(wish, found), failed=self.failed.emit, cancelled=self.given_up.emit,
        )  # fmt: skip
        self.began.emit(job, False)

    def fetch(self, wish: Wish) -> None:
        """Fetches what is missing; `may_be_there` follows, or `failed`."""
        title = self.tr("Getting {0}").format(wish.title)
        work = fetch_data(wish.recipe, wish.places)
        # Under the name that Train uses: nothing is fetched twice at the same time.
        job = self._start("fetch", title, work, failed=self.failed.emit, cancelled=self.may_be_there.emit)
        job.done.connect(self.may_be_there)
        self.began.emit(job, True)

    def find_columns(self, wish: Wish, problem: Problem) -> None:
        """Reads the head of a table, so that the column to predict can be chosen."""
        tagged, places = wish.recipe.get("data"), wish.places

        def work(_progress: Progress, _cancel: threading.Event) -> tuple[str, ...]:
            from engine.datasets.grids import read_grid

            settings = {name: str(tagged.get(name, "auto")) for name in ("delimiter", "header")}
            return tuple(read_grid(find_path(str(tagged.get("path", "")), places), **settings).names)

        def tell(names: tuple[str, ...]) -> None:
            self.columns_found.emit(problem, names)

        self._start("data-columns", self.tr("Reading the columns"), work, done=tell, failed=self.failed.emit)

    def forget(self) -> None:
        """Lets go of what was read."""
        self._kept = None

    def _start(self, name: str, title: str, work: Work, **answers: Any) -> Job:
        self._starting = True
        try:
            return self._jobs.start(name, title, work, **answers)
        finally:
            self._starting = False

    def _take(self, wish: Wish, found: DownloadPlan | tuple[Look, Pictures | None]) -> None:
        if isinstance(found, DownloadPlan):
            self._kept = None
            self.planned.emit(wish, found)
            return
        look, changed = found
        self._kept = (wish.key, look.readout) if look.readout.num_bytes <= KEPT_BYTES else None
        self.looked.emit(wish, look, changed)

    def _watch(self, job: Job) -> None:
        if not self._starting:
            job.finished.connect(self.may_be_there)


def _looking(wish: Wish, kept: Readout | None) -> Work:
    read = read_data(wish.recipe, wish.places)
    preview = preview_augmentation(
        wish.recipe, wish.places, num_images=NUM_PREVIEWED, variants=NUM_VARIANTS, seed=wish.seed
    )

    def work(progress: Progress, cancel: threading.Event) -> DownloadPlan | tuple[Look, Pictures | None]:
        readout = kept or read(progress, cancel)
        if not isinstance(readout, Readout):
            return readout  # type: ignore[no-any-return]
        look = look_at(readout, wish.split, wish.seed)
        changed = _side_by_side(preview(progress, cancel)) if wish.augmented else None
        return look, changed

    return work


def _side_by_side(previews: list[Any]) -> Pictures | None:
    """Each image followed by its augmented forms; the label stands under the image itself."""
    images, labels = [], []
    for one in previews:
        images += [picture_of_pixels(pixels) for pixels in (one.original, *one.augmented)]
        labels += [one.label, *[""] * len(one.augmented)]
    return Pictures(tuple(images), tuple(labels), 1 + NUM_VARIANTS) if images else None
