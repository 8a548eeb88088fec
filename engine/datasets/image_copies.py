"""A known image set that lies as ordinary image files: one folder per class, named as the set names its classes.

Copies of CIFAR-10 and others are often passed on so. Owns the recognition of such a folder (every class name must fit,
so that nothing is guessed) and its reading, with the set's own numbers of classes. Reading one file stands in
`images.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from engine.datasets.images import ImageFiles, folders, read_headers, scan_folder, unreadable
from engine.datasets.raw import TRAIN, Part, Request
from engine.problem import ProblemError, Where, error


def find_copy(classes: Sequence[str], roots: Iterable[Path]) -> Path | None:
    """The first of the roots, or of the folders right in them, whose `train` holds exactly these classes."""
    wanted = set(classes)
    for root in roots:
        try:
            for place in (root, *folders(root)):
                if (place / TRAIN).is_dir() and {item.name for item in folders(place / TRAIN)} == wanted:
                    return place
        except OSError:  # not there, or not ours to read
            continue
    return None


def read_copy(root: Path, classes: Sequence[str], shape: tuple[int, int, int], request: Request) -> dict[str, Part]:
    """The images of each split with their class numbers; ProblemError names unreadable ones and other sizes.

    `shape` is (channels, height, width): a set whose images were resized is not that set any more.
    """
    found = scan_folder(root, request)
    names = [file for files in found.values() for _, file in files]
    headers, faults = read_headers(root, names, request, decode=False)
    if faults:
        raise ProblemError(unreadable(faults, len(names)))
    strange = next((name for name, (size, _, _) in headers.items() if size != shape[1:]), None)
    if strange is not None:
        height, width = headers[strange][0]
        raise ProblemError(
            error(
                Where(label="data", path="recipe.data", file=str(root / strange)),
                f"{root / strange} has {width}×{height} pixels.", f"{shape[2]}×{shape[1]} pixels, as in the set",
                "Choose the data set Image folder for images of other sizes", code="data-image-sizes",
            )
        )  # fmt: skip
    number = {name: place for place, name in enumerate(classes)}
    pools = {}
    for split, files in found.items():
        # Folders list one class after the other; the sets mix them, and a split of the last images counts on that.
        mixed = [files[place] for place in np.random.default_rng(0).permutation(len(files))]
        kept = tuple(file for _, file in mixed)
        images = ImageFiles(str(root), kept, shape[0], tuple(headers[file][2] for file in kept))
        pools[split] = Part({"x": images}, {"y": np.array([number[name] for name, _ in mixed], np.int64)})
    return pools
