"""What layers give: mean, spread, histogram, dead units and flat slopes of their results, always on the same samples.

Owns the measuring and when it is worth its time. Hooks are put on for one forward pass in evaluation mode and taken
off; nothing is drawn at random and nothing about the model changes. Never keeps a history (the timeline does).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine.analysis import Analysis
from engine.datafacts import DataFacts
from engine.declare import find
from engine.events import BINS
from engine.expand import inside
from engine.graph import Graph

SHARE = 0.01
"""Share of the training time that measuring may take."""
FIRST_GAP = 1.0
"""Seconds from the first measurement to the second at most."""
SAMPLES, LEAST_SAMPLES, NUMBERS = 256, 16, 1 << 21
"""Samples of the measured batch: so many, fewer where they hold more numbers than this, but never below the least."""
DRAWN = 8192
"""Numbers per layer that the histogram and the slopes are made from."""
FLAT = 0.01
"""A slope below this lets through less than a hundredth of the gradient."""

Figures = dict[str, Any]


@dataclass(frozen=True)
class Watched:
    """Instance paths that are measured: layers with weights, and activations that are functions of one number."""

    layers: frozenset[str]
    activations: frozenset[str]
    functions: frozenset[str]
    """Of the activations those whose slope is one number per number."""


def num_samples(facts: DataFacts) -> int:
    """How many samples are measured: fewer where each is large."""
    size = sum(info.size for info in facts.inputs.values())
    return max(LEAST_SAMPLES, min(SAMPLES, NUMBERS // max(size, 1)))


def watched(analysis: Analysis, graph: Graph) -> Watched:
    """What there is to measure in a checked project."""
    activations: set[str] = set()
    functions: set[str] = set()
    held = inside(graph)
    for (definition, key), facts in analysis.nodes.items():
        node = graph.level(definition).nodes[key]
        found = [(node.type, facts.paths)]
        for part in held.get((definition, key), ()):
            owned = (path for path, owner in analysis.parts.items() if owner in facts.paths)
            found.append((part.type, tuple(path for path in owned if path.rpartition(".")[2] == part.name)))
        for type_name, paths in found:
            declaration = find("layer", type_name)
            if declaration is not None and declaration.family == "activation":
                activations |= set(paths)
                functions |= set(paths) if getattr(declaration.cls, "elementwise", True) else set()
    return Watched(frozenset(analysis.layers), frozenset(activations), frozenset(functions))


class ActivationProbe:
    """Measures a model on one batch. `inputs` fetches it, once, when it is first wanted; None: there is none."""

    def __init__(
        self, model: nn.Module, what: Watched, inputs: Callable[[], Sequence[Tensor] | None], *, enabled: bool = True
    ) -> None:
        self.enabled = enabled
        self._model = model
        self._what = what
        self._fetch = inputs
        self._inputs: tuple[Tensor, ...] | None = None
        self._next = 0.0
        self._warm = False

    def due(self, now: float) -> bool:
        """True when measuring at `now` (a monotonic clock) keeps its cost within `SHARE` of the time."""
        return self.enabled and now >= self._next

    def read(self) -> tuple[int, dict[str, Figures]]:
        """(number of samples, figures per instance path in the order in which layers were reached)."""
        start = time.perf_counter()
        found: dict[str, Figures] = {}
        inputs = self._batch()
        if inputs:
            found = self._measured(inputs)
        cost = time.perf_counter() - start
        # The first time also loads data and kernels, which says nothing about the next times.
        self._next = time.perf_counter() + (cost / SHARE if self._warm else min(cost / SHARE, FIRST_GAP))
        self._warm = True
        return (len(inputs[0]) if inputs else 0), found

    def _batch(self) -> tuple[Tensor, ...]:
        if self._inputs is None:
            self._inputs = tuple(self._fetch() or ())
            self.enabled = self.enabled and bool(self._inputs)
        return self._inputs

    def _measured(self, inputs: Sequence[Tensor]) -> dict[str, Figures]:
        model, found = self._model, dict[str, Figures]()
        channels_first = False
        handles: list[torch.utils.hooks.RemovableHandle] = []

        def watch(path: str, module: nn.Module) -> None:
            def hook(module: nn.Module, given: tuple[Any, ...], result: Any) -> None:
                nonlocal channels_first
                channels_first = _channels_first(module, channels_first)
                result = result[0] if isinstance(result, tuple) else result
                if path in found or not isinstance(result, Tensor) or not result.is_floating_point():
                    return  # a layer that is used twice is measured where it is met first
                found[path] = figures(result, channels_first=channels_first)
                if path in self._what.activations:
                    found[path]["activation"] = True
                if path in self._what.functions and given and isinstance(given[0], Tensor):
                    found[path]["flat"] = flat_share(module, given[0])
                    found[path]["saturates"] = saturates(module, given[0])

            handles.append(module.register_forward_hook(hook))

        was_training = {module: module.training for module in model.modules()}
        model.eval()
        try:
            for path, module in model.named_modules():
                if path in self._what.layers or path in self._what.activations:
                    watch(path, module)
            with torch.no_grad():
                model(*inputs)
        finally:
            for handle in handles:
                handle.remove()
            for module, mode in was_training.items():
                module.training = mode
        return found


def figures(result: Tensor, *, channels_first: bool = False) -> Figures:
    """Figures of a layer's result (N, ...), over samples and places.

    `mean` and `std` of all numbers (population); `low` and `high`, between which 99 % of them lie, and `counts`, the
    numbers in `BINS` equal parts between; `units` and `dead`, the share of units (features, channels) that give one
    and the same number for every sample and place.
    """
    values = result.detach().float()
    flat = values.reshape(-1)
    drawn = flat[:: max(1, flat.numel() // DRAWN) | 1]
    finite = drawn[torch.isfinite(drawn)]
    per_unit = _by_unit(values, channels_first)
    std, mean = torch.std_mean(flat, correction=0)
    found: Figures = {
        "mean": _short(mean), "std": _short(std), "units": per_unit.shape[1],
        "dead": _short((per_unit.amax(0) == per_unit.amin(0)).float().mean()) if len(per_unit) > 1 else 0.0,
    }  # fmt: skip
    if not finite.numel():
        return found | {"low": 0.0, "high": 0.0, "counts": [0] * BINS}
    ordered = finite.sort().values
    last = len(ordered) - 1
    low, high = _short(ordered[round(0.005 * last)]), _short(ordered[round(0.995 * last)])
    if high <= low:
        low, high = _short(ordered[0]), _short(ordered[-1])
    if high <= low:
        return found | {"low": low, "high": low, "counts": [len(ordered)] + [0] * (BINS - 1)}
    counts = torch.histc(ordered.clamp(low, high), bins=BINS, min=low, max=high)
    return found | {"low": low, "high": high, "counts": [int(count) for count in counts.tolist()]}


def flat_share(module: nn.Module, given: Tensor) -> float:
    """Share of the numbers that enter an activation where its slope is below `FLAT`: there hardly any gradient passes.

    `given` (N, ...). The slope is what autograd gives for a few samples.
    """
    few = given[: max(1, DRAWN // max(1, given[0].numel()))]
    with torch.enable_grad():
        entered = few.detach().float().requires_grad_()
        (slope,) = torch.autograd.grad(module.forward(entered).sum(), entered)
    return _short((slope.abs() < FLAT).float().mean())


def saturates(module: nn.Module, given: Tensor) -> bool:
    """Whether an activation is flat at both ends and 0 lies between them: sigmoid and tanh, not ReLU6, whose low end
    starts at 0 as ReLU's does.
    """
    ends = []
    for value in (-20.0, 0.0, 20.0):
        with torch.enable_grad():
            entered = torch.full_like(given[:1].detach().float(), value).requires_grad_()
            result = module.forward(entered)
            (slope,) = torch.autograd.grad(result.sum(), entered)
        ends.append((float(result.detach().flatten()[0]), float(slope.abs().max())))
    (low, low_slope), (middle, _), (high, high_slope) = ends
    return low_slope < FLAT and high_slope < FLAT and low < middle < high


def _short(value: Tensor) -> float:
    """Six figures: a record of a long run holds a great many of them."""
    return float(f"{float(value):.6g}")


def _by_unit(values: Tensor, channels_first: bool) -> Tensor:
    """(samples x places, units)."""
    axis = 1 if values.dim() == 2 or values.dim() > 3 or channels_first else values.dim() - 1
    if values.dim() < 2:
        return values.reshape(-1, 1)
    return values.movedim(axis, -1).reshape(-1, values.shape[axis])


def _channels_first(module: nn.Module, before: bool) -> bool:
    """Whether results with two axes a sample hold their units first: behind a convolution, until a dense layer."""
    if isinstance(module, nn.modules.conv._ConvNd):
        return True
    return False if isinstance(module, nn.Linear | nn.Embedding | nn.RNNBase | nn.MultiheadAttention) else before
