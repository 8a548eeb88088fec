"""Reads the IDX files of MNIST and its kin straight from .gz or .zip, so that read-only folders need no unpacking.

Format: two zero bytes, a type byte (8: unsigned bytes), the number of axes, then one big-endian 32-bit length per
axis, then the values (http://yann.lecun.com/exdb/mnist/).
"""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from math import prod
from pathlib import Path

import numpy as np

from engine.datasets.raw import Array
from engine.problem import ProblemError, Where, error

BAD = (OSError, EOFError, ValueError, KeyError, struct.error, zlib.error, zipfile.BadZipFile)


def read_idx(folder: Path, name: str, archive: str = "") -> Array:
    """The array of `name` in a folder: the file itself, `name.gz`, or gzip/`name.gz` inside the zip `archive`.

    ProblemError when it is cut off or no IDX file of unsigned bytes.
    """
    path = where_is(folder, name, archive)
    try:
        return _parse(_bytes(path, name))
    except BAD as fault:
        raise ProblemError(
            error(
                Where(label="data", path="recipe.data", file=str(path)),
                f"{path.name} cannot be read: {fault or type(fault).__name__}.",
                "The original file, whole",
                f"Remove {path}; it can then be fetched again",
                code="data-broken-file",
            )
        ) from None


def where_is(folder: Path, name: str, archive: str = "") -> Path:
    """The file that holds `name`; FileNotFoundError when there is none."""
    for path in (folder / name, folder / f"{name}.gz", folder / archive if archive else folder / name):
        if path.is_file():
            return path
    raise FileNotFoundError(folder / name)


def _bytes(path: Path, name: str) -> bytes:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return gzip.decompress(archive.read(f"gzip/{name}.gz"))
    if path.suffix == ".gz":
        with gzip.open(path) as stream:
            return stream.read()
    return path.read_bytes()


def _parse(data: bytes) -> Array:
    zero, kind, axes = struct.unpack_from(">HBB", data)
    if zero != 0 or kind != 8 or not 1 <= axes <= 4:
        raise ValueError("it is no IDX file of unsigned bytes")
    shape = struct.unpack_from(f">{axes}I", data, 4)
    start = 4 + 4 * axes
    if len(data) != start + prod(shape):
        raise ValueError(f"it holds {len(data) - start:,} values where its head promises {prod(shape):,}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
