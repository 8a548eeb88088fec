"""Reads scikit-learn's bundled handwritten digits from its data file, without importing scikit-learn.

1,797 images of 8×8 pixels with values 0 to 16 (UCI, "Optical Recognition of Handwritten Digits", the test part).
Importing the library would cost a second and 70 MB; the file is read in a few milliseconds.
"""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from engine.datasets.facts import fingerprint
from engine.datasets.raw import IMAGE, SEQUENCE, TRAIN, VECTOR, Array, Part, Raw, Request, StreamInfo
from engine.datasets.split import divide
from engine.problem import ProblemError, Where, error

NUM_SAMPLES = 1_797
SIDE = 8
TOP = 16.0
SHAPES = {IMAGE: (1, SIDE, SIDE), VECTOR: (SIDE * SIDE,), SEQUENCE: (SIDE, SIDE)}


def streams_of(settings: Any) -> dict[str, StreamInfo]:
    """The streams that the settings ask for: `x`, and `sums` (8 row sums, then 8 column sums) beside it."""
    streams = {"x": StreamInfo(settings.form, SHAPES[settings.form], TOP)}
    if settings.sums:
        names = tuple(f"{side} {number}" for side in ("row", "column") for number in range(1, SIDE + 1))
        streams["sums"] = StreamInfo(VECTOR, (2 * SIDE,), TOP * SIDE, names)
    return streams


def read(settings: Any, request: Request) -> Raw:
    """The digits in the form that the settings ask for."""
    request.report(0, 1, "Reading digits")
    pixels, labels = _pixels()
    streams = streams_of(settings)
    inputs: dict[str, Array] = {"x": pixels.reshape(-1, *streams["x"].shape)}
    if settings.sums:
        grid = pixels.reshape(-1, SIDE, SIDE)
        inputs["sums"] = np.concatenate([grid.sum(2), grid.sum(1)], 1).astype(np.float32)
    parts = divide({TRAIN: Part(inputs, {"y": labels})}, settings)
    return Raw(streams, settings.describe().targets, parts, fingerprint=fingerprint(parts))


def _pixels() -> tuple[Array, Array]:
    spec = find_spec("sklearn")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        file = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if file.is_file():
            with gzip.open(file, "rt", encoding="ascii") as lines:
                table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
            return np.ascontiguousarray(table[:, :-1]), table[:, -1].astype(np.int64)
    raise ProblemError(
        error(
            Where(label="digits", path="recipe.data"),
            "The digits come with scikit-learn, which is not installed or lacks its data files.",
            "scikit-learn with datasets/data/digits.csv.gz",
            "Install it: pip install scikit-learn",
            code="data-missing",
        )
    )
