"""The order of samples and every other random choice about data, derived from (seed, epoch, index) alone.

So batches are the same with any number of workers and after resuming in the middle of an epoch, and a run's default
generators are never drawn from.
"""

from __future__ import annotations

from hashlib import blake2b

import torch
from torch import Tensor


def seed_of(*parts: int | str) -> int:
    """A 63-bit seed from whole numbers and words; different parts give unrelated seeds."""
    digest = blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator_of(*parts: int | str) -> torch.Generator:
    """A generator of its own, seeded from `parts`."""
    return torch.Generator().manual_seed(seed_of(*parts))


def epoch_order(num_samples: int, *, seed: int, epoch: int) -> Tensor:
    """The places of all samples in the order of that epoch, (num_samples,) int64 on the CPU, whatever the device."""
    return torch.randperm(num_samples, generator=generator_of("order", seed, epoch))


class Balanced:
    """Draws with replacement in which each class that occurs is equally likely, and each sample within its class.

    The same as weighing every sample by one over the size of its class, without that sampler's limit on the number
    of samples.
    """

    def __init__(self, classes: Tensor) -> None:
        self._places = torch.argsort(classes, stable=True)
        sizes = torch.bincount(classes)
        self._sizes = sizes[sizes > 0]
        self._starts = self._sizes.cumsum(0) - self._sizes

    def order(self, num_samples: int, *, seed: int, epoch: int) -> Tensor:
        """The places drawn for that epoch, (num_samples,) int64 on the CPU, whatever the device."""
        random = generator_of("balanced", seed, epoch)
        chosen = torch.randint(len(self._sizes), (num_samples,), generator=random)
        share = torch.rand(num_samples, generator=random, dtype=torch.float64)
        within = (share * self._sizes[chosen]).to(torch.int64)
        return self._places[self._starts[chosen] + within]


def batch_sizes(num_samples: int, batch_size: int, *, merge_single: bool = False) -> list[int]:
    """Sizes of the batches of an epoch; the partial last one is kept.

    With `merge_single` a last batch of one sample joins the batch before it: batch normalisation has nothing to
    normalise over in a single sample.
    """
    full, rest = divmod(num_samples, batch_size)
    sizes = [batch_size] * full
    if rest == 1 and merge_single and full:
        sizes[-1] += 1
    elif rest:
        sizes.append(rest)
    return sizes
