"""torchvision's image sets: what they hold is stated here, so that a project checks before anything is fetched."""

from __future__ import annotations

from typing import ClassVar

from engine.datafacts import Target
from engine.datasets import labels
from engine.datasets.base import Dataset
from engine.datasets.raw import IMAGE, TEST, TRAIN, Described, StreamInfo
from engine.datasets.strokes import MNIST as MNIST_STROKES
from engine.datasets.strokes import Strokes
from engine.declare import dataset
from engine.param import param
from engine.problem import ProblemError, Where, error


class TorchvisionSet(Dataset):
    """Base of the sets that torchvision knows."""

    reader: ClassVar[str] = "engine.runtime.data.torchvision_sets"
    torchvision: ClassVar[str]
    """Name of torchvision's class."""
    layout: ClassVar[str] = "idx"
    """How its files are laid out: idx, cifar or svhn."""
    megabytes: ClassVar[float]
    """What is fetched, in millions of bytes."""
    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    classes: ClassVar[tuple[str, ...]] = labels.DIGITS
    sizes: ClassVar[tuple[int, int]] = (60_000, 10_000)
    """Training and test samples."""
    transposed: ClassVar[bool] = False

    path: str = param(
        default="", kind="path", advanced=True,
        help="A folder that holds the set as torchvision lays it out; empty: the folder given with --data, the "
        "project's folder, then the data folder of the settings",
    )  # fmt: skip

    only: str = param(
        default="", advanced=True,
        help="Only these classes, by name, separated by commas and numbered in this order; empty: all of them",
    )  # fmt: skip

    def first_label(self) -> int:
        """The number that the files give to the first class."""
        return 0

    def chosen(self) -> tuple[str, ...]:
        """The classes that are kept, in their new order; empty for all."""
        return tuple(name.strip() for name in self.only.split(",") if name.strip())

    def refuse_strange(self) -> None:
        """ProblemError when a class is chosen that the set does not have, or fewer than two are."""
        chosen, known = self.chosen(), self.class_names()
        strange = [name for name in chosen if name not in known]
        if not chosen or (not strange and len(set(chosen)) == len(chosen) > 1):
            return
        happened = (
            f"The set has no class {strange[0]!r}" if strange else
            "One class alone leaves nothing to tell apart" if len(chosen) == 1 else "A class is named twice"
        )  # fmt: skip
        raise ProblemError(
            error(Where(label="data", path="recipe.data.only"), happened, f"Two or more of {', '.join(known)}",
                  "Correct recipe.data.only, or leave it empty", code="data-classes")
        )  # fmt: skip

    def file_prefix(self, split: str) -> str:
        """How the names of a split's IDX files begin."""
        return "train" if split == TRAIN else "t10k"

    def class_names(self) -> tuple[str, ...]:
        """The classes in order of their numbers."""
        return self.classes

    def num_samples(self) -> tuple[int, int]:
        """Training and test samples."""
        return self.sizes

    def describe(self) -> Described | None:
        # How many samples a choice of classes leaves is known only when they are read.
        return None if self.chosen() else self.described()

    def described(self) -> Described:
        """Streams, targets and sizes of the whole set; of a choice of classes without its sizes."""
        self.refuse_strange()
        train, test = self.num_samples()
        classes = self.chosen() or self.class_names()
        stream = StreamInfo(IMAGE, self.shape, 255.0)
        return Described({"x": stream}, {"y": Target(classes=classes)}, {TRAIN: train, TEST: test})


@dataset("mnist", title="MNIST", search=("digits", "handwritten"))
class MNIST(TorchvisionSet):
    """70,000 handwritten digits, 28×28 grey."""

    torchvision: ClassVar[str] = "MNIST"
    strokes: ClassVar[Strokes | None] = MNIST_STROKES
    megabytes: ClassVar[float] = 11.6


