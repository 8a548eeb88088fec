"""A trained run made smaller: done, saved, read back, and measured before and after on the same samples.

Zeros and pruning keep the network and become a checkpoint of the run; folding, halves and 8 bits change what is
computed and become a file of their own. Everything is computed on the CPU, where small networks are meant to run.
"""

from __future__ import annotations

import os
import tempfile
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from engine.compression import CHECKPOINT, SUFFIXES, Way
from engine.known import with_facts
from engine.places import Places
from engine.problem import Problem, ProblemError, Where, error
from engine.runfiles import CHECKPOINTS
from engine.runtime import checkpoint as checkpoints
from engine.runtime.analyze import analyze
from engine.runtime.compress import Halved, apply_masks, fold_norms, prune_smallest, sparsity, zero_small
from engine.runtime.control import Control
from engine.runtime.data import Data
from engine.runtime.device import set_threads
from engine.runtime.fit import fit
from engine.runtime.metrics import metrics_of
from engine.runtime.onnx8 import Int8
from engine.runtime.onnx_file import write_onnx
from engine.runtime.reparametrized import baked, reparametrized
from engine.runtime.restore import Restored, load_run
from engine.runtime.scoring import Cancelled, evaluate
from engine.runtime.setup import Ready, make_heads, make_training, open_for

ROUNDS = 15
CPU = torch.device("cpu")


def compress_run(
    run: Path, way: Way, *, places: Places, path: Path | None = None, checkpoint: str = "", split: str = "val",
    threads: int | None = None, cancelled: Callable[[], bool] = lambda: False, **opening: Any,
) -> dict[str, Any]:  # fmt: skip
    """Does it and tells, as plain data: run, way, checkpoint (which it began from), saved (checkpoint or file),
    `before` and `after` (figures of the split; bytes of the weights or file, bytes after deflate, milliseconds per
    batch), layers (weights and zeros of each), folded (paths), latency_ratio (after / before).

    `path` is where a file goes. What is measured after was read back from disk. ProblemError when it cannot be done.
    """
    restored = load_run(run, checkpoint)
    set_threads(threads)
    with open_for(restored.project, places, device=CPU, **opening) as data:
        if not data.facts.counts.get(split):
            raise ProblemError(error(Where(label=run.name), f"The data has no {split} samples to measure with",
                                     "A split with samples", "Choose another split", code="no-split"))  # fmt: skip
        heads, metrics = make_heads(restored.project, data, CPU), metrics_of(restored.project.recipe)
        inputs = next(iter(data.eval_batches(split))).inputs

        def measured(model: nn.Module, size: tuple[int, int]) -> dict[str, Any]:
            found = evaluate(model, data, split, heads=heads, metrics=metrics, tables=False, cancelled=cancelled)
            return {**found.to_json(), "bytes": size[0], "deflated": size[1], "milliseconds": _latency(model, inputs)}

        before = measured(restored.model, _weight_size(restored.model))
        folded: list[str] = []
        if way.kind in CHECKPOINT:
            saved = _thinned(run, restored, way, data, cancelled)
            small: nn.Module = load_run(run, saved).model
            size = _weight_size(small)
        else:
            target = path or Path(run.name + SUFFIXES[way.kind])
            folded, small = _written(restored, way.kind, inputs, target)
            saved, size = str(target), _size(target.read_bytes())
        after = measured(small, size)
    return {
        "run": str(run), "name": restored.info.name, "way": way.kind, "amount": way.amount, "retrained": way.retrain,
        "checkpoint": restored.checkpoint, "saved": saved, "before": before, "after": after,
        "layers": sparsity(small) if way.kind in CHECKPOINT else {}, "folded": folded,
        "latency_ratio": after["milliseconds"] / before["milliseconds"],
    }  # fmt: skip


def _thinned(run: Path, restored: Restored, way: Way, data: Data, cancelled: Callable[[], bool]) -> str:
    """Zeros in a copy of the weights, saved as a checkpoint; its name."""
    if computed := list(reparametrized(restored.model)):
        raise ProblemError(_computed(restored.info.name, computed))
    name, folder = CHECKPOINT[way.kind], run / CHECKPOINTS
    model = load_run(run, restored.checkpoint).model
    masks = zero_small(model, way.amount) if way.kind == "zero" else prune_smallest(model, way.amount, each=way.each)
    if way.retrain:
        _retrain(restored, model, masks, way.retrain, data, cancelled)
    saved = checkpoints.load(folder, restored.checkpoint)
    assert saved is not None, "it was loaded a moment ago"
    training = {key: value for key, value in saved.training.items() if key != "average"}
    try:
        checkpoints.save(
            folder, replace(saved, kind=name, weights=checkpoints.weights_of(model), training=training)
        )  # fmt: skip
    except OSError as fault:
        raise ProblemError(checkpoints.disk_problem(folder, fault)) from None
    return name


