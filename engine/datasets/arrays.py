"""Reads NumPy arrays from an .npz file; never unpickles. x and y, or x_train, y_train and so on for val and test."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from engine.datafacts import CLASS, NONE, Target
from engine.datasets.answers import value_answers
from engine.datasets.facts import fingerprint
from engine.datasets.find import find_path
from engine.datasets.raw import IMAGE, SEQUENCE, SPLITS, TOKENS, TRAIN, VECTOR, Array, Part, Raw, Request, StreamInfo
from engine.datasets.split import divide, split_indices
from engine.problem import Problem, ProblemError, Where, error
from engine.tensor import shape_text

RANKS = {VECTOR: 1, SEQUENCE: 2, IMAGE: 3, TOKENS: 1}


def read(settings: Any, request: Request) -> Raw:
    """The arrays as one input stream x and, where there are answers, one target y."""
    path = find_path(settings.path, request.places)
    request.report(0, 1, f"Reading {path.name}")
    found = load_arrays(path)
    pools = _pools(found, path)
    kind = _kind(pools[TRAIN]["x"], settings, path)
    usable = (RANKS[kind], 2 if kind == IMAGE else RANKS[kind])
    if any(pool["x"].ndim - 1 not in usable for pool in pools.values()):
        raise ProblemError(_differing(path))
    inputs = {split: _samples(pool["x"], kind, settings, path) for split, pool in pools.items()}
    if len({values.shape[1:] for values in inputs.values()}) > 1:
        raise ProblemError(_differing(path))
    top = settings.top or (255.0 if inputs[TRAIN].dtype == np.uint8 else 0.0)
    stream = StreamInfo(kind, tuple(inputs[TRAIN].shape[1:]), 0.0 if kind == TOKENS else top)
    answers, target = _answers(pools, found, settings, path)
    parts = divide(
        {split: Part({"x": inputs[split]}, {"y": answers[split]} if answers else {}) for split in pools}, settings
    )
    return Raw({"x": stream}, {"y": target}, parts, fingerprint=fingerprint(parts))


def load_arrays(path: Path) -> dict[str, Array]:
    """Every array of an .npz file; ProblemError when it is broken or holds Python objects."""
    if path.is_file() and not zipfile.is_zipfile(path):
        words = f"{path.name} cannot be read: it is no .npz file, or it is cut off."
        raise ProblemError(_fault(path, words, "An .npz file of plain arrays", "Save it again with numpy.savez"))
    try:
        # Opened here, because numpy leaves the file open when it is broken.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (
        OSError,
        ValueError,
        TypeError,
        EOFError,
        KeyError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as fault:
        words = str(fault) or type(fault).__name__
        if "allow_pickle" in words:
            words = "it holds Python objects, which are never loaded because they can run code"
        raise ProblemError(
            _fault(path, f"{path.name} cannot be read: {words}.", "An .npz file of plain arrays",
                   "Save it again with numpy.savez")
        ) from None  # fmt: skip


def _pools(found: dict[str, Array], path: Path) -> dict[str, dict[str, Array]]:
    """Arrays by pool and role (x, y), checked for equal lengths."""
    renamed = {("x_train" if name == "x" else "y_train" if name == "y" else name): found[name] for name in found}
    pools: dict[str, dict[str, Array]] = {}
    for split in SPLITS:
        if f"x_{split}" in renamed:
            pools[split] = {role: renamed[f"{role}_{split}"] for role in ("x", "y") if f"{role}_{split}" in renamed}
    if TRAIN not in pools:
        names = ", ".join(sorted(found)[:8]) or "nothing"
        raise ProblemError(_fault(path, f"{path.name} holds {names}.", "Arrays x and y, or x_train and y_train",
                                  "Save it with these names"))  # fmt: skip
    for split, pool in pools.items():
        lengths = {role: len(values) if values.ndim else 0 for role, values in pool.items()}
        if not lengths["x"]:
            words = f"The {split} arrays have no samples."
            raise ProblemError(_fault(path, words, "At least one, along the first axis",
                                      "Save arrays with samples along the first axis"))  # fmt: skip
        if not pool["x"].size:
            words = f"A sample of the {split} arrays, {shape_text(pool['x'].shape[1:])}, has no values."
            raise ProblemError(_fault(path, words, "At least one along every axis", "Save arrays that are not empty"))
        if len(set(lengths.values())) > 1 or set(pool) != set(pools[TRAIN]):
            words = ", ".join(f"{count:,} {role}" for role, count in lengths.items())
            raise ProblemError(_fault(path, f"The {split} arrays do not fit together: {words}.",
                                      "One y for each x, in every part", "Save them with equal lengths"))  # fmt: skip
    return pools


def _differing(path: Path) -> Problem:
    return _fault(
        path,
        "Training and other samples differ in shape.",
        "One shape for all samples",
        "Save them with the same shape",
    )


def _kind(x: Array, settings: Any, path: Path) -> str:
    whole = np.issubdtype(x.dtype, np.integer)
    rank = x.ndim - 1
    if settings.kind == "auto":
        if rank == 1 and whole and x.dtype != np.uint8:
            return TOKENS
        # Bytes of two axes are grey pictures; numbers of two axes are steps of a sequence.
        known = {1: VECTOR, 2: IMAGE if x.dtype == np.uint8 else SEQUENCE, 3: IMAGE}
        if rank in known:
            return known[rank]
    elif rank == RANKS[settings.kind] or (settings.kind == IMAGE and rank == 2):
        return str(settings.kind)
    raise ProblemError(
        _fault(path, f"A sample of x has {rank} axes.", f"An array that fits {settings.kind}: 1 axis for a vector or "
               "tokens, 2 for a sequence, 2 or 3 for an image", "Choose another kind, or save x in another shape")
    )  # fmt: skip


def _samples(x: Array, kind: str, settings: Any, path: Path) -> Array:
    if kind == TOKENS:
        if not np.issubdtype(x.dtype, np.integer):
            raise ProblemError(_fault(path, f"x holds {x.dtype}.", "Whole numbers as tokens", "Save x as int64"))
        if x.size and x.min() < 0:
            raise ProblemError(_fault(path, "x holds negative tokens.", "Tokens from 0 on", "Number them from 0"))
        return x.astype(np.int64)
    if x.dtype.kind not in "biuf":
        raise ProblemError(_fault(path, f"x holds {x.dtype}.", "Numbers", "Save x as float32 or uint8"))
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is told below
        values = x if x.dtype == np.uint8 else x.astype(np.float32)
    if values.dtype == np.float32 and not np.isfinite(values).all():
        bad = int(np.argwhere(~np.isfinite(values))[0][0])
        raise ProblemError(_fault(path, f"Sample {bad} of x holds a value that is not finite.", "Finite numbers",
                                  "Mend or remove the sample"))  # fmt: skip
    if kind != IMAGE:
        return values
    if values.ndim == 3:
        return values[:, None]
    return np.moveaxis(values, -1, 1) if _channels_last(values, settings.channels, path) else values


def _channels_last(x: Array, channels: str, path: Path) -> bool:
    if channels in ("first", "last"):
        return channels == "last"
    first, last = (2 if axis in (1, 3) else axis == 4 for axis in (x.shape[1], x.shape[3]))
    if first != last:
        return last > first
    raise ProblemError(
        error(
            Where(label=f"arrays {path.name}", path="recipe.data.channels", file=str(path)),
            f"An image of x is {'×'.join(map(str, x.shape[1:]))}: it is unclear which axis holds the colours.",
            "first or last", "Set recipe.data.channels", code="data-channels-axis",
        )
    )  # fmt: skip


def _answers(
    pools: dict[str, dict[str, Array]], found: dict[str, Array], settings: Any, path: Path
) -> tuple[dict[str, Array], Target]:
    if "y" not in pools[TRAIN]:
        return {}, Target(NONE, size=0)
    answers = {split: pool["y"] for split, pool in pools.items()}
    y = answers[TRAIN]
    if any(values.dtype.kind not in "biuf" for values in answers.values()):
        raise ProblemError(_fault(path, f"y holds {y.dtype}.", "Class numbers, or values", "Save y as numbers"))
    flat = y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)
    whole = y.dtype.kind in "biu"
    if settings.task == "classification" or (settings.task == "auto" and whole and flat):
        return _classes(answers, found, path)
    values = {split: item.reshape(len(item), -1).astype(np.float64) for split, item in answers.items()}
    with np.errstate(over="ignore"):
        if not all(np.isfinite(item.astype(np.float32)).all() for item in values.values()):
            raise ProblemError(_fault(path, "y holds values that are not finite.", "Finite numbers", "Mend them"))
    names = ("y",) if values[TRAIN].shape[1] == 1 else tuple(f"y{n}" for n in range(1, values[TRAIN].shape[1] + 1))
    train = split_indices({split: len(item) for split, item in values.items()}, settings)[TRAIN][1]
    target = value_answers(values[TRAIN], train, names, standardize=settings.standardize_target)[1]
    return values, target


def _classes(answers: dict[str, Array], found: dict[str, Array], path: Path) -> tuple[dict[str, Array], Target]:
    labels = {}
    for split, values in answers.items():
        flat = values.reshape(-1)
        if len(flat) != len(values) or (flat != np.floor(flat)).any() or flat.min() < 0 or flat.max() >= 2**20:
            raise ProblemError(_fault(path, f"y of the {split} part is not one class number per sample.",
                                      "Whole numbers from 0 on", "Number the classes 0, 1, 2, ..."))  # fmt: skip
        labels[split] = flat.astype(np.int64)
    count = max(int(values.max()) for values in labels.values()) + 1
    names = found.get("classes")
    words = tuple(map(str, names)) if names is not None and len(names) >= count else tuple(map(str, range(count)))
    return labels, Target(CLASS, words)


def _fault(path: Path, happened: str, expected: str, fix: str) -> Problem:
    where = Where(label=f"arrays {path.name}", path="recipe.data.path", file=str(path))
    return error(where, happened, expected, fix, code="data-arrays")
