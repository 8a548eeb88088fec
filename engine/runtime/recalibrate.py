"""Batch norm's running statistics measured anew over the whole training set, once training is over.

While training they are moving averages of batches that other weights saw. Here the weights stay, the training set goes
through once as it is (no augmentation, no dropout), and each norm takes mean and unbiased variance over all numbers
that reached it (biased where the norm keeps that), in double precision (Wu and Johnson 2021, "Rethinking Batch in
BatchNorm": precise statistics). Norms before it normalise by their batch meanwhile, as in training. Never changes a
weight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.places import Places
from engine.problem import ProblemError, Where, error
from engine.runfiles import CHECKPOINTS, read_info
from engine.runtime import checkpoint as checkpoints
from engine.runtime.device import choose_device, set_threads
from engine.runtime.metrics import metrics_of
from engine.runtime.restore import load_run
from engine.runtime.scoring import Cancelled, Splits, evaluate
from engine.runtime.setup import make_heads, open_for

NAME = "recalibrated"
"""The checkpoint that a recalibration writes."""
BATCH = 512


def norms_of(model: nn.Module) -> dict[str, nn.modules.batchnorm._BatchNorm]:
    """The batch norms of a model that keep running statistics, by path."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None
    }


def recalibrate(model: nn.Module, data: Splits, *, cancelled: Callable[[], bool] = lambda: False) -> int:
    """Sets the running statistics of every batch norm; the number of norms. `Cancelled` leaves them as they were."""
    norms = norms_of(model)
    measured = {name: _Measure() for name in norms}
    modes = [(module, module.training) for module in model.modules()]
    before = {name: _copied(module) for name, module in norms.items()}
    try:
        model.eval()
        with ExitStack() as hooks, torch.inference_mode():
            for name, module in norms.items():
                module.training = True
                hooks.enter_context(_watched(module, measured[name]))
            for batch in data.eval_batches("train", BATCH):
                if cancelled():
                    raise Cancelled
                if batch.size > 1:  # one sample alone has no variance to normalise by
                    model(*batch.inputs)
    except BaseException:
        for name, module in norms.items():
            _put(module, *before[name])
        raise
    finally:
        for module_, mode in modes:
            module_.training = mode
    for name, module in norms.items():
        _put(module, *measured[name].found(biased=bool(getattr(module, "biased", False))), before[name][2])
    return len(norms)


def recalibrate_run(
    run: Path, *, places: Places, checkpoint: str = "", device: str | None = None, threads: int | None = None,
    cancelled: Callable[[], bool] = lambda: False, **opening: Any,
) -> dict[str, Any]:  # fmt: skip
    """Recalibrates a run's weights and saves them as the checkpoint `recalibrated`; figures on validation data.

    Keys: run, checkpoint (which it began from), saved, norms, before, after; the last two are figures of `evaluate`, or
    None without validation data. ProblemError when the network has no batch norm.
    """
    restored = load_run(run, checkpoint)
    if not norms_of(restored.model):
        raise ProblemError(
            error(Where(label=restored.info.name), "The network has no batch norm with running statistics",
                  "At least one batch norm layer", "There is nothing to recalibrate", code="no-batch-norm")
        )  # fmt: skip
    chosen = choose_device(device or "auto")
    set_threads(threads)
    model = restored.model.to(chosen)
    with open_for(restored.project, places, device=chosen, **opening) as data:
        heads, metrics = make_heads(restored.project, data, chosen), metrics_of(restored.project.recipe)
        figures: list[dict[str, Any] | None] = []
        count = 0
        for place in range(2):
            if place:
                count = recalibrate(model, data, cancelled=cancelled)
            has_val = bool(data.facts.counts.get("val"))
            found = evaluate(model, data, "val", heads=heads, metrics=metrics, tables=False) if has_val else None
            figures.append(found.to_json() if found else None)
    folder = run / CHECKPOINTS
    saved = checkpoints.load(folder, restored.checkpoint)
    assert saved is not None, "it was loaded a moment ago"
    weights = checkpoints.weights_of(model)
    training = {key: value for key, value in saved.training.items() if key != "average"}
    try:
        checkpoints.save(folder, replace(saved, kind=NAME, weights=weights, training=training))
    except OSError as fault:
        raise ProblemError(checkpoints.disk_problem(folder, fault)) from None
    return {
        "run": str(run), "name": read_info(run).name, "checkpoint": restored.checkpoint, "saved": NAME, "norms": count,
        "before": figures[0], "after": figures[1],
    }  # fmt: skip


class _Measure:
    """Sums over everything that reaches one norm, per channel, in double precision."""

    def __init__(self) -> None:
        self._count = 0
        self._sum: Tensor | None = None
        self._squares: Tensor | None = None

    def add(self, x: Tensor) -> None:
        """Takes in a batch, (N, C, ...)."""
        rows = x.detach().movedim(1, -1).reshape(-1, x.shape[1]).double()
        self._count += len(rows)
        total, squares = rows.sum(0), rows.square().sum(0)
        self._sum = total if self._sum is None else self._sum + total
        self._squares = squares if self._squares is None else self._squares + squares

    def found(self, *, biased: bool = False) -> tuple[Tensor, Tensor]:
        """Mean and variance per channel."""
        assert self._sum is not None
        assert self._squares is not None
        mean = self._sum / self._count
        spread = (self._squares / self._count - mean.square()).clamp(min=0)
        return mean, spread if biased else spread * (self._count / max(1, self._count - 1))


@contextmanager
def _watched(module: nn.Module, measure: _Measure) -> Iterator[None]:
    arranged = getattr(module, "arranged", lambda x: x)  # where the statistics are not those of axis 1
    handle = module.register_forward_pre_hook(lambda _module, inputs: measure.add(arranged(inputs[0])))
    try:
        yield
    finally:
        handle.remove()


def _copied(module: nn.modules.batchnorm._BatchNorm) -> tuple[Tensor, Tensor, Tensor]:
    assert module.running_mean is not None
    assert module.running_var is not None
    assert module.num_batches_tracked is not None
    return module.running_mean.clone(), module.running_var.clone(), module.num_batches_tracked.clone()


def _put(module: nn.modules.batchnorm._BatchNorm, mean: Tensor, variance: Tensor, batches: Tensor) -> None:
    assert module.running_mean is not None
    assert module.running_var is not None
    assert module.num_batches_tracked is not None
    module.running_mean.copy_(mean)
    module.running_var.copy_(variance)
    module.num_batches_tracked.copy_(batches)
