"""Reads torchvision's data sets: addresses and checksums are torchvision's own, fetching is ours, reading is safe.

Files lie as torchvision lays them out, so folders can be shared with other programs. MNIST's kin are read from their
archives as they are. CIFAR's batches are pickles: torchvision opens them only after their checksums held. Where the
original files are nowhere, a folder of image files whose classes are those of the set is taken for it.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from engine.datasets.download import DownloadPlan, RemoteFile, is_whole, size_words
from engine.datasets.facts import fingerprint
from engine.datasets.find import candidates
from engine.datasets.idx import read_idx, where_is
from engine.datasets.image_copies import find_copy, read_copy
from engine.datasets.raw import TEST, TRAIN, Array, Part, Raw, Request
from engine.datasets.split import divide
from engine.problem import Problem, ProblemError, Where, error

if TYPE_CHECKING:
    from engine.places import Places

EMNIST_ARCHIVE = "gzip.zip"


def read(settings: Any, request: Request) -> Raw:
    """The set from the first folder that holds it; ProblemError says how to get it where none does."""
    described = settings.described()
    if (root := _find(settings, request.places)) is not None:
        pools = _original(settings, root, request)
    elif (copy := _find_copy(settings, request.places)) is not None:
        pools = read_copy(copy, settings.class_names(), described.streams["x"].shape, request)
    else:
        raise ProblemError(_missing(settings, request.places))
    if settings.chosen():
        pools = {name: _chosen(pool, settings) for name, pool in pools.items()}
    parts = divide(pools, settings)
    return Raw(described.streams, described.targets, parts, fingerprint=fingerprint(parts))


def _chosen(pool: Part, settings: Any) -> Part:
    """The samples of the chosen classes in their order, with labels that count these classes only."""
    number = {name: place for place, name in enumerate(settings.class_names())}
    renumbered = np.full(len(number), -1, np.int64)
    for place, name in enumerate(settings.chosen()):
        renumbered[number[name]] = place
    labels = renumbered[pool.targets["y"]]
    kept = np.flatnonzero(labels >= 0)
    found = pool.take(kept)
    return Part(found.inputs, {"y": labels[kept]})


def plan(settings: Any, places: Places) -> DownloadPlan | None:
    """What must be fetched, None when some folder holds the set already."""
    if _find(settings, places) is not None or _find_copy(settings, places) is not None:
        return None
    files = _remote_files(settings)
    host = urlsplit(files[0].urls[0]).netloc
    size = int(settings.megabytes * 1e6)
    words = f"{settings.torchvision}, {size_words(size)} from {host}"
    folder = candidates(settings.path, places)[0] if settings.path else places.downloads
    return DownloadPlan(words, size, folder, files)


def _roots(settings: Any, places: Places) -> Sequence[Path]:
    return candidates(settings.path, places) if settings.path else places.roots


def _find(settings: Any, places: Places) -> Path | None:
    return next((root for root in _roots(settings, places) if _holds(settings, root)), None)


def _find_copy(settings: Any, places: Places) -> Path | None:
    return find_copy(settings.class_names(), _roots(settings, places))


def _original(settings: Any, root: Path, request: Request) -> dict[str, Part]:
    pools = {}
    for number, split in enumerate((TRAIN, TEST)):
        request.report(number, 2, f"Reading {settings.torchvision}")
        images, labels = _READERS[settings.layout](settings, root, split, request)
        pools[split] = Part({"x": images}, {"y": labels})
    request.report(2, 2, f"Reading {settings.torchvision}")
    return pools


def _holds(settings: Any, root: Path) -> bool:
    if settings.layout == "idx":
        try:
            for name in _idx_names(settings):
                where_is(_raw_folder(settings, root), name, _archive(settings))
        except FileNotFoundError:
            return False
        return True
    cls = _torchvision(settings)
    if settings.layout == "cifar":
        return any(place.exists() for place in (root / str(cls.base_folder), root / str(cls.filename)))
    return all((root / cls.split_list[split][1]).is_file() for split in (TRAIN, TEST))


def _read_idx(settings: Any, root: Path, split: str, request: Request) -> tuple[Array, Array]:
    images, labels = (
        read_idx(_raw_folder(settings, root), name, _archive(settings)) for name in _idx_names(settings, split)
    )
    answers = labels.astype(np.int64) - settings.first_label()
    if settings.transposed:
        images = images.swapaxes(1, 2)
    return np.ascontiguousarray(images[:, None]), answers


def _read_cifar(settings: Any, root: Path, split: str, request: Request) -> tuple[Array, Array]:
    cls = _torchvision(settings)
    if not (root / cls.base_folder).is_dir():
        root = _unpacked(cls, root, request)
    with _faults(settings, root / cls.base_folder):
        found = cls(root, train=split == TRAIN, download=False)
    return np.ascontiguousarray(found.data.transpose(0, 3, 1, 2)), np.array(found.targets, np.int64)


def _read_svhn(settings: Any, root: Path, split: str, request: Request) -> tuple[Array, Array]:
    cls = _torchvision(settings)
    with _faults(settings, root / cls.split_list[split][1]):
        found = cls(root, split=split, download=False)
    return np.ascontiguousarray(found.data), found.labels.astype(np.int64)


_READERS = {"idx": _read_idx, "cifar": _read_cifar, "svhn": _read_svhn}


def _unpacked(cls: Any, root: Path, request: Request) -> Path:
    """Unpacks the archive beside itself, or into the data folder where that may not be written; returns the root."""
    archive = root / cls.filename
    if not is_whole(archive, RemoteFile((), cls.filename, cls.tgz_md5)):
        raise ProblemError(_broken(archive, "its checksum is wrong"))
    for target in (root, request.places.folder):
        if (target / str(cls.base_folder)).is_dir():
            return target
        try:
            target.mkdir(parents=True, exist_ok=True)
            request.report(0, None, f"Unpacking {archive.name}")
            with tarfile.open(archive) as tar:
                tar.extractall(target, filter="data")
        except PermissionError:
            continue
        except OSError as fault:
            if fault.errno == 30:  # a read-only file system
                continue
            raise ProblemError(_broken(archive, str(fault))) from None
        return Path(target)
    raise ProblemError(_broken(archive, "there is no folder that it may be unpacked into"))


@contextmanager
def _faults(settings: Any, path: Path) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, OSError, ValueError, EOFError, ImportError) as fault:
        raise ProblemError(_broken(path, str(fault) or type(fault).__name__)) from None


def _torchvision(settings: Any) -> Any:
    from torchvision import datasets

    return getattr(datasets, settings.torchvision)


def _raw_folder(settings: Any, root: Path) -> Path:
    return root / str(settings.torchvision) / "raw"


def _archive(settings: Any) -> str:
    return EMNIST_ARCHIVE if settings.torchvision == "EMNIST" else ""


def _idx_names(settings: Any, split: str = "") -> list[str]:
    found = []
    for part in (split,) if split else (TRAIN, TEST):
        prefix = settings.file_prefix(part)
        found += [f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]
    return found


def _remote_files(settings: Any) -> tuple[RemoteFile, ...]:
    cls = _torchvision(settings)
    if settings.torchvision == "EMNIST":
        return (RemoteFile((cls.url,), f"EMNIST/raw/{EMNIST_ARCHIVE}", cls.md5),)
    if settings.layout == "idx":
        return tuple(
            RemoteFile(
                tuple(f"{mirror.rstrip('/')}/{name}" for mirror in cls.mirrors),
                f"{settings.torchvision}/raw/{name}", checksum,
            )
            for name, checksum in cls.resources
        )  # fmt: skip
    if settings.layout == "cifar":
        return (RemoteFile((cls.url,), cls.filename, cls.tgz_md5),)
    return tuple(RemoteFile((url,), name, md5) for url, name, md5 in (cls.split_list[s] for s in (TRAIN, TEST)))


def _missing(settings: Any, places: Places) -> Problem:
    found = plan(settings, places)
    assert found is not None
    looked = ", ".join(map(str, _roots(settings, places)))
    return error(
        Where(label="data", path="recipe.data", file=str(found.folder)),
        f"{settings.torchvision} is not on this computer. It was looked for in {looked}.",
        ", ".join(file.name for file in found.files),
        f"Fetch it ({found.words}) into {found.folder}, or name the folder that holds it with --data",
        code="data-missing",
    )


def _broken(path: Path, reason: str) -> Problem:
    return error(
        Where(label="data", path="recipe.data", file=str(path)),
        f"{path.name} cannot be read: {reason.rstrip('.')}.",
        "The original files, whole",
        f"Remove {path}; it can then be fetched again",
        code="data-broken-file",
    )
