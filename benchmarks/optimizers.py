"""What each optimizer of the catalogue costs a step, relative to plain SGD, and our own against references by hand.

    python -m benchmarks.optimizers [--rounds 25] [--threads 1] [--only NAME ...]

Two networks: the chapter's base network (8 tensors, 99,710 numbers) and twenty hidden layers of 100 on CIFAR-10 (42
tensors, 500,210 numbers), both at batch 32. "Update" is `step()` alone, as the training makes the optimizer: with
torch's fused or foreach kernel where there is one. "Plain" is the same optimizer with both switched off. "Step" is
forward, backward and update together. Own optimizers are also held against the loop that their papers print.
Everybody takes turns, right behind SGD; figures are medians of ratios within a round.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.timing import Times, beside, in_turns, middle_of, ratio
from engine.declare import catalogue
from engine.examples import load_example
from engine.project import Project
from engine.recipe import Recipe
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.groups import made_groups
from engine.runtime.made import make_optimizer
from engine.runtime.setup import Ready, hidden_matrices

BATCH = 32
CPU = torch.device("cpu")
NETWORKS = {"base network": "chapter/E15", "twenty hidden layers": "chapter/X8a"}
AT_ONCE = 20
"""Updates per turn."""


@dataclass
class Trained:
    """A network with one batch and the gradients it gave, and an optimizer over it."""

    model: nn.Module
    x: Tensor
    y: Tensor
    optimizer: torch.optim.Optimizer
    closure: bool = False

    def __post_init__(self) -> None:
        self._start = deepcopy(self.model.state_dict())

    def updates(self) -> float:
        """Seconds of one update at gradients that stay."""
        return middle_of(self.optimizer.step, AT_ONCE)

    def steps(self) -> float:
        """Seconds of one step: forward, backward, update."""
        if self.closure:
            # How often it evaluates depends on how far it is, so it starts anew; the mean, for its steps differ.
            self.model.load_state_dict(self._start)
            self.optimizer.state.clear()
            begun = time.perf_counter()
            for _ in range(AT_ONCE // 10):
                self.optimizer.step(self.backward)
            return (time.perf_counter() - begun) / (AT_ONCE // 10)
        return middle_of(self._step, AT_ONCE // 4)

    def _step(self) -> None:
        self.backward()
        self.optimizer.step()

    def backward(self) -> float:
        """Fresh gradients, and the loss."""
        for parameter in self.model.parameters():
            parameter.grad = None
        loss = nn.functional.cross_entropy(self.model(self.x), self.y)
        loss.backward()
        return float(loss.detach())


def trained(project: Project, recipe: Recipe, make: Callable[..., torch.optim.Optimizer]) -> Trained:
    """A network drawn anew with what `make` makes of recipe and parameter groups."""
    torch.manual_seed(0)
    analysis = analyze(project)
    model = build(project, analysis=analysis).model
    ready = Ready(project, analysis, None, CPU, 1)  # type: ignore[arg-type]
    groups = made_groups(recipe, model, hidden_matrices(ready, model), analysis.parts)
    shape = next(iter(project.data.inputs.values())).shape  # type: ignore[union-attr]
    made = Trained(
        model, torch.randn(BATCH, *shape), torch.randint(10, (BATCH,)), make(recipe, groups),
        closure=bool(getattr(recipe.made("optimizer"), "closure", False)),
    )  # fmt: skip
    made.backward()
    return made


def as_trained(recipe: Recipe, groups: Iterable[Any]) -> torch.optim.Optimizer:
    """The optimizer as the training makes it."""
    return make_optimizer(recipe, groups, CPU)


def plain(recipe: Recipe, groups: Iterable[Any]) -> torch.optim.Optimizer:
    """The same without fused and foreach kernels."""
    made = make_optimizer(recipe, groups, CPU)
    for group in made.param_groups:
        group.update({key: False for key in ("fused", "foreach") if key in group})
    return made


class ReferenceLion(torch.optim.Optimizer):
    """Lion as its authors print it: one parameter after the other."""

    def __init__(self, params: Iterable[Any], lr: float, betas: tuple[float, float], weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """One step."""
        for group in self.param_groups:
            for item in group["params"]:
                item.mul_(1 - group["lr"] * group["weight_decay"])
                state = self.state[item]
                if not state:
                    state["exp_avg"] = torch.zeros_like(item)
                first, second = group["betas"]
                update = state["exp_avg"].clone().mul_(first).add_(item.grad, alpha=1 - first).sign_()
                item.add_(update, alpha=-group["lr"])
                state["exp_avg"].mul_(second).add_(item.grad, alpha=1 - second)


class ReferenceMuon(torch.optim.Optimizer):
    """Muon with AdamW for the rest as its author prints it, in single precision: one parameter after the other."""

    def __init__(self, params: Iterable[Any], lr: float, momentum: float, steps: int) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "steps": steps, "adam": False})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """One step."""
        for group in self.param_groups:
            for item in group["params"]:
                update = self._adam(item) if group["adam"] else self._muon(item, group["momentum"], group["steps"])
                item.add_(update.reshape(item.shape), alpha=-group["lr"])

    def _adam(self, item: Tensor, first: float = 0.9, second: float = 0.95) -> Tensor:
        state = self.state[item]
        if not state:
            state.update(m=torch.zeros_like(item), v=torch.zeros_like(item), t=0)
        state["t"] += 1
        state["m"].lerp_(item.grad, 1 - first)
        state["v"].lerp_(item.grad.square(), 1 - second)
        m, v = state["m"] / (1 - first ** state["t"]), state["v"] / (1 - second ** state["t"])
        return m / (v.sqrt() + 1e-8)

    def _muon(self, item: Tensor, keep: float, steps: int) -> Tensor:
        state = self.state[item]
        if not state:
            state["v"] = torch.zeros_like(item)
        state["v"].lerp_(item.grad, 1 - keep)
        matrix = item.grad.lerp(state["v"], keep).reshape(len(item), -1)
        tall = matrix.shape[0] > matrix.shape[1]
        x = matrix.mT if tall else matrix
        x = x / (x.norm() + 1e-7)
        for _ in range(steps):
            a = x @ x.mT
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
        return (x.mT if tall else x) * max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5


def reference_lion(recipe: Recipe, groups: Iterable[Any]) -> torch.optim.Optimizer:
    """The reference with the numbers of the recipe."""
    made = recipe.made("optimizer")
    return ReferenceLion(groups, made.lr, (made.beta1, made.beta2), made.weight_decay)


def reference_muon(recipe: Recipe, groups: Iterable[Any]) -> torch.optim.Optimizer:
    """The reference with the numbers of the recipe."""
    made = recipe.made("optimizer")
    return ReferenceMuon(groups, made.lr, made.momentum, made.steps)


REFERENCES = {"lion": reference_lion, "muon": reference_muon}


def measured(example: str, names: Iterable[str], rounds: int) -> Times:
    """Seconds per round of every update and step, as `update NAME`, `plain NAME`, `reference NAME`, `step NAME`.

    `beside KIND NAME` is SGD's update or step; a reference comes right behind what it is held against.
    """
    project = load_example(example)
    contestants: dict[str, Callable[[], float]] = {}
    for name in names:
        recipe = project.recipe.with_value("optimizer", {"type": name})
        made = trained(project, recipe, as_trained)
        contestants[f"step {name}"] = trained(project, recipe, as_trained).steps
        if not made.closure:
            contestants[f"plain {name}"] = trained(project, recipe, plain).updates
            contestants[f"update {name}"] = made.updates
        if name in REFERENCES:
            contestants[f"reference {name}"] = trained(project, recipe, REFERENCES[name]).updates
    update, step = (trained(project, project.recipe.with_value("optimizer", {"type": "sgd"}), as_trained) for _ in "12")
    return in_turns(
        beside(contestants, {"update": update.updates, "plain": update.updates, "step": step.steps}), rounds
    )


def report(title: str, times: Times, names: Iterable[str]) -> None:
    """Prints the table of one network."""
    usual = (
        f"{words} takes {median(next(row for name, row in times.items() if name.startswith(key))) * 1e6:.0f} µs"
        for key, words in (("beside update", "an update by SGD"), ("beside step", "a whole step"))
        if any(name.startswith(key) for name in times)
    )
    print(f"\n{title}: {', '.join(usual)}")
    print(f"{'':12}{'update':>9}{'plain':>9}{'step':>9}   (SGD's = 1)")
    for name in names:
        row = f"{name:12}"
        for kind in ("update", "plain"):
            found = f"{kind} {name}" in times
            row += f"{ratio(times, f'{kind} {name}', f'beside {kind} {name}').middle:>9.2f}" if found else f"{'':9}"
        row += f"{ratio(times, f'step {name}', f'beside step {name}').middle:>9.2f}"
        if f"reference {name}" in times:
            row += f"   update / reference by hand {ratio(times, f'update {name}', f'reference {name}')}"
        print(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = list(catalogue().all("optimizer"))
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=known, default=known, metavar="NAME", help=", ".join(known))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    names = list(dict.fromkeys(options.only))
    print(f"torch {torch.__version__}, {options.threads} thread(s), {options.rounds} rounds, batch {BATCH}")
    for title, example in NETWORKS.items():
        report(title, measured(example, names, options.rounds), names)


if __name__ == "__main__":
    main()
