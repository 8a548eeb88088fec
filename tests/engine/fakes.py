"""A small training without a project: drawn data and a hand-written network, for tests of the loop and its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.callback import Callback
from engine.course import course_of
from engine.datafacts import DataFacts, Target
from engine.events import Event
from engine.recipe import Recipe
from engine.runtime import checkpoint
from engine.runtime.averaging import Average
from engine.runtime.callbacks.hooks import Hooks
from engine.runtime.callbacks.making import make_callbacks
from engine.runtime.control import Control
from engine.runtime.data.batches import Batch
from engine.runtime.fit import fit
from engine.runtime.groups import made_groups
from engine.runtime.made import make_loss, make_optimizer
from engine.runtime.metrics import is_better_when_larger, metrics_of
from engine.runtime.objective import Head, Supervised
from engine.runtime.precision import Scaling, forward_of
from engine.runtime.probe import GradientProbe
from engine.runtime.randomness import seed_all
from engine.runtime.steering import Steering
from engine.runtime.stopping import Stopping
from engine.runtime.training import Plan, Training

CPU = torch.device("cpu")


class Drawn:
    """Two hundred points in six dimensions with three classes, forty of them for validation."""

    def __init__(self, train: int = 160, val: int = 40) -> None:
        draw = torch.Generator().manual_seed(1)
        self.x = torch.randn(train + val, 6, generator=draw)
        self.y = (self.x @ torch.randn(6, 3, generator=draw)).argmax(1)
        self.train = train
        self.target = Target(classes=("a", "b", "c"))
        self.facts = DataFacts({}, {"y": self.target}, {"train": train, "val": val})

    def steps_per_epoch(self, batch_size: int, *, merge_single: bool = False) -> int:
        return -(-self.train // batch_size)

    def train_batches(
        self, epoch: int, batch_size: int, seed: int, skip: int = 0, merge_single: bool = False
    ) -> Iterator[Batch]:
        order = torch.randperm(self.train, generator=torch.Generator().manual_seed(1000 * seed + epoch))
        for places in list(order.split(batch_size))[skip:]:
            yield Batch((self.x[places],), (self.y[places],), len(places))

    def eval_batches(self, split: str, batch_size: int = 16) -> Iterator[Batch]:
        part = slice(0, self.train) if split == "train" else slice(self.train, None)
        for x, y in zip(self.x[part].split(batch_size), self.y[part].split(batch_size), strict=True):
            yield Batch((x,), (y,), len(x))


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))


def recipe(**values: Any) -> Recipe:
    made = Recipe()
    for name, value in {"batch_size": 16, "optimizer": {"type": "adam", "lr": 0.01}, **values}.items():
        made = made.with_value(name, value)
    return made


def training(
    settings: Recipe | None = None, *, folder: Path | None = None, epochs: int = 3, data: Any = None,
    model: nn.Module | None = None, flow: bool = True, callbacks: Sequence[Callback] = (),
) -> Training:  # fmt: skip
    """A training at its first step, everything seeded."""
    settings = settings or recipe()
    data = data or Drawn()
    seed_all(settings.seed)
    model = model or network()
    metrics = metrics_of(settings)
    stop = settings.made("early_stopping")
    precision = settings.get("precision")
    groups = made_groups(settings, model, {id(item) for item in model.parameters() if item.dim() >= 2})
    steering = Steering(settings, make_optimizer(settings, groups, CPU), scaling=Scaling.of(precision, CPU))
    plan = Plan(
        epochs, settings.batch_size, settings.seed, CPU, str(folder.parent) if folder else "run", folder,
        accumulate=settings.get("accumulate"), evaluated=settings.get("train_figures") == "evaluated",
    )  # fmt: skip
    heads = [Head("out", 0, make_loss(settings.get("loss")), data.target)]
    made = Training(
        plan, model=model, data=data, objective=Supervised(model, heads, forward_of(model, precision, CPU)),
        steering=steering, probe=GradientProbe(model, enabled=flow), metrics=metrics,
        average=Average.of(settings, model),
        hooks=Hooks([*make_callbacks(settings, metrics), *callbacks]),
        stopping=Stopping(
            stop.monitor, enabled=stop.enabled, patience=stop.patience, min_delta=stop.min_delta,
            larger_is_better=is_better_when_larger(stop.monitor, metrics),
        ),
    )  # fmt: skip
    steering.follow(
        course_of(
            settings, steps_per_epoch=made.steps_per_epoch, epochs=epochs,
            larger_is_better=lambda figure: is_better_when_larger(figure, metrics),
        )
    )  # fmt: skip
    return made


def resumed(folder: Path, settings: Recipe | None = None, *, epochs: int = 3, **more: Any) -> Training:
    """The same training, brought to where the newest checkpoint that holds stands."""
    saved = checkpoint.load(folder, checkpoint.LAST)
    assert saved is not None, "no checkpoint holds"
    made = training(settings, folder=folder, epochs=epochs, **more)
    checkpoint.fill(made.model, saved.weights)
    checkpoint.keep_only(folder, checkpoint.LAST, saved.step)
    checkpoint.keep_only(folder, checkpoint.BEST, saved.training["stopping"]["best"].get("step"))
    made.load(saved.training)
    return made


def trained(made: Training, control: Control | None = None) -> list[Event]:
    return list(fit(made, control or Control()))


def weights(made: Training) -> dict[str, torch.Tensor]:
    return checkpoint.weights_of(made.model)


def same_bits(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def figures(events: list[Event]) -> list[dict[str, Any]]:
    """What the epochs said, without the times."""
    return [
        {"epoch": item.epoch, "step": item.step, "train": item.train_loss, "val": item.val_loss, **item.metrics}
        for item in events
        if item.event == "epoch_ended"
    ]