def _computed(label: str, paths: Sequence[str]) -> Problem:
    """Zeros among numbers that kernels are computed from would change the other weights, or divide by nothing."""
    names = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    return error(
        Where(label=label),
        f"The weights of {names} are computed by weight norm or spectral norm: none can be left out",
        "Layers whose weights are what is trained", "Fold batch norm, or use half precision or 8 bits, which bake them "
        "in; or train the network without the reparametrisation", code="compress-reparametrized",
    )  # fmt: skip


def _retrain(
    restored: Restored, model: nn.Module, masks: Mapping[str, Tensor], epochs: int, data: Data,
    cancelled: Callable[[], bool],
) -> None:  # fmt: skip
    """Trains on by the run's recipe, from its first rate, without callbacks; zeros are zero after each step."""
    project = with_facts(restored.project, data.facts)
    ready = Ready(project, analyze(project), data, CPU, torch.get_num_threads())
    training = make_training(ready, model, epochs=epochs, seed=project.recipe.seed)
    for _ in fit(training, Control()):
        apply_masks(model, masks)
        if cancelled():
            raise Cancelled
    apply_masks(model, masks)
    model.eval()


def _written(restored: Restored, kind: str, inputs: Sequence[Tensor], path: Path) -> tuple[list[str], nn.Module]:
    """Writes the file under a name beside its own, reads it back, and only then gives it its name."""
    folded: list[str] = []
    label = restored.info.name
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.absolute().parent) as folder:
            draft = Path(folder) / f"model{SUFFIXES[kind]}"
            model, _ = baked(restored.model)
            if kind == "int8":
                write_onnx(model, inputs, draft, int8=True, where=label)
                Int8(draft)
            else:
                if kind == "half":
                    small: nn.Module = Halved(deepcopy(model))
                    shapes: Any = (tuple({0: torch.export.Dim.AUTO} for _ in inputs),)
                else:
                    small, folded = fold_norms(model, inputs, label)
                    shapes = tuple({0: torch.export.Dim.AUTO} for _ in inputs)
                # The file keeps what it was exported with: it must be neither large nor anybody's data.
                blank = tuple(torch.zeros_like(item[:2]) for item in inputs)
                _save_program(small, blank, shapes, draft, label)
                _compare(small, _Program(draft), inputs, label)
            os.replace(draft, path)
    except OSError as fault:
        raise ProblemError(
            error(Where(label=label, file=str(path)), f"The file cannot be written: {fault.strerror or fault}",
                  "A folder that can be written to, with space left", "Choose another place", code="compress-write")
        ) from None  # fmt: skip
    return folded, Int8(path) if kind == "int8" else _Program(path)


def _save_program(model: nn.Module, inputs: tuple[Tensor, ...], shapes: Any, path: Path, label: str) -> None:
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # recurrent layers list their weights anew, of which the exporter warns
            torch.export.save(torch.export.export(model.eval(), inputs, dynamic_shapes=shapes), path)
    except OSError:
        raise
    except Exception as fault:  # exporters fail in as many ways as networks can be written
        words = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]
        raise ProblemError(error(Where(label=label), f"The network cannot be written as a program: {words}",
                                 "Layers that torch.export has words for", "Prune it, or use 8 bits",
                                 code="compress-export")) from None  # fmt: skip


class _Program(nn.Module):
    """A file of `torch.export` as a network."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._called = [torch.export.load(path).module()]  # in a list: it has no eval mode to be switched to

    def forward(self, *inputs: Tensor) -> Any:
        """What the network says."""
        return self._called[0](*inputs)


def _compare(model: nn.Module, read: nn.Module, inputs: Sequence[Tensor], label: str) -> None:
    with torch.no_grad():
        pairs = [
            (one,) if isinstance(one, Tensor) else tuple(one) for one in (model(*inputs), read(*inputs))
        ]  # fmt: skip
    if not all(torch.allclose(one, two, rtol=1e-4, atol=1e-5) for one, two in zip(*pairs, strict=True)):
        raise ProblemError(error(Where(label=label), "What was read back answers otherwise than the network",
                                 "The same answers", "Use another way to make it smaller",
                                 code="compress-differs"))  # fmt: skip


def _size(content: bytes) -> tuple[int, int]:
    return len(content), len(zlib.compress(content, 6))


def _weight_size(model: nn.Module) -> tuple[int, int]:
    return _size(safetensors.torch.save(checkpoints.weights_of(model)))


def _latency(model: nn.Module, inputs: Sequence[Tensor]) -> float:
    """Milliseconds for a batch, the median of several; the first is not counted."""
    times = []
    model.eval()
    with torch.inference_mode():
        for _ in range(ROUNDS + 1):
            began = perf_counter()
            model(*inputs)
            times.append((perf_counter() - began) * 1000)
    return median(times[1:])
