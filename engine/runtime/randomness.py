"""Who may draw random numbers: one lock for the default generators, and their state as plain data.

While a run pulls a step the default generators belong to it. Any other job that draws (dropout in a prediction, a
preview of augmentation) works inside `guarded()`: the lock keeps it out of a step, and the generators are put back
afterwards, so that training beside it is bit-identical to training alone. Never seeds on its own.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


class Turnstile:
    """A lock that is handed over: who lets go and comes back at once waits behind whoever came meanwhile.

    A training takes and leaves it a thousand times a second; with an ordinary lock others would hardly ever get in.
    """

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._gate:
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


GENERATORS = Turnstile()
"""Held by `session` while it pulls one step, by `guarded()` and by `Apart`."""


@contextmanager
def guarded(seed: int | None = None) -> Iterator[None]:
    """For jobs beside a training that draw random numbers: their draws leave no trace. `seed` makes them repeatable."""
    with GENERATORS:
        before = capture()
        try:
            if seed is not None:
                seed_all(seed)
            yield
        finally:
            restore(before)


def seed_all(seed: int) -> None:
    """Seeds torch (every device), Python and numpy alike."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def capture() -> dict[str, Any]:
    """The state of every default generator, as tensors, numbers, strings and lists only."""
    version, numbers, gauss = random.getstate()
    legacy: Any = np.random.get_state(legacy=False)
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "python": [version, list(numbers), gauss],
        # numpy's own form does not load without unpickling, so its parts are written one by one.
        "numpy": {
            "key": legacy["state"]["key"].tolist(), "pos": int(legacy["state"]["pos"]),
            "has_gauss": int(legacy["has_gauss"]), "gauss": float(legacy["gauss"]),
        },
    }  # fmt: skip
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        state["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


def restore(state: Mapping[str, Any]) -> None:
    """Puts every generator back where `capture` found it; devices that this machine lacks are passed over."""
    torch.set_rng_state(state["torch"])
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    saved = state["numpy"]
    np.random.set_state(
        {
            "bit_generator": "MT19937",
            "state": {"key": np.array(saved["key"], dtype=np.uint32), "pos": saved["pos"]},
            "has_gauss": saved["has_gauss"],
            "gauss": saved["gauss"],
        }
    )
    if "cuda" in state and torch.cuda.is_available():
        for index, one in enumerate(state["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(one, index)
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])


class Apart:
    """Generators of one's own for a long job that draws, step by step: `with own:` around each step.

    Inside, the default generators stand where the step before left them; outside they are as if nothing had been. A
    training beside it gets its turn between two steps.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._own: dict[str, Any] | None = None
        self._others: dict[str, Any] = {}

    def __enter__(self) -> None:
        GENERATORS.__enter__()
        try:
            self._others = capture()
            if self._own is None:
                seed_all(self._seed)
            else:
                restore(self._own)
        except BaseException:
            GENERATORS.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            self._own = capture()
            restore(self._others)
        finally:
            GENERATORS.__exit__()
