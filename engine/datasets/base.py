"""The settings that every data set shares, declared once, and what its declaration may say about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from engine.param import param

if TYPE_CHECKING:
    from engine.datasets.raw import Described
    from engine.datasets.strokes import Strokes


class Dataset:
    """Base of the declared data sets: how samples are kept apart for validation."""

    reader: ClassVar[str]
    """Module with `read(settings, request) -> Raw`, imported when the data is opened."""
    own_test: ClassVar[bool] = True
    """The set keeps its own test samples apart."""
    strokes: ClassVar[Strokes | None] = None
    """How its characters stand in their images, where it holds handwriting."""

    validation: float = param(
        default=0.2, min=0.0, max=2**24,
        help="Samples kept for validation: below 1 a part of the training samples, from 1 on their number. "
        "Not used where the set has its own",
    )  # fmt: skip
    split: str = param(
        default="random", choices=("random", "last", "first"),
        help="Which samples are kept: drawn at random, the last or the first of the set",
    )  # fmt: skip
    split_seed: int = param(
        default=0, min=0, max=2**31 - 1, advanced=True, help="Start of the split's own random numbers"
    )
    limit: int = param(
        default=0, min=0, max=2**31 - 1, unit="samples", advanced=True,
        help="Use only so many samples, drawn with the split's seed, for a quick look; 0 uses all",
    )  # fmt: skip

    def describe(self) -> Described | None:
        """What is known without reading; None where it depends on a file."""
        return None


class WithoutTest(Dataset):
    """Base of the sets that keep no test samples of their own."""

    own_test: ClassVar[bool] = False

    test: float = param(
        default=0.0, min=0.0, max=2**24,
        help="Samples kept for a last test, never trained on or chosen by: below 1 a part, from 1 on their number",
    )  # fmt: skip


class FromFile(WithoutTest):
    """Base of the sets that lie in a file or folder of the user's."""

    path: str = param(
        default="", kind="path",
        help="The file or folder; a relative one is looked up in the folder given with --data, beside the project, "
        "then in the data folder of the settings",
    )  # fmt: skip
