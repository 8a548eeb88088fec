"""Reads an image folder: which files belong to which split and class, their sizes, and one image as an array.

Images are decoded only when they are needed; opening the folder reads their headers.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.datafacts import Target
from engine.datasets.facts import fingerprint
from engine.datasets.find import find_path
from engine.datasets.raw import IMAGE, SPLITS, TRAIN, Array, Part, Raw, Request, StreamInfo
from engine.datasets.split import divide
from engine.problem import Fix, Problem, ProblemError, Where, error

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
SPLIT_FOLDERS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
                 "test": "test", "testing": "test"}  # fmt: skip
GREY_MODES = {"1", "L", "LA", "I", "F"}
BAD = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
"""What Pillow raises for files that are no images, are cut off, or claim an absurd size."""


@dataclass(frozen=True)
class ImageFiles:
    """Image files in order; behaves like an array along its first axis. Plain values, so it travels to workers."""

    root: str
    names: tuple[str, ...]
    channels: int
    num_bytes: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, indices: Any) -> ImageFiles:
        """The files at a slice or at an array of places."""
        if isinstance(indices, slice):
            return replace(self, names=self.names[indices], num_bytes=self.num_bytes[indices])
        places = [int(index) for index in indices]
        return replace(
            self,
            names=tuple(self.names[place] for place in places),
            num_bytes=tuple(self.num_bytes[place] for place in places),
        )

    def load(self, index: int) -> Array:
        """One image (channels, height, width) uint8; ProblemError when it cannot be read."""
        return load_image(Path(self.root) / self.names[index], self.channels)

    def listing(self) -> bytes:
        """Names and sizes of the files."""
        return "\n".join(f"{name} {size}" for name, size in zip(self.names, self.num_bytes, strict=True)).encode()


def load_image(path: Path, channels: int) -> Array:
    """An image file as (channels, height, width) uint8, grey for 1 channel, RGB for 3; ProblemError when unreadable."""
    try:
        with Image.open(path) as image:
            pixels = pixels_of(image, channels)
    except BAD as fault:
        raise ImageFault(path, str(fault) or type(fault).__name__) from None
    return pixels


class ImageFault(ProblemError):
    """One image file that cannot be read; `reason` is what is said of it beside others."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(unreadable([(str(path), reason)], 1))
        self.reason = reason


def reason_of(fault: ProblemError) -> str:
    """Why a file could not be read, without the words that a problem of its own puts around it."""
    return fault.reason if isinstance(fault, ImageFault) else fault.problem.happened


def unreadable(faults: Sequence[tuple[str, str]], total: int) -> Problem:
    """One problem that names the first five of the files that cannot be read, each with its reason."""
    # Pillow's words repeat the file.
    shown = "; ".join(f"{file} ({reason.replace(f' {file!r}', '')})" for file, reason in faults[:5])
    more = f" and {len(faults) - 5:,} more" if len(faults) > 5 else ""
    return error(
        Where(label="data", path="recipe.data.path", file=faults[0][0]),
        f"{len(faults):,} of {total:,} images cannot be read: {shown}{more}.",
        "Image files that are whole",
        "Replace or remove them, or set recipe.data.skip_unreadable",
        code="data-unreadable-image",
    )


def read(settings: Any, request: Request) -> Raw:
    """The folder's images by split and class. Classes are the names of the training sub-folders, in order."""
    root = find_path(settings.path, request.places, folder=True)
    found = scan_folder(root, request)
    classes = tuple(sorted({name for name, _ in found[TRAIN]}))
    _check_classes(root, found, classes)
    names = [file for files in found.values() for _, file in files]
    headers, faults = read_headers(root, names, request, decode=settings.skip_unreadable)
    if faults and not settings.skip_unreadable:
        raise ProblemError(unreadable(faults, len(names)))
    if not headers:
        raise ProblemError(_empty(root))
    channels = 1 if all(_is_grey(mode) for _, mode, _ in headers.values()) else 3
    stream = StreamInfo(IMAGE, (channels, *_one_size(headers, request.preprocess)), 255.0)
    number = {name: place for place, name in enumerate(classes)}
    pools = {}
    for split, files in found.items():
        kept = [(name, file) for name, file in files if file in headers]
        images = ImageFiles(
            str(root), tuple(file for _, file in kept), channels, tuple(headers[file][2] for _, file in kept)
        )
        pools[split] = Part({"x": images}, {"y": np.array([number[name] for name, _ in kept], np.int64)})
    parts = divide(pools, settings)
    extra = {"skipped": len(faults)} if faults else {}
    return Raw({"x": stream}, {"y": Target(classes=classes)}, parts, extra, fingerprint(parts))


