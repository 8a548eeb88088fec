"""What the training loop receives, and what gives it: the shape shared by resident and streamed samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor


class Batch(NamedTuple):
    """One batch on the device. `inputs` and `targets` stand in the order that was asked for at opening."""

    inputs: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]
    """class: int64 (N,); yes or no: float32 (N, 1); values: float32 (N, size); mixed classes: float32 (N, classes)."""
    size: int


class Loader(Protocol):
    """Samples of the three splits, prepared for the model, by stream in the order that was asked for."""

    def train(self, sizes: list[int], *, epoch: int, seed: int, skip: int) -> Iterator[Batch]:
        """Batches of these sizes in the order of the epoch, augmented; the first `skip` are left out."""
        ...

    def evaluate(self, split: str, batch_size: int) -> Iterator[Batch]:
        """All samples of a split in their own order, never augmented."""
        ...

    def some(self, split: str, places: Sequence[int]) -> Batch:
        """These samples of a split as one batch, never augmented."""
        ...

    def close(self) -> None:
        """Ends worker processes, if there are any."""
        ...
