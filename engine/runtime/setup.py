"""From a project to the parts of a training: data for its streams, heads for its outputs, and the `Training` itself.

Owns the wiring that fresh runs, resumed runs and evaluations share. Never makes a run folder and never steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from engine.analysis import Analysis
from engine.callback import Callback
from engine.check import check_project
from engine.course import course_of
from engine.declare import find
from engine.known import with_facts
from engine.last_layers import first_layers, last_layers
from engine.phases import Stage, stages_of
from engine.problem import Problem, ProblemError, Severity
from engine.project import Project
from engine.recipe import Recipe
from engine.runtime.activity import ActivationProbe, num_samples, watched
from engine.runtime.analyze import analyze
from engine.runtime.averaging import Average
from engine.runtime.callbacks.hooks import Hooks
from engine.runtime.callbacks.making import make_callbacks
from engine.runtime.clipping_ways import Layout
from engine.runtime.data import Data, open_data
from engine.runtime.freezing import freeze_layers, normalises_batches
from engine.runtime.groups import made_groups
from engine.runtime.made import make_loss, make_optimizer
from engine.runtime.memory import memory_problem
from engine.runtime.metrics import Metric, is_better_when_larger, metrics_of
from engine.runtime.objective import Head, Supervised
from engine.runtime.penalty import MaxNorm, Penalty
from engine.runtime.phasing import Begun, Phasing
from engine.runtime.precision import Scaling, forward_of, precision_problem
from engine.runtime.probe import GradientProbe
from engine.runtime.reparametrized import kernels_by_output, lengths_of
from engine.runtime.steering import Steering
from engine.runtime.stopping import Stopping
from engine.runtime.training import Plan, Training
from engine.source_ends import OutputEnd, find_ends
from engine.weightfile import locate

if TYPE_CHECKING:
    from engine.places import Places


@dataclass(frozen=True)
class Ready:
    """A project that can train: its facts are those of the opened data, and its check found no error."""

    project: Project
    analysis: Analysis
    data: Data
    device: torch.device
    threads: int
    callbacks: tuple[Callback, ...] = ()
    """For one training: they keep what they have seen."""


def make_ready(project: Project, places: Places, *, device: torch.device, threads: int, **opening: Any) -> Ready:
    """Opens the data and checks the project with it; ProblemError with every error, and then the data is closed."""
    # Facts of an earlier reading may be out of date, so what depends on data is checked after it was opened.
    unfit = precision_problem(str(project.recipe.get("precision")), device)
    _refuse_errors([*check_project(replace(project, data=None)), *([unfit] if unfit else [])])
    if project.weights is not None:
        locate(project.weights)
    # One's own callbacks are loaded before data is read or a folder made: what is wrong with them is told at once.
    callbacks = tuple(make_callbacks(project.recipe, metrics_of(project.recipe)))
    data = open_for(project, places, device=device, **opening)
    try:
        project = with_facts(project, data.facts)
        analysis = analyze(project)
        too_large = memory_problem(analysis.parameters, device)
        _refuse_errors([*analysis.problems, *([too_large] if too_large else [])])
    except BaseException:
        data.close()
        raise
    return Ready(project, analysis, data, device, threads, callbacks)


def open_for(project: Project, places: Places, *, device: torch.device, **opening: Any) -> Data:
    """The project's data with the streams its inputs and outputs ask for, targets in the form their losses want."""
    ends = find_ends(project)
    return open_data(
        project.recipe, places, inputs=[end.stream for end in ends.inputs],
        targets={end.target: _wanted(end) for end in ends.outputs}, device=device, **opening,
    )  # fmt: skip


def make_heads(project: Project, data: Data, device: torch.device) -> list[Head]:
    """One head per output of the model, in order; class weights come from the training samples."""
    first = next(iter(data.targets), "")
    heads = []
    for end in find_ends(project).outputs:
        target = end.target or first
        counts = list(data.class_counts("train", target).values())
        loss = make_loss(end.loss, counts, device)
        place = data.target_names.index(target)
        heads.append(Head(end.name, place, loss, data.targets[target], end.weight, end.activation))
    return heads


def make_training(
    ready: Ready, model: nn.Module, *, epochs: int, seed: int, run: str = "", checkpoints: Path | None = None
) -> Training:
    """The training of a built model, at its first step."""
    recipe = ready.project.recipe
    model.to(ready.device)
    metrics = metrics_of(recipe)
    plan = Plan(
        epochs, recipe.batch_size, seed, ready.device, run, checkpoints, accumulate=int(recipe.get("accumulate")),
        evaluated=recipe.get("train_figures") == "evaluated",
    )  # fmt: skip
    precision = str(recipe.get("precision"))
    stages = stages_of(recipe)
    if len(stages) == 1:  # one phase takes as long as is asked for
        stages = (replace(stages[0], recipe=stages[0].recipe.with_value("epochs", epochs)),)
    phasing = Phasing(stages, partial(_begin, ready, model, metrics), partial(_patient, recipe, metrics))
    stopping = recipe.made("early_stopping")
    steering, average = _begin(ready, model, metrics, stages[0], 0)
    training = Training(
        plan, model=model, data=ready.data, steering=steering, metrics=metrics,
        objective=Supervised(
            model, make_heads(ready.project, ready.data, ready.device), forward_of(model, precision, ready.device)
        ),
        average=average, phasing=phasing, hooks=Hooks(ready.callbacks),
        probe=GradientProbe(model, ready.analysis.layers, enabled=bool(recipe.get("gradient_flow"))),
        activity=ActivationProbe(
            model, watched(ready.analysis, ready.project.graph), partial(_measured_inputs, ready.data),
            enabled=bool(recipe.get("activations")),
        ),
        stopping=Stopping(
            stopping.monitor, enabled=stopping.enabled, patience=stopping.patience, min_delta=stopping.min_delta,
            larger_is_better=is_better_when_larger(stopping.monitor, metrics),
        ),
        count_right=not ready.data.mixes and any(metric.name == "accuracy" for metric in metrics),
    )  # fmt: skip
    return training


