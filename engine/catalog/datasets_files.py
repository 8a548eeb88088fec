"""Data sets in the user's own files: image folders, tables, arrays."""

from __future__ import annotations

from typing import ClassVar

from engine.datasets.base import FromFile
from engine.declare import dataset
from engine.param import param


@dataset("image_folder", title="Image folder", search=("jpg", "png", "photographs", "pictures"))
class ImageFolder(FromFile):
    """Images in one sub-folder per class, all in one folder or already divided into train, val and test."""

    reader: ClassVar[str] = "engine.datasets.images"

    skip_unreadable: bool = param(
        default=False, help="Leave out images that cannot be read, after trying all of them, instead of refusing"
    )


@dataset("csv", title="Table (CSV)", was=("table",), search=("tabular", "spreadsheet", "tsv", "columns"))
class Table(FromFile):
    """A table of numbers and words with one column to predict. Missing numbers become the training part's median,
    words one column per word.
    """

    reader: ClassVar[str] = "engine.datasets.tables"

    target: str = param(default="", help="The column to predict, by name or by number (0 is the first, -1 the last)")
    task: str = param(
        default="auto", choices=("auto", "classification", "regression"),
        help="auto: words or at most 20 different whole numbers are classes, all else is a value",
    )  # fmt: skip
    drop: str = param(default="", help="Columns to leave out, by name, separated by commas")
    header: str = param(
        default="auto", choices=("auto", "yes", "no"),
        help="Whether the first line holds the names; auto: when it has words above numbers",
    )  # fmt: skip
    delimiter: str = param(
        default="auto", choices=("auto", "comma", "semicolon", "tab", "bar"), advanced=True,
        help="What stands between cells; auto: what divides the first lines evenly",
    )  # fmt: skip
    missing_target: str = param(
        default="refuse", choices=("refuse", "skip"), advanced=True, help="What to do with rows that lack the answer"
    )
    standardize_target: bool = param(
        default=True, advanced=True,
        help="Train towards values with mean 0 and deviation 1; figures and predictions stay in real units",
    )  # fmt: skip
    url: str = param(
        default="", advanced=True, help="Where the file can be fetched when it is missing; you are asked before"
    )
    checksum: str = param(default="", advanced=True, help="SHA-256 of the file behind the address")


@dataset("npz", title="Arrays (.npz)", was=("arrays",), search=("numpy", "tensors"))
class Arrays(FromFile):
    """NumPy arrays in one .npz file: x and y, or x_train, y_train and the same for val and test."""

    reader: ClassVar[str] = "engine.datasets.arrays"

    kind: str = param(
        default="auto", choices=("auto", "image", "vector", "sequence", "tokens"),
        help="What a sample is; auto: by its axes (1 vector, 2 sequence, 3 image); bytes of two axes are images, whole "
        "numbers of one axis tokens",
    )  # fmt: skip
    channels: str = param(
        default="auto", choices=("auto", "first", "last", "none"), shown_if=("kind", ("auto", "image")),
        help="Which axis of an image holds the colours; auto: the one of 1, 3 or 4",
    )  # fmt: skip
    top: float = param(
        default=0.0, min=0.0, max=1e9, advanced=True,
        help="Largest value of the raw scale, which preprocessing divides by; 0: 255 for bytes, nothing for others",
    )  # fmt: skip
    task: str = param(
        default="auto", choices=("auto", "classification", "regression"),
        help="auto: whole numbers are classes, others values",
    )  # fmt: skip
    standardize_target: bool = param(
        default=True, advanced=True,
        help="Train towards values with mean 0 and deviation 1; figures and predictions stay in real units",
    )  # fmt: skip
