"""The guideline tables of deep learning as data: what suits what, each row with what it applies or where it shows.

Content: Géron, Hands-On Machine Learning, 3rd edition, chapter 11. A row's `apply` is an edit of a project, its `show`
names a declaration (`layer:selu`) or a setting (`recipe.schedule`). Never draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine import fixing
from engine.advice_view import View
from engine.check_advice_layers import GLOROT_FOR, HE_FOR
from engine.fixing import Apply
from engine.presets import PRESETS, apply_changes
from engine.project import Project


@dataclass(frozen=True)
class Row:
    """One row: its cells, and an edit, a place to show, or a preset."""

    cells: tuple[str, ...]
    apply: Apply | None = None
    show: str = ""
    default: tuple[str, str, Any] | None = None
    """(kind, type, setting = number) that a new layer or recipe starts from: `("optimizer", "rmsprop.alpha", 0.9)`."""
    differs: str = ""
    """Why the number of the catalogue is another one."""


@dataclass(frozen=True)
class Table:
    """One table of the guide."""

    id: str
    title: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    preset: str = ""
    """Id of the preset that applies the whole table."""


def use_preset(name: str) -> Apply:
    """All changes of a preset at once."""
    return lambda project: apply_changes(project, PRESETS[name].plan(project))


def _initial(kind: str, activations: tuple[str, ...]) -> Apply:
    """Initial weights for the hidden layers that these activations follow."""

    def apply(project: Project) -> Project:
        view = View(project)
        for level in view.levels:
            for node in level.weighted:
                if not view.is_last(level, node) and level.activation(node)[0] in activations and not node.shares:
                    project = fixing.set_params(level.definition, node.id, {"initializer": {"type": kind}})(project)
        return project

    return apply


def _activated(kind: str) -> Apply:
    """Another activation in all hidden layers, gates left out."""

    def apply(project: Project) -> Project:
        view = View(project)
        for level in view.levels:
            for node in level.weighted:
                found, own = level.activation(node)
                gate = any(after.type == "multiply" for after in level.after(own or node))
                if not found or found in (kind, "softmax") or gate or view.is_last(level, node):
                    continue
                project = (
                    fixing.change(level.definition, own.id, type=kind, params={}) if own
                    else fixing.set_params(level.definition, node.id, {"activation": {"type": kind}})
                )(project)  # fmt: skip
        return project

    return apply


def _optimizer(kind: str, **settings: Any) -> Apply:
    return fixing.set_recipe("optimizer", {"type": kind, **settings})


def _init_rows() -> tuple[Row, ...]:
    return (
        Row(("Glorot", "none, tanh, sigmoid, softmax", "1 / fan_avg"), _initial("glorot_normal", GLOROT_FOR)),
        Row(("He", "ReLU, leaky ReLU, ELU, GELU, Swish, Mish", "2 / fan_in"), _initial("he_normal", HE_FOR)),
        Row(("LeCun", "SELU", "1 / fan_in"), _initial("lecun_normal", ("selu",))),
    )


def _optimizer_rows() -> tuple[Row, ...]:
    return (
        Row(("SGD", "weak", "good"), _optimizer("sgd")),
        Row(("SGD with momentum", "average", "good"), _optimizer("sgd", momentum=0.9)),
        Row(("SGD with Nesterov momentum", "average", "good"), _optimizer("sgd", momentum=0.9, nesterov=True)),
        Row(("Adagrad", "good", "weak: it stops too early"), _optimizer("adagrad")),
        Row(("RMSprop", "good", "average or good"), _optimizer("rmsprop")),
        Row(("Adam", "good", "average or good"), _optimizer("adam")),
        Row(("Adamax", "good", "average or good"), _optimizer("adamax")),
        Row(("NAdam", "good", "average or good"), _optimizer("nadam")),
        Row(("AdamW", "good", "average or good"), _optimizer("adamw")),
    )


TABLES = {
    table.id: table
    for table in (
        Table("T1", "Initial weights by activation", ("Initial weights", "Activations", "Variance"), _init_rows()),
        Table("T2", "Default deep network", ("What", "Default"), (
            Row(("Initial weights", "He"), show="initializer:he_normal"),
            Row(("Activation", "ReLU if shallow, Swish if deep"), show="layer:silu"),
            Row(("Normalisation", "none if shallow, batch normalisation if deep"), show="layer:batch_norm1d"),
            Row(("Regularisation", "early stopping; weight decay if needed"), show="recipe.early_stopping"),
            Row(("Optimizer", "Nesterov momentum or AdamW"), _optimizer("sgd", momentum=0.9, nesterov=True)),
            Row(("Learning rate", "plateau or 1cycle"), fixing.set_recipe("schedule", {"type": "plateau"})),
        ), preset="default"),
        Table("T3", "Self-normalising network", ("What", "Default"), (
            Row(("Initial weights", "LeCun"), show="initializer:lecun_normal"),
            Row(("Activation", "SELU"), show="layer:selu"),
            Row(("Normalisation", "none, it normalises itself"), show="layer:selu"),
            Row(("Regularisation", "alpha dropout if needed"), show="layer:alpha_dropout"),
            Row(("Optimizer", "Nesterov momentum"), _optimizer("sgd", momentum=0.9, nesterov=True)),
            Row(("Learning rate", "plateau or 1cycle"), fixing.set_recipe("schedule", {"type": "plateau"})),
        ), preset="self-normalising"),
        Table("T4", "Optimizers", ("Optimizer", "Speed", "Quality"), _optimizer_rows()),
        Table("T5", "Exceptions, and what always holds", ("Need", "Do"), (
            Row(("A sparse model", "l1, and tiny weights to 0 after training. It breaks self-normalisation: "
                 "use the default network"), show="regularizer:l1"),
            Row(("Fast answers", "fewer layers; ReLU or leaky ReLU; batch normalisation folded into the layer before; "
                 "fewer bits"), _activated("relu")),
            Row(("Answers one can rely on", "MC dropout: mean and deviation of many passes with dropout on"),
                show="layer:dropout"),
            Row(("Always", "standardise or scale the inputs"), show="recipe.preprocess"),
            Row(("Always", "reuse parts of a trained network if there is one for a similar task; pretrain on data "
                 "without labels, or on an auxiliary task"), show="recipe.data"),
        )),
        Table("T6", "Which activation", ("Case", "Activation"), (
            Row(("A simple task", "ReLU"), _activated("relu")),
            Row(("A complex task", "Swish"), _activated("silu")),
            Row(("A very complex task", "Swish with a learned β"), show="layer:swish_beta"),
            Row(("A little better than Swish, at a higher cost", "Mish"), _activated("mish")),
            Row(("Fast answers", "leaky ReLU"), _activated("leaky_relu")),
            Row(("A deep plain stack, all conditions kept", "SELU"), use_preset("self-normalising")),
            Row(("Time to spare", "try several and compare the runs"), show="layer:gelu"),
        )),
        Table("T7", "Dropout", ("Case", "Rate and place"), (
            Row(("In general", "0.1 to 0.5"), show="layer:dropout"),
            Row(("Recurrent networks", "0.2 to 0.3"), show="layer:dropout"),
            Row(("Convolutional networks", "0.4 to 0.5"), show="layer:dropout2d"),
            Row(("Place", "the top one to three layers but the output, or only after the last hidden one"),
                show="layer:dropout"),
            Row(("Overfitting, or large layers", "raise the rate"), show="layer:dropout"),
            Row(("Underfitting, or small layers", "lower the rate"), show="layer:dropout"),
        )),
        Table("T8", "Numbers to start from", ("What", "Number"), (
            Row(("Momentum of SGD", "0.9"), show="optimizer:sgd", default=("optimizer", "sgd.momentum", 0.9),
                differs="SGD alone is plain gradient descent, as in PyTorch and Keras; the presets set 0.9"),
            Row(("ρ of RMSprop", "0.9"), show="optimizer:rmsprop", default=("optimizer", "rmsprop.alpha", 0.9)),
            Row(("β₁ of Adam", "0.9"), show="optimizer:adam", default=("optimizer", "adam.beta1", 0.9)),
            Row(("β₂ of Adam", "0.999"), show="optimizer:adam", default=("optimizer", "adam.beta2", 0.999)),
            Row(("Momentum of batch normalisation", "0.99, here 0.01"), show="layer:batch_norm1d",
                default=("layer", "batch_norm1d.momentum", 0.01),
                differs="PyTorch's 0.1 is kept, so that generated code and its networks say the same"),
            Row(("Slope of leaky ReLU", "0.2"), show="layer:leaky_relu", default=("layer", "leaky_relu.slope", 0.2),
                differs="PyTorch's 0.01 is kept, so that generated code and its networks say the same"),
            Row(("Clipping by norm", "1"), fixing.set_recipe("clip", {"type": "norm"}),
                default=("clip", "norm.limit", 1.0)),
            Row(("Clipping by value", "1"), fixing.set_recipe("clip", {"type": "value"}),
                default=("clip", "value.limit", 1.0)),
            Row(("l2", "0.01"), show="regularizer:l2", default=("regularizer", "l2.l2", 0.01)),
            Row(("Max-norm", "1"), show="layer:linear", default=("layer", "linear.max_norm", 1.0),
                differs="Off until it is wanted: a bound of 1 on every layer would be a choice that nobody made"),
            Row(("Plateau: factor", "0.5"), fixing.set_recipe("schedule", {"type": "plateau"}),
                default=("schedule", "plateau.by", 0.5)),
            Row(("Plateau: patience", "5"), show="schedule:plateau", default=("schedule", "plateau.patience", 5)),
            Row(("Early stopping: patience", "20"), fixing.set_recipe(
                "early_stopping", {"type": "early_stopping", "enabled": True, "patience": 20}),
                default=("record", "early_stopping.patience", 20),
                differs="10 is what the same book takes for small networks; the presets and this row set 20"),
            Row(("1cycle: start, as a share of the top", "0.1"), fixing.set_recipe("schedule", {"type": "one_cycle"}),
                default=("schedule", "one_cycle.start", 0.1)),
            Row(("1cycle: high momentum", "0.95"), show="schedule:one_cycle",
                default=("schedule", "one_cycle.high", 0.95)),
            Row(("1cycle: low momentum", "0.85"), show="schedule:one_cycle",
                default=("schedule", "one_cycle.low", 0.85)),
            Row(("Passes of MC dropout", "100; 10 where time counts"), show="layer:dropout"),
        )),
    )
}  # fmt: skip


def target_of(show: str) -> tuple[str, str]:
    """What a row shows: (kind, type) of a declaration, or ("recipe", name) of a setting."""
    kind, _, name = show.partition(":" if ":" in show else ".")
    return kind, name