def _begin(ready: Ready, model: nn.Module, metrics: Sequence[Metric], stage: Stage, step: int) -> Begun:
    """What moves the weights in a phase that begins after so many steps."""
    recipe, analysis = stage.recipe, ready.analysis
    freeze_layers(model, recipe, analysis.parts)
    groups = made_groups(recipe, model, hidden_matrices(ready, model), analysis.parts)
    optimizer = make_optimizer(recipe, groups, ready.device)
    steering = Steering(
        recipe, optimizer, layout=layout_of(ready, model),
        scaling=Scaling.of(str(recipe.get("precision")), ready.device),
        penalty=Penalty.of(model, analysis.rules), bounds=MaxNorm.of(model, analysis.rules),
    )  # fmt: skip
    steering.follow(
        course_of(
            recipe, steps_per_epoch=steps_per_epoch(ready, model), epochs=stage.epochs, before=step,
            larger_is_better=lambda figure: is_better_when_larger(figure, metrics),
        )
    )  # fmt: skip
    return steering, Average.of(recipe, model)


def _patient(recipe: Recipe, metrics: Sequence[Metric], stage: Stage) -> Stopping | None:
    """What ends a phase early; None for a phase that is never ended."""
    if stage.patience is None:
        return None
    chosen = recipe.made("early_stopping")
    return Stopping(
        chosen.monitor, enabled=True, patience=stage.patience, min_delta=chosen.min_delta,
        larger_is_better=is_better_when_larger(chosen.monitor, metrics),
    )  # fmt: skip


def steps_per_epoch(ready: Ready, model: nn.Module) -> int:
    """Optimizer steps of an epoch."""
    recipe = ready.project.recipe
    batches = ready.data.steps_per_epoch(recipe.batch_size, merge_single=normalises_batches(model))
    return -(-batches // int(recipe.get("accumulate")))


def _measured_inputs(data: Data) -> tuple[torch.Tensor, ...] | None:
    """Samples of the validation data, or of the training data where there are none."""
    split = "val" if data.facts.counts.get("val") else "train"
    batch = data.spread(split, num_samples(data.facts))
    return batch.inputs if batch is not None else None


def layout_of(ready: Ready, model: nn.Module) -> Layout:
    """Which parameters belong to output layers and which kernels count their units along the second axis."""
    layers = dict(model.named_modules())
    last = last_layers(ready.project.graph, ready.analysis.layers)
    return Layout(
        frozenset(id(item) for path in last if path in layers for item in layers[path].parameters()),
        kernels_by_output(model),
    )


def hidden_matrices(ready: Ready, model: nn.Module) -> frozenset[int]:
    """The weight matrices (and filters) of layers that are neither first nor last, and of no embedding, by `id`."""
    graph, layers = ready.project.graph, ready.analysis.layers
    outer = last_layers(graph, layers) | first_layers(graph, layers)
    modules, lengths = dict(model.named_modules()), lengths_of(model)
    return frozenset(
        id(item)
        for path in layers
        if path not in outer and path in modules and not isinstance(modules[path], nn.Embedding)
        for item in modules[path].parameters()
        if item.dim() >= 2 and id(item) not in lengths
    )


def schedule_change(recipe: Recipe, *, steps_per_epoch: int, before: int, after: int) -> str:
    """What to tell when another number of epochs changes the rates that were planned; "" when it does not."""
    old = course_of(recipe, steps_per_epoch=steps_per_epoch, epochs=before)
    new = course_of(recipe, steps_per_epoch=steps_per_epoch, epochs=after)
    if before == after or old is None or new is None:
        return ""
    last = min(before, after) * steps_per_epoch
    asked = {1, last, *range(1, last + 1, max(1, last // 200))}
    if all(isclose(old.factor(step), new.factor(step), rel_tol=1e-9) for step in asked):
        return ""
    return f"The {recipe.get('schedule')['type']} schedule now spans {after} epochs instead of {before}: rates change"


def freeze(model: nn.Module, state: Mapping[str, Any]) -> None:
    """Freezes the parameters that a checkpoint names, before the optimizer is made."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in state["frozen"])


def _refuse_errors(problems: Sequence[Problem]) -> None:
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        raise ProblemError(*errors)


def _wanted(end: OutputEnd) -> str:
    declaration = find("loss", str(end.loss.get("type")))
    return str(getattr(declaration.cls, "target", "")) if declaration else ""
