"""What each activation and each normalisation of the catalogue costs, relative to ReLU and to no norm.

    python -m benchmarks.functions [--rounds 25] [--threads 1] [--only NAME ...]

Activations: the function alone, forward (as in prediction) and forward with backward (as in training), times ReLU's;
and a dense layer or convolution that ends in it, in training, times the same layer with ReLU. Normalisations: that
layer with norm and ReLU, times the layer with ReLU alone; weight and spectral norm stand among them. Settings are the
defaults; where one is a switch or a choice, each further value is a line of its own. Everybody takes turns, each right
behind ReLU or no norm; figures are medians of ratios within a round.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import Times, beside, in_turns, middle_of, ratio
from engine.accept import ACCEPTED
from engine.declare import Declaration, catalogue
from engine.expr import name as named
from engine.expr import used_helpers
from engine.runtime.meta import namespace
from engine.source_calls import forward_of
from engine.tensor import TensorInfo

LEAST = 0.002
"""Seconds that a turn lasts at least."""


@dataclass(frozen=True)
class Place:
    """Samples that a function is asked about, and the layer that gives them."""

    title: str
    batch: int
    shape: tuple[int, ...]

    @property
    def info(self) -> TensorInfo:
        """One sample."""
        return TensorInfo(self.shape)

    @property
    def before(self) -> nn.Module:
        """The layer whose results have this shape, from inputs of the same shape."""
        if len(self.shape) == 1:
            return nn.Linear(self.shape[0], self.shape[0])
        convolution = nn.Conv2d if len(self.shape) == 3 else nn.Conv3d
        return convolution(self.shape[0], self.shape[0], 3, padding="same")


PLACES = (
    Place("dense layer of the base network, 32 samples of 100", 32, (100,)),
    Place("wide dense layer, 128 samples of 1,000", 128, (1000,)),
    Place("convolution 3×3, 32 images of 32 channels of 16×16", 32, (32, 16, 16)),
)
VOLUMES = Place("convolution 3×3×3, 8 volumes of 8 channels of 8×8×8", 8, (8, 8, 8, 8))
"""For normalisations only: to an activation a volume is as many numbers as any."""


@dataclass(frozen=True)
class Choice:
    """A declared function with settings, and how it is told."""

    words: str
    declaration: Declaration
    made: Any

    def fits(self, info: TensorInfo) -> bool:
        """Whether it takes samples of that shape."""
        refuse = getattr(self.made, "refuse", None)
        return ACCEPTED[self.declaration.accepts].fits(info) and (refuse is None or refuse(info) is None)

    def behind(self, layer: nn.Module, info: TensorInfo) -> nn.Module:
        """A layer that this normalises, its results or its weights, with ReLU at the end."""
        if self.declaration.kind != "reparametrization":
            return nn.Sequential(layer, self.live(info), nn.ReLU())
        wrapped = self.made.wrap(named("module"))
        return nn.Sequential(eval(wrapped.text, namespace(used_helpers(wrapped)) | {"module": layer}), nn.ReLU())

    def live(self, info: TensorInfo) -> Live:
        """The function itself, evaluated as the generated model has it."""
        module = None
        scope = namespace()
        if hasattr(self.declaration.cls, "build"):
            constructor = self.made.build(info)
            module = eval(constructor.text, namespace(used_helpers(constructor)))
        called = forward_of(self.declaration, self.made, named("module") if module is not None else None, [named("x")])
        scope |= {**namespace(used_helpers(called)), "module": module}
        return Live(module, eval(f"lambda x: {called.text}", scope))


class Live(nn.Module):
    """A function of one tensor, with what it learns."""

    def __init__(self, module: nn.Module | None, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.module, self.function = module, function

    def forward(self, x: Tensor) -> Tensor:
        """What the function makes of a batch."""
        return self.function(x)


def choices(declarations: Iterable[Declaration]) -> Iterator[Choice]:
    """Every function with its defaults, and with each other value of a switch or a choice."""
    for declaration in declarations:
        yield Choice(declaration.type, declaration, declaration.make())
        for param in declaration.params:
            values = param.choices or ((not param.default,) if param.kind == "bool" else ())
            for value in values:
                if value != param.default and not param.optional:
                    words = f"{declaration.type}, {param.name} {value}".lower()
                    yield Choice(words, declaration, declaration.make({param.name: value}))


def activations() -> list[Choice]:
    """The activations of the catalogue."""
    found = catalogue().all("layer").values()
    return list(choices(item for item in found if item.family == "activation"))


def normalisations() -> list[Choice]:
    """The normalisation layers of the catalogue, and what normalises weights instead of results."""
    layers = (item for item in catalogue().all("layer").values() if item.family == "normalisation")
    weights = (item for item in catalogue().all("reparametrization").values() if hasattr(item.cls, "wrap"))
    return [*choices(layers), *choices(weights)]


def predicting(model: nn.Module, x: Tensor) -> Callable[[], None]:
    """One forward pass without gradients."""
    model.eval()

    def once() -> None:
        with torch.no_grad():
            model(x)

    return once


def training(model: nn.Module, x: Tensor) -> Callable[[], None]:
    """One forward and backward pass, to the weights and to the input."""
    model.train()
    x = x.clone().requires_grad_()
    wanted = [x, *model.parameters()]
    upstream = torch.ones_like(model(x))

    def once() -> None:
        torch.autograd.grad(model(x), wanted, upstream)

    return once


def timed(once: Callable[[], None]) -> Callable[[], float]:
    """Seconds of one call, from as many as last long enough."""
    once()
    begun = time.perf_counter()
    once()
    count = max(3, round(LEAST / max(1e-7, time.perf_counter() - begun)))
    return lambda: middle_of(once, count)


def measured(place: Place, functions: Iterable[Choice], rounds: int, *, norms: bool) -> Times:
    """Seconds per round of every function that fits: `KIND WORDS`, kinds forward, both and layer.

    For normalisations all kinds are of a layer with ReLU behind it. `beside KIND WORDS` is ReLU or no norm.
    """
    torch.manual_seed(0)
    x = torch.randn(place.batch, *place.shape)
    contestants: dict[str, Callable[[], float]] = {}
    for choice in functions:
        if choice.fits(place.info):
            made = _normalised(place, x, choice) if norms else _activated(place, x, choice)
            contestants |= {f"{kind} {choice.words}": turn for kind, turn in made.items()}
    yardsticks = _normalised(place, x, None) if norms else _activated(place, x, None)
    return in_turns(beside(contestants, yardsticks), rounds)


def _activated(place: Place, x: Tensor, choice: Choice | None) -> dict[str, Callable[[], float]]:
    """The turns of an activation (None: ReLU) by kind, each with one of its own: modes are not switched."""

    def made() -> nn.Module:
        return nn.ReLU() if choice is None else choice.live(place.info)

    return {
        "forward": timed(predicting(made(), x)), "both": timed(training(made(), x)),
        "layer": timed(training(nn.Sequential(place.before, made()), x)),
    }  # fmt: skip


def _normalised(place: Place, x: Tensor, choice: Choice | None) -> dict[str, Callable[[], float]]:
    """The turns of a layer with this normalisation (None: without any) by kind."""
    one, two = (
        nn.Sequential(place.before, nn.ReLU()) if choice is None else choice.behind(place.before, place.info)
        for _ in range(2)
    )  # fmt: skip
    return {"forward": timed(predicting(one, x)), "both": timed(training(two, x))}


def report(place: Place, times: Times, functions: Iterable[Choice], *, norms: bool) -> None:
    """Prints one table."""
    kinds = ("forward", "both") if norms else ("forward", "both", "layer")
    told = [choice.words for choice in functions if f"both {choice.words}" in times]
    usual = ", ".join(f"{kind} {median(times[f'beside {kind} {told[0]}']) * 1e6:.0f} µs" for kind in kinds)
    print(
        f"\n{'normalisations' if norms else 'activations'}, {place.title}; {'none' if norms else 'relu'} takes {usual}"
    )
    print(f"{'':34}" + "".join(f"{kind:>9}" for kind in kinds))
    for words in told:
        row = (ratio(times, f"{kind} {words}", f"beside {kind} {words}").middle for kind in kinds)
        print(f"{words:34}" + "".join(f"{value:>9.2f}" for value in row))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [choice.declaration.type for choice in (*activations(), *normalisations())]
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=known, default=known, metavar="NAME")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} thread(s), {options.rounds} rounds")
    print("forward: prediction; both: forward and backward; layer: both, of a layer that ends in it")
    for functions, norms in ((activations(), False), (normalisations(), True)):
        wanted = [item for item in functions if item.declaration.type in options.only]
        for place in (*PLACES, VOLUMES) if norms else PLACES:
            if not any(choice.fits(place.info) for choice in wanted):
                continue
            report(place, measured(place, wanted, options.rounds, norms=norms), wanted, norms=norms)


if __name__ == "__main__":
    main()
