"""Several batches that make one optimizer step together.

Owns the grouping only: the last group of an epoch may be smaller. What a group asks of the model stands in `training`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from engine.runtime.objective import Batch


@dataclass(frozen=True, slots=True)
class Gathered:
    """The batches of one optimizer step."""

    parts: tuple[Batch, ...]

    @property
    def size(self) -> int:
        """Samples of all of them."""
        return sum(part.size for part in self.parts)


def gathered(batches: Iterator[Batch], count: int) -> Iterator[Gathered]:
    """Groups of `count` batches in order; the last group may hold fewer."""
    while parts := tuple(islice(batches, count)):
        yield Gathered(parts)
