"""Declared data sets become batches of tensors: fetching, opening, preprocessing, augmentation, order.

`needs_download` tells what would be fetched, `fetch` does it, `open_data` reads, divides, prepares; `Data` hands out
batches in an order that depends on nothing but seed and epoch. Never trains and never draws from the default
generators of a run.
"""

from __future__ import annotations

from engine.datasets.download import DownloadPlan
from engine.datasets.raw import Cancelled
from engine.runtime.data.batches import Batch
from engine.runtime.data.data import Data
from engine.runtime.data.opening import fetch, needs_download, open_data, read_data, read_facts
from engine.runtime.data.preprocess import Preprocess
from engine.runtime.data.preview import Preview, preview

__all__ = [
    "Batch", "Cancelled", "Data", "DownloadPlan", "Preprocess", "Preview",
    "fetch", "needs_download", "open_data", "preview", "read_data",
    "read_facts",
]  # fmt: skip