@dataset("fashion_mnist", title="Fashion-MNIST", was=("FashionMNIST",), search=("clothes", "zalando"))
class FashionMNIST(TorchvisionSet):
    """70,000 pictures of clothes in ten classes, 28×28 grey: as easy to handle as MNIST, harder to get right."""

    torchvision: ClassVar[str] = "FashionMNIST"
    megabytes: ClassVar[float] = 30.9
    classes: ClassVar[tuple[str, ...]] = labels.FASHION


@dataset("kmnist", title="Kuzushiji-MNIST", was=("KMNIST",), search=("japanese", "handwritten"))
class KMNIST(TorchvisionSet):
    """70,000 cursive Japanese characters in ten classes, 28×28 grey."""

    torchvision: ClassVar[str] = "KMNIST"
    megabytes: ClassVar[float] = 20.9
    classes: ClassVar[tuple[str, ...]] = labels.KUZUSHIJI


@dataset("emnist", title="EMNIST", search=("letters", "handwritten"))
class EMNIST(TorchvisionSet):
    """Handwritten letters and digits, 28×28 grey, divided in six ways, here turned upright."""

    torchvision: ClassVar[str] = "EMNIST"
    strokes: ClassVar[Strokes | None] = MNIST_STROKES
    megabytes: ClassVar[float] = 561.8
    transposed: ClassVar[bool] = True

    part: str = param(
        default="balanced", choices=("byclass", "bymerge", "balanced", "letters", "digits", "mnist"),
        help="Which characters: all 62 apart, 47 with look-alikes merged, the same balanced, 26 letters, digits, or "
        "digits as in MNIST",
    )  # fmt: skip

    _SIZES: ClassVar[dict[str, tuple[int, int]]] = {
        "byclass": (697_932, 116_323), "bymerge": (697_932, 116_323), "balanced": (112_800, 18_800),
        "letters": (124_800, 20_800), "digits": (240_000, 40_000), "mnist": (60_000, 10_000),
    }  # fmt: skip

    def first_label(self) -> int:
        # Only the letters count from 1, a leftover of "not applicable".
        return 1 if self.part == "letters" else 0

    def file_prefix(self, split: str) -> str:
        return f"emnist-{self.part}-{split}"

    def class_names(self) -> tuple[str, ...]:
        return labels.EMNIST[self.part]

    def num_samples(self) -> tuple[int, int]:
        return self._SIZES[self.part]


@dataset("cifar10", title="CIFAR-10", was=("CIFAR10",), search=("photographs", "objects"))
class CIFAR10(TorchvisionSet):
    """60,000 small colour photographs in ten classes, 32×32."""

    torchvision: ClassVar[str] = "CIFAR10"
    layout: ClassVar[str] = "cifar"
    megabytes: ClassVar[float] = 170.5
    shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    classes: ClassVar[tuple[str, ...]] = labels.CIFAR10
    sizes: ClassVar[tuple[int, int]] = (50_000, 10_000)


@dataset("cifar100", title="CIFAR-100", was=("CIFAR100",), search=("photographs", "objects"))
class CIFAR100(TorchvisionSet):
    """60,000 small colour photographs in a hundred classes, 32×32."""

    torchvision: ClassVar[str] = "CIFAR100"
    layout: ClassVar[str] = "cifar"
    megabytes: ClassVar[float] = 169.0
    shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    classes: ClassVar[tuple[str, ...]] = labels.CIFAR100
    sizes: ClassVar[tuple[int, int]] = (50_000, 10_000)


@dataset("svhn", title="SVHN", was=("SVHN",), search=("house numbers", "street view"))
class SVHN(TorchvisionSet):
    """99,289 colour photographs of digits from house numbers, 32×32."""

    torchvision: ClassVar[str] = "SVHN"
    layout: ClassVar[str] = "svhn"
    megabytes: ClassVar[float] = 246.3
    shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    sizes: ClassVar[tuple[int, int]] = (73_257, 26_032)
