"""The recipe's augmentations, made ready: batched forms, torchvision transforms per sample, blends of finished batches.

Every random number comes from (seed, epoch, index) or (seed, epoch, step). Never touches validation samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.datafacts import CLASS
from engine.datasets.raw import IMAGE, TOKENS, Raw
from engine.problem import ProblemError, Where, error
from engine.recipe import Recipe
from engine.runtime.data.batched import BATCHED
from engine.runtime.data.batches import Batch
from engine.runtime.data.mixing import as_probabilities, generator_for, mix
from engine.runtime.data.order import generator_of, seed_of
from engine.runtime.data.targets import Wanted
from engine.tensor import TensorInfo


@dataclass(frozen=True)
class Augmenter:
    """Applies one recipe's augmentations to one data set."""

    steps: tuple[Any, ...] = ()
    """Made augmentations of single samples, in order."""
    blends: tuple[Any, ...] = ()
    """Made augmentations of finished batches; one is drawn per batch where there are several."""
    info: TensorInfo | None = None
    """Shape of the images that are augmented."""
    top: float = 0.0
    images: tuple[bool, ...] = ()
    """Per input stream of the batches: whether it is an image."""
    classes: tuple[int, ...] = ()
    """Per target stream the number of classes, 0 where answers are floats already."""

    @staticmethod
    def of(recipe: Recipe, inputs: Mapping[str, TensorInfo], raw: Raw, targets: Sequence[Wanted] = ()) -> Augmenter:
        """The recipe's augmentations for these input streams (shapes after preprocessing) and targets."""
        made = _made(recipe)
        kinds = [raw.streams[name].kind for name in inputs]
        image = next((name for name in inputs if raw.streams[name].kind == IMAGE), "")
        for item in made:
            _check(item, image, kinds)
        found = Augmenter(
            tuple(item for item in made if not item.mixing),
            tuple(item for item in made if item.mixing),
            inputs.get(image),
            raw.streams[image].top if image else 0.0,
            tuple(kind == IMAGE for kind in kinds),
            tuple(len(item.target.classes) if item.target.kind == CLASS else 0 for item in targets),
        )
        if found.steps:
            found.transforms()
        return found

    @property
    def mixes(self) -> bool:
        """Finished batches are blended."""
        return bool(self.blends)

    def texts(self) -> tuple[str, ...]:
        """The transforms of one sample as source text."""
        assert self.info is not None or not self.steps
        return tuple(item.build(self.info).text for item in self.steps)

    def transforms(self) -> list[Any]:
        """torchvision's transforms of one sample, in order; ProblemError where one refuses the images."""
        return [compiled(text) for text in self.texts()]

    def draws(self, num_samples: int, *, seed: int, epoch: int) -> list[Tensor | None]:
        """Per step the uniform draws of all samples of an epoch, (num_samples, k); None where it draws itself."""
        return [
            torch.rand(num_samples, BATCHED[item.batched].num_draws, generator=generator_of(number, seed, epoch))
            if item.batched
            else None
            for number, item in enumerate(self.steps)
        ]

    def apply(self, images: Tensor, *, index: Tensor, draws: Sequence[Tensor | None], seed: int, epoch: int) -> Tensor:
        """Images (N, C, H, W) on the raw scale, each changed by the draws of its place in `index`."""
        for number, (item, table) in enumerate(zip(self.steps, draws, strict=True)):
            if table is not None:
                chosen = table.index_select(0, index).to(images.device)
                images = BATCHED[item.batched].change(images, item, chosen, self.top)
            else:
                seeds = [seed_of(number, seed, epoch, place) for place in index.tolist()]
                images = self._one_by_one(images, compiled(item.build(self.info).text), seeds)
        return images

    def mix(self, batch: Batch, *, seed: int, epoch: int, step: int) -> Batch:
        """A finished batch blended; class numbers become probabilities (N, classes)."""
        random = generator_for(seed=seed, epoch=epoch, step=step)
        settings = self.blends[int(random.integers(len(self.blends)))]
        floats = batch._replace(targets=as_probabilities(batch.targets, self.classes))
        return mix(floats, settings, random, images=self.images)

    def _one_by_one(self, images: Tensor, transform: Any, seeds: Sequence[int]) -> Tensor:
        with own_generator() as generator:
            changed = []
            for image, seed in zip(images, seeds, strict=True):
                generator.manual_seed(seed)
                changed.append(on_unit_scale(transform, image, self.top))
        return torch.stack(changed)


@contextmanager
def own_generator() -> Iterator[torch.Generator]:
    """The default generator, to be seeded and drawn from at will, as torchvision does; put back afterwards."""
    generator = torch.default_generator
    before = generator.get_state()
    try:
        yield generator
    finally:
        generator.set_state(before)


def on_unit_scale(transform: Any, image: Tensor, top: float) -> Tensor:
    """A transform of one image (C, H, W) on its raw scale; torchvision knows 0-255 bytes and 0-1 floats only."""
    if image.dtype == torch.uint8 and top != 255 and top:
        changed: Tensor = transform(image.to(torch.float32) / top)
        return (changed * top).round().to(torch.uint8)
    result: Tensor = transform(image)
    return result


def compiled(text: str) -> Any:
    """The transform of recorded source text; the recorder lets only plain values and torchvision's names through."""
    from torchvision.transforms import v2

    return eval(text, {"__builtins__": {}, "v2": v2})


def _made(recipe: Recipe) -> list[Any]:
    try:
        return recipe.listed("augment")
    except ValueError as fault:
        where = Where(label="augmentation", path="recipe.augment")
        raise ProblemError(error(where, str(fault), "Known augmentations", "Mend recipe.augment")) from None


def _check(item: Any, image: str, kinds: Sequence[str]) -> None:
    words = type(item).__name__
    if item.mixing == "mixup":
        fits, expected = TOKENS not in kinds, "Numbers, which can be blended"
    else:
        fits, expected = bool(image), "Images, channels×height×width"
    if not fits:
        raise ProblemError(
            error(
                Where(label="augmentation", path="recipe.augment"),
                f"{words} cannot be applied to this data, which gives {', '.join(sorted(set(kinds)))}.",
                expected,
                f"Remove {words} from recipe.augment, or choose other data",
                code="data-augment",
            )
        )
