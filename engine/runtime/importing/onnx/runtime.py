"""Holds an imported network against onnxruntime, where that is installed: random samples, one and several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.runtime.importing.onnx.file import Network

MOST_BYTES = 2**31
BATCHES = (1, 3)


@dataclass(frozen=True)
class Difference:
    """The largest difference of all answers, and the same as a share of the largest answer."""

    largest: float
    relative: float
    batches: tuple[int, ...]


def compare(
    path: Path, network: Network, samples: Mapping[str, tuple[int, ...]], model: nn.Module,
    activations: Mapping[str, str],
) -> Difference | None:  # fmt: skip
    """How far the answers are apart; None without onnxruntime, or where it cannot run the file."""
    if find_spec("onnxruntime") is None or path.stat().st_size > MOST_BYTES:
        return None
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception:  # an operator it lacks, a kind of numbers it lacks
        return None
    fixed = {entry.shape[0] for entry in network.inputs if entry.shape and entry.shape[0] is not None}
    largest = relative = 0.0
    done = []
    for batch in sorted(fixed) or BATCHES:
        given = {entry.name: _drawn(entry.dtype, (int(batch), *samples[entry.name]), network)
                 for entry in network.inputs}  # fmt: skip
        try:
            expected = session.run(None, given)
        except Exception:  # random samples that it does not take, such as tokens beyond its table
            return None
        found = _answers(model, network, given, activations)
        for one, two in zip(expected, found, strict=True):
            apart = float(np.abs(one.astype(np.float64) - two.astype(np.float64)).max(initial=0))
            largest = max(largest, apart)
            relative = max(relative, apart / max(float(np.abs(one).max(initial=0)), 1e-3))
            if not np.isfinite(apart):
                relative = float("inf") if np.isfinite(one).all() else relative
        done.append(int(batch))
    return Difference(largest, relative, tuple(done))


def _drawn(dtype: str, shape: tuple[int, ...], network: Network) -> np.ndarray[Any, Any]:
    draw = np.random.default_rng(0)
    if dtype.startswith("int"):
        looked_up = [network.numbers.get(op.inputs[0]) for op in network.operations if op.kind == "Gather"]
        tables = [len(table) for table in looked_up if table is not None and table.ndim == 2]
        return draw.integers(0, min(tables, default=2), shape).astype(dtype)
    kind = np.float32 if dtype == "bfloat16" else np.dtype(dtype)
    return draw.standard_normal(shape).astype(kind)


def _answers(
    model: nn.Module, network: Network, given: Mapping[str, Any], activations: Mapping[str, str]
) -> list[np.ndarray[Any, Any]]:  # fmt: skip
    inputs = [
        torch.from_numpy(value.astype(np.int64 if value.dtype.kind == "i" else np.float32)) for value in given.values()
    ]
    with torch.no_grad():
        found = model(*inputs)
    if isinstance(found, Mapping):
        named = list(found.items())
    else:
        items = found if isinstance(found, tuple) else (found,)
        names = getattr(found, "_fields", None) or list(activations) or [""]
        named = list(zip([*names, *[""] * len(items)], items, strict=False))
    acts = {"softmax": lambda x: torch.softmax(x, -1), "sigmoid": torch.sigmoid}
    return [_turned(acts, activations.get(name, ""), value).numpy() for name, value in named]


def _turned(acts: Mapping[str, Any], kind: str, value: Tensor) -> Tensor:
    return acts[kind](value) if kind else value
