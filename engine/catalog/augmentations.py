"""Random changes of training samples, as recorded torchvision transforms.

`build(x)` yields the transform of one sample. `batched` names the form in `engine.runtime.data.batched` that changes a
whole batch at once, each sample differently; `mixing` the form that blends the samples of a finished batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from engine.declare import augment
from engine.param import param
from engine.tensor import TensorInfo

if TYPE_CHECKING:
    from torchvision.transforms import v2
else:
    from engine.expr import v2


class Augmentation:
    """Base of the declared augmentations."""

    batched: ClassVar[str] = ""
    mixing: ClassVar[str] = ""


@augment("horizontal_flip", title="Horizontal flip", was=("flip",), search=("mirror", "RandomHorizontalFlip"))
class HorizontalFlip(Augmentation):
    """Mirrors images left to right. Not for digits or text, whose mirror image means something else."""

    batched: ClassVar[str] = "horizontal_flip"

    p: float = param(default=0.5, min=0.0, max=1.0, label="Chance", help="How often an image is mirrored")

    def build(self, x: TensorInfo) -> v2.Transform:
        return v2.RandomHorizontalFlip(self.p)


@augment("random_crop", title="Random crop", was=("crop",), search=("pad", "RandomCrop"))
class RandomCrop(Augmentation):
    """Adds a black border and cuts out a piece of the old size, so that the content moves about."""

    batched: ClassVar[str] = "random_crop"

    padding: int = param(default=4, min=1, max=512, unit="px", help="Width of the border")

    def build(self, x: TensorInfo) -> v2.Transform:
        return v2.RandomCrop((x.spatial[0], x.spatial[1]), padding=self.padding)


@augment("shift", title="Shift", search=("translate", "RandomAffine"))
class Shift(Augmentation):
    """Moves images by whole pixels; what comes in from outside is black."""

    batched: ClassVar[str] = "shift"

    amount: float = param(
        default=0.1, min=0.0, max=1.0, unit="part", help="Largest move in each direction, as a part of the side"
    )

    def build(self, x: TensorInfo) -> v2.Transform:
        return v2.RandomAffine(0, translate=(self.amount, self.amount))


@augment("brightness_contrast", title="Brightness and contrast", search=("light", "ColorJitter"))
class BrightnessContrast(Augmentation):
    """Makes images lighter or darker, flatter or harder, in random order."""

    batched: ClassVar[str] = "brightness_contrast"

    brightness: float = param(default=0.2, min=0.0, max=10.0, help="The factor lies between 1 - this and 1 + this")
    contrast: float = param(default=0.2, min=0.0, max=10.0, help="The factor lies between 1 - this and 1 + this")

    def build(self, x: TensorInfo) -> v2.Transform:
        return v2.ColorJitter(brightness=self.brightness, contrast=self.contrast)


@augment("rotation", title="Rotation", was=("rotate",), search=("turn", "RandomRotation"))
class Rotation(Augmentation):
    """Turns images about their middle; the corners that come in are black."""

    degrees: float = param(default=10.0, min=0.0, max=180.0, unit="°", help="Largest turn in either direction")

    def build(self, x: TensorInfo) -> v2.Transform:
        return v2.RandomRotation(self.degrees, interpolation=2)


@augment("color_jitter", title="Colour jitter", search=("hue", "saturation", "ColorJitter"))
class ColorJitter(Augmentation):
    """Changes brightness, contrast, saturation and hue a little, in random order."""

    brightness: float = param(default=0.2, min=0.0, max=10.0, help="The factor lies between 1 - this and 1 + this")
    contrast: float = param(default=0.2, min=0.0, max=10.0, help="The factor lies between 1 - this and 1 + this")
    saturation: float = param(default=0.2, min=0.0, max=10.0, help="The factor lies between 1 - this and 1 + this")
    hue: float = param(default=0.02, min=0.0, max=0.5, help="Part of the colour circle to either side")

    def build(self, x: TensorInfo) -> v2.Transform:
        return v2.ColorJitter(self.brightness, self.contrast, self.saturation, self.hue)


@augment("rand_augment", title="RandAugment", search=("automatic", "policy"))
class RandAugment(Augmentation):
    """Applies a few changes drawn from fourteen (Cubuk et al. 2019, arXiv:1909.13719)."""

    operations: int = param(default=2, min=1, max=14, was=("num_ops",), help="How many changes each image gets")
    magnitude: int = param(default=9, min=0, max=30, help="How strong they are")

    def build(self, x: TensorInfo) -> v2.Transform:
        return v2.RandAugment(self.operations, self.magnitude)


@augment("mixup", title="MixUp", search=("blend",))
class MixUp(Augmentation):
    """Blends each sample with another of the batch, answers too (Zhang et al. 2017, arXiv:1710.09412)."""

    mixing: ClassVar[str] = "mixup"

    alpha: float = param(default=0.2, min=0.001, max=100.0, help="Blend drawn from Beta(alpha, alpha); 1 is even")

    def build(self, x: TensorInfo) -> v2.Transform:
        return v2.MixUp(alpha=self.alpha)


@augment("cutmix", title="CutMix", search=("patch",))
class CutMix(Augmentation):
    """Pastes a rectangle of another sample into each image, answers by area (Yun et al. 2019, arXiv:1905.04899)."""

    mixing: ClassVar[str] = "cutmix"

    alpha: float = param(default=1.0, min=0.001, max=100.0, help="Kept area drawn from Beta(alpha, alpha); 1 is even")

    def build(self, x: TensorInfo) -> v2.Transform:
        return v2.CutMix(alpha=self.alpha)