def pixels_of(image: Image.Image, channels: int) -> Array:
    """An opened image as (channels, height, width) uint8: grey for 1 channel, RGB for 3; of 16 bits the upper 8."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        deep = np.asarray(image).astype(np.uint32) >> 8
        grey = np.clip(deep, 0, 255).astype(np.uint8)[None]
        return grey if channels == 1 else np.repeat(grey, 3, 0)
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    if channels == 1:
        return np.array(image.convert("L"))[None]
    return np.ascontiguousarray(np.array(image.convert("RGB")).transpose(2, 0, 1))


def _is_grey(mode: str) -> bool:
    return mode in GREY_MODES or mode.startswith("I;16")


def scan_folder(root: Path, request: Request) -> dict[str, list[tuple[str, str]]]:
    """Per split its (class, file) pairs; file is relative to the root, with forward slashes."""
    request.report(0, None, "Listing images")
    own = {SPLIT_FOLDERS[item.name.lower()]: item for item in folders(root) if item.name.lower() in SPLIT_FOLDERS}
    tops = {split: own[split] for split in SPLITS if split in own} if TRAIN in own else {TRAIN: root}
    found: dict[str, list[tuple[str, str]]] = {}
    for split, top in tops.items():
        pairs = [(item.name, file) for item in folders(top) for file in _image_names(item, root)]
        if pairs:
            found[split] = pairs
        request.report(len(pairs), None, "Listing images")
    if TRAIN not in found:
        raise ProblemError(_empty(root))
    return found


def folders(root: Path) -> list[Path]:
    """The visible folders right in one, by name."""
    return sorted(item for item in root.iterdir() if item.is_dir() and not item.name.startswith("."))


def _image_names(folder: Path, root: Path) -> list[str]:
    names = []
    for where, _, files in os.walk(folder):
        for name in files:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                names.append(Path(where, name).relative_to(root).as_posix())
    return sorted(names)


def read_headers(
    root: Path, names: Sequence[str], request: Request, *, decode: bool
) -> tuple[dict[str, tuple[tuple[int, int], str, int]], list[tuple[str, str]]]:
    """Per readable file ((height, width), mode, bytes), and (file, reason) of the others."""
    headers: dict[str, tuple[tuple[int, int], str, int]] = {}
    faults = []
    for place, name in enumerate(names):
        if place % 200 == 0:
            request.report(place, len(names), "Checking images" if decode else "Reading image sizes")
        path = root / name
        try:
            with Image.open(path) as image:
                if decode:
                    image.load()
                headers[name] = ((image.height, image.width), image.mode, path.stat().st_size)
        except BAD as fault:
            faults.append((str(path), str(fault) or type(fault).__name__))
    return headers, faults


def _one_size(headers: dict[str, tuple[tuple[int, int], str, int]], preprocess: Any) -> tuple[int, int]:
    """(height, width) of the images before preprocessing; of the resized ones where they differ."""
    sizes = Counter(size for size, _, _ in headers.values())
    if len(sizes) == 1:
        return next(iter(sizes))
    if preprocess.resize is not None:
        size = preprocess.resize
        return size if isinstance(size, tuple) else (size, size)
    smallest, largest = min(sizes), max(sizes)
    middle = sorted(min(size) for size in sizes.elements())[sum(sizes.values()) // 2]
    side = next((choice for choice in (224, 128, 96, 64, 32) if choice <= middle), 16)
    raise ProblemError(
        error(
            Where(label="preprocess", path="recipe.preprocess.resize"),
            f"The images differ in size, from {smallest[1]}×{smallest[0]} to {largest[1]}×{largest[0]} pixels.",
            "One size for all, because a batch is one array",
            f"Set recipe.preprocess.resize, for example to {side}",
            code="data-image-sizes",
            fixes=(Fix(f"Resize all images to {side}×{side}", apply=lambda project: _resized(project, side)),),
        )
    )


def _resized(project: Any, side: int) -> Any:
    recipe = project.recipe
    return project.with_recipe(recipe.with_value("preprocess", {**recipe.get("preprocess"), "resize": side}))


def _check_classes(root: Path, found: dict[str, list[tuple[str, str]]], classes: Sequence[str]) -> None:
    where = Where(label="data", path="recipe.data.path", file=str(root))
    if len(classes) < 2:
        inner = root / classes[0]
        raise ProblemError(
            error(
                where, f"The folder holds only one class, {classes[0]}.",
                "A sub-folder for each of two or more classes, or train and val folders that hold these",
                f"Choose the folder above the classes; perhaps {inner}",
                code="data-one-class",
            )
        )  # fmt: skip
    for split, pairs in found.items():
        strange = sorted({name for name, _ in pairs} - set(classes))
        if strange:
            raise ProblemError(
                error(
                    where, f"The {split} folder holds classes without training images: {', '.join(strange[:5])}.",
                    "The same class folders as in the train folder", "Rename or remove these folders",
                    code="data-classes-differ",
                )
            )  # fmt: skip


def _empty(root: Path) -> Problem:
    return error(
        Where(label="data", path="recipe.data.path", file=str(root)),
        f"No images are found in sub-folders of {root}.",
        "A sub-folder for each class that holds its images (" + ", ".join(sorted(SUFFIXES)) + ")",
        "Choose another folder, or sort the images into one folder per class",
        code="data-empty-folder",
    )
