# ruff: noqa: E501  (a table of sentences)
"""The experiments of a well-known textbook chapter on training deep networks, each as a built-in project.

    python -m benchmarks.chapter_projects            # writes resources/examples/chapter/*.lwr anew

The projects are data that the program ships; this is where they are made, so that what repeats stands in one place.
Settings are those with which the chapter's printed results were made: Keras's truncated normals, its numbers of Adam
and its kin, its batch normalisation. A test holds the files to this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.datafacts import DataFacts
from engine.datasets.facts import known_facts, shape_after
from engine.graph import Edge, Graph, Node
from engine.known import with_facts
from engine.layout import arrange
from engine.project import Project
from engine.projectfile import read_project, write_project
from engine.recipe import Recipe

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "examples" / "chapter"

Layer = tuple[str, str, dict[str, Any]]
"""(name, type, settings)"""
Block = tuple[str, int, list[Layer]]
"""(name, copies, layers)"""

HE, LECUN, GLOROT = ({"type": name} for name in ("he_truncated", "lecun_truncated", "glorot_uniform"))
NORM = {"momentum": 0.01, "eps": 1e-3}
"""Keras's batch normalisation: its momentum 0.99 is 0.01 here."""
FASHION = {"type": "fashion_mnist", "validation": 5000, "split": "last"}
CIFAR = {"type": "cifar10", "validation": 5000}
OTHER_CLASSES = "Trouser, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot"
KERAS = {"eps": 1e-7}


@dataclass(frozen=True)
class Experiment:
    """One project: what stands between Input and Output, the recipe, and what it shows."""

    notes: str
    body: list[Layer | Block]
    recipe: dict[str, Any] = field(default_factory=dict)
    initializer: dict[str, Any] = field(default_factory=lambda: dict(HE))
    defaults: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] | None = None
    """Samples per split where they are known only when the data is read."""


def flat(*rest: Layer | Block) -> list[Layer | Block]:
    """Flatten, and then these."""
    return [("flatten", "flatten", {}), *rest]


def dense(units: int, activation: str = "relu", name: str = "hidden", copies: int = 1, **more: Any) -> Block:
    """A block of Linear and activation, repeated."""
    layers: list[Layer] = [("linear", "linear", {"units": units, **more.pop("linear", {})})]
    if more.pop("norm", False):
        layers.append(("norm", "batch_norm1d", dict(NORM)))
    return name, copies, [*layers, ("act", activation, dict(more))]


def scores(units: int = 10, **more: Any) -> Layer:
    """The last Linear, drawn as Keras draws one of which nothing is said."""
    return "classes", "linear", {"units": units, "initializer": dict(GLOROT), **more}


def base(activation: str = "relu", **more: Any) -> list[Layer | Block]:
    """The chapter's base network: three hidden layers of 100."""
    return flat(dense(100, activation, copies=3, **more), scores())


def fashion(**more: Any) -> dict[str, Any]:
    """A recipe on Fashion-MNIST, the last 5,000 training images for validation, ten epochs unless told otherwise."""
    return {"data": FASHION, "epochs": 10, **more}


def sgd(lr: float, **more: Any) -> dict[str, Any]:
    """Gradient descent at a rate."""
    return {"type": "sgd", "lr": lr, **more}


STANDARD = {"type": "preprocess", "standardize": "feature"}
RAW = {"type": "preprocess", "scale": "none"}
DROPPED = flat(
    ("drop1", "dropout", {"rate": 0.2}), dense(100, name="hidden1"), ("drop2", "dropout", {"rate": 0.2}),
    dense(100, name="hidden2"), ("drop3", "dropout", {"rate": 0.2}), scores(),
)  # fmt: skip
DROPPED_RECIPE = fashion(optimizer=sgd(0.01, momentum=0.9))
STOPPING = {"type": "early_stopping", "enabled": True, "patience": 20}
TRANSFER = {
    "type": "fashion_mnist",
    "validation": 1011,
    "split": "last",
    "only": "T-shirt/top, Pullover",
    "limit": 1211,
}


def cifar(optimizer: dict[str, Any], *, standardised: bool = False, **more: Any) -> dict[str, Any]:
    """A recipe on CIFAR-10, raw pixels as in the chapter's exercise or standardised."""
    return {
        "data": CIFAR, "preprocess": STANDARD if standardised else RAW, "epochs": 100, "optimizer": optimizer,
        "early_stopping": STOPPING, **more,
    }  # fmt: skip


def nadam(lr: float) -> dict[str, Any]:
    """NAdam with Keras's numbers."""
    return {"type": "nadam", "lr": lr, **KERAS}


EXPERIMENTS: dict[str, Experiment] = {
    "E01": Experiment(
        "The historical cause of vanishing gradients: sigmoids and weights drawn from N(0, 1). Train it and look at the "
        "gradient flow over depth: the first layers get next to nothing, because the last ones saturate at 0 and 1. Draw "
        "the sigmoid in the inspector: flat at both ends, slope 1/4 in the middle.",
        flat(dense(100, "sigmoid", copies=10), scores()), fashion(optimizer=sgd(0.01)), {"type": "unit_normal"},
    ),
    "E02": Experiment(
        "Initial weights by name and by formula: a ReLU layer drawn by He, and a sigmoid layer by variance scaling with "
        "scale 2 over the mean of both fans, uniform. The inspector tells fans and deviation and shows what is drawn.",
        flat(
            dense(50, name="he"),
            ("general", 1, [
                ("linear", "linear", {"units": 50, "initializer": {
                    "type": "variance_scaling", "scale": 2.0, "mode": "fan_avg", "distribution": "uniform"}}),
                ("act", "sigmoid", {}),
            ]), scores(),
        ), fashion(optimizer=sgd(0.01)),
    ),
    "E03": Experiment(
        "Leaky ReLU: negative numbers pass times a slope, so that no unit dies. The slope is 0.2, which often works "
        "better than PyTorch's 0.01; draw it in the inspector beside ReLU.",
        base("leaky_relu", slope=0.2), fashion(optimizer=sgd(0.01)),
    ),
    "E04": Experiment(
        "ELU and SELU side by side: smooth, negative for negative numbers, with the asymptotes -1 and -1.758.",
        flat(dense(100, "elu", name="elu"), dense(100, "selu", name="selu", linear={"initializer": dict(LECUN)}),
             scores()), fashion(optimizer=sgd(0.01)),
    ),
    "E05": Experiment(
        "A hundred hidden layers with SELU, LeCun initial weights and standardised inputs: self-normalisation lets "
        "gradients through. Compare it with E06; both vary much from seed to seed.",
        flat(dense(100, "selu", copies=100), scores()),
        fashion(preprocess=STANDARD, optimizer=sgd(0.001), epochs=5), dict(LECUN),
    ),
    "E06": Experiment(
        "A hundred hidden layers with ReLU and He initial weights: it learns, but slowly and unevenly. Compare it with "
        "E05.", flat(dense(100, copies=100), scores()), fashion(preprocess=STANDARD, optimizer=sgd(0.001), epochs=5),
    ),
    "E07": Experiment(
        "GELU, Swish with two factors, and Mish, one layer each. Draw them over one another in the inspector: GELU nearly "
        "is Swish with factor 1.702; Mish overlaps Swish below 0 and GELU above.",
        flat(dense(100, "gelu", name="gelu"), dense(100, "swish_beta", name="near_gelu", beta=1.702),
             dense(100, "swish_beta", name="swish06", beta=0.6), dense(100, "mish", name="mish"), scores()),
        fashion(optimizer=sgd(0.01)),
    ),
    "E08": Experiment(
        "Batch normalisation after the activation, and before the first layer, where it replaces standardising the "
        "inputs. 271,346 numbers, of which 2,368 are running statistics.",
        flat(("norm0", "batch_norm1d", dict(NORM)), dense(300, name="hidden1"), ("norm1", "batch_norm1d", dict(NORM)),
             dense(100, name="hidden2"), ("norm2", "batch_norm1d", dict(NORM)), scores()),
        fashion(optimizer=sgd(0.01), epochs=2),
    ),
    "E09": Experiment(
        "Batch normalisation before the activation: the Linear before it needs no bias, since the norm has one.",
        flat(dense(300, name="hidden1", norm=True, linear={"bias": False}),
             dense(100, name="hidden2", norm=True, linear={"bias": False}), scores()),
        fashion(optimizer=sgd(0.01), epochs=2),
    ),
    "E10": Experiment(
        "Gradient clipping by norm, for each gradient alone as Keras's clipnorm does it; change it to value to clip every "
        "number by itself. The chart shows how often and how hard it clips.",
        base(), fashion(optimizer=sgd(0.01), clip={"type": "norm_each", "limit": 1.0}),
    ),
    "E11": Experiment(
        "Model A of the transfer experiment: eight classes of Fashion-MNIST, without T-shirts and pullovers. Its hidden "
        "layers are what E13 begins with.",
        flat(dense(100, copies=3), scores(8)),
        fashion(data={**FASHION, "validation": 3989, "only": OTHER_CLASSES}, optimizer=sgd(0.001), epochs=20),
        counts={"train": 44_011, "val": 3_989, "test": 8_000},
    ),
    "E12": Experiment(
        "Model B of the transfer experiment: T-shirt or pullover, from 200 images alone. Compare it with E13, which begins "
        "with the layers of E11.",
        flat(dense(100, copies=3), scores(1)),
        fashion(data=TRANSFER, optimizer=sgd(0.001), epochs=20, loss={"type": "binary_cross_entropy"}),
        counts={"train": 200, "val": 1_011, "test": 1_211},
    ),
    "E13": Experiment(
        "Model B on the layers of model A: train E11, take its hidden layers, hold them still for four epochs (a rate "
        "factor of 0, as here), then train everything for sixteen. The textbook's pair of classes was picked: over ten "
        "seeds three gain nothing.",
        flat(dense(100, copies=3), scores(1)),
        fashion(data=TRANSFER, optimizer=sgd(0.001), epochs=4, loss={"type": "binary_cross_entropy"},
                groups=[{"type": "group", "layers": "hidden", "lr_factor": 0.0}]),
        counts={"train": 200, "val": 1_011, "test": 1_211},
    ),
    "E14": Experiment("Plain gradient descent: no memory of past gradients. The slowest of E14 to E22.", base(),
                      fashion(optimizer=sgd(0.001))),
    "E15": Experiment("Momentum 0.9: gradients act as acceleration, and a steady slope is run down ten times faster.",
                      base(), fashion(optimizer=sgd(0.001, momentum=0.9))),
    "E16": Experiment("Nesterov momentum: the gradient is measured a little ahead, which dampens oscillation.", base(),
                      fashion(optimizer=sgd(0.001, momentum=0.9, nesterov=True))),
    "E17": Experiment("Adagrad with Keras's numbers: the rate falls along steep directions, and in the end everywhere, "
                      "so that learning stops too early.", base(),
                      fashion(optimizer={"type": "adagrad", "lr": 0.001, "initial": 0.1, **KERAS})),
    "E18": Experiment("RMSprop with Keras's numbers: Adagrad that forgets old gradients.", base(),
                      fashion(optimizer={"type": "rmsprop", "lr": 0.001, "alpha": 0.9, **KERAS})),
    "E19": Experiment("Adam with Keras's numbers: momentum and RMSprop together.", base(),
                      fashion(optimizer={"type": "adam", "lr": 0.001, **KERAS})),
    "E20": Experiment("Adamax: Adam with the largest recent gradient in place of their mean square.", base(),
                      fashion(optimizer={"type": "adamax", "lr": 0.001, **KERAS})),
    "E21": Experiment("NAdam as older Keras had it: Adam that looks one step ahead.", base(),
                      fashion(optimizer=nadam(0.001))),
    "E22": Experiment("AdamW as the printed results were made: weights shrink by 1e-5 in each step, which is rate times "
                      "decay here. With the decay 1e-5 that is often printed, single precision would round it away.",
                      base(), fashion(optimizer={"type": "adamw", "lr": 0.001, "weight_decay": 0.01, **KERAS})),
    "E23": Experiment("Power schedule: half the rate after 10,000 steps, a third after 20,000.", base(),
                      fashion(optimizer=sgd(0.01), schedule={"type": "power", "s": 10_000.0, "unit": "steps"})),
    "E24": Experiment("Exponential schedule by step: a tenth of the rate every 20,000 steps.", base(),
                      fashion(optimizer=sgd(0.01),
                              schedule={"type": "exponential", "every": 20_000.0, "unit": "steps"})),
    "E25": Experiment("Exponential schedule by epoch: a tenth of the rate every 20 epochs, the same for a whole epoch.",
                      base(), fashion(optimizer=sgd(0.01), epochs=25, schedule={"type": "exponential", "per": "epoch"})),
    "E26": Experiment("Exponential schedule by step over the whole training: 0.01 falls to 0.001.", base(),
                      fashion(optimizer=sgd(0.01), epochs=25,
                              schedule={"type": "exponential", "every": 42_975.0, "unit": "steps"})),
    "E27": Experiment("Piecewise constant by step. Ten epochs are 17,190 steps, so neither boundary is reached: the "
                      "printed result is that of a constant rate.", base(),
                      fashion(optimizer=sgd(0.01), schedule={"type": "piecewise", "boundaries": [31_250.0, 50_000.0],
                                                             "values": [1.0, 0.5, 0.1], "unit": "steps"})),
    "E28": Experiment("Piecewise constant by epoch: 0.01 for five epochs, 0.005 to epoch 15, then 0.001; NAdam as newer Keras has it, with "
                      "which the printed result was made.",
                      base(), fashion(optimizer={**nadam(0.01), "momentum_decay": 1.0}, epochs=25,
                                      schedule={"type": "piecewise", "boundaries": [5.0, 15.0],
                                                "values": [1.0, 0.5, 0.1]})),
    "E30": Experiment("Performance scheduling: half the rate after five epochs without a better validation loss.", base(),
                      fashion(optimizer=sgd(0.01), epochs=25,
                              schedule={"type": "plateau", "by": 0.5, "patience": 5, "min_delta": 1e-4})),
    "E31": Experiment("Learning-rate range test: Train > Find a learning rate, from 1e-4 to 1 over one epoch at batch "
                      "128. The loss is lowest near 0.1 and shoots up beyond; take a tenth of where it turns.", base(),
                      fashion(optimizer=sgd(0.001), batch_size=128, epochs=1)),
    "E32": Experiment("1cycle with the rate that the range test of E31 finds: up to it, down again, and far below in the "
                      "last steps.", base(),
                      fashion(optimizer=sgd(0.1), batch_size=128, epochs=25, schedule={"type": "one_cycle"})),
    "E33": Experiment("l2 of 0.01 on the weights of all three layers. The loss is told without the penalty, which stands "
                      "beside it; Keras prints their sum.", flat(dense(100, copies=2), scores()),
                      fashion(optimizer=sgd(0.02), epochs=2), defaults={"regularizer": {"type": "l2", "l2": 0.01}}),
    "E34": Experiment("Dropout of a fifth before each Linear, inputs included.", DROPPED, DROPPED_RECIPE),
    "E35": Experiment("The network of E34: its training loss is measured with dropout on, and so is not comparable with "
                      "the validation loss. Here the training set is evaluated anew with dropout off.", DROPPED,
                      {**DROPPED_RECIPE, "train_figures": "evaluated"}),
    "E36": Experiment("MC dropout on the network of E34: train it, then evaluate with 100 passes. The mean probabilities "
                      "are hardly more accurate, but tell how sure the network is.", DROPPED, DROPPED_RECIPE),
    "E37": Experiment("MC dropout in a network with batch normalisation: only the dropout layers may be on, or the norm "
                      "would take the statistics of the batch that it is asked about.",
                      flat(("drop1", "dropout", {"rate": 0.2}), dense(100, name="hidden1", norm=True),
                           ("drop2", "dropout", {"rate": 0.2}), dense(100, name="hidden2", norm=True),
                           ("drop3", "dropout", {"rate": 0.2}), scores()), DROPPED_RECIPE),
    "E38": Experiment("Max-norm 1: after each step the weights that enter a unit are shrunk to length 1 where they are "
                      "longer. They start at 1.41, so that the first step shrinks them all.",
                      flat(dense(100, copies=2, linear={"max_norm": 1.0}), scores()), fashion(optimizer=sgd(0.01))),
    "H01": Experiment("A thousand SELU layers without biases: mean 0 and deviation 1 survive all of them. Look at the "
                      "gradient flow over depth in the first steps; it takes long to train.",
                      flat(("entry", "linear", {"units": 100}), dense(100, "selu", copies=1000, linear={"bias": False}),
                           scores()), fashion(preprocess=STANDARD, optimizer=sgd(0.001), epochs=1), dict(LECUN)),
    "X8a": Experiment("CIFAR-10 by a deep network: twenty hidden layers of 100 with Swish and He initial weights.",
                      flat(dense(100, "silu", copies=20), scores()), cifar(nadam(5e-5))),
    "X8b": Experiment("The network of X8a with NAdam at the rate that a search found, and early stopping.",
                      flat(dense(100, "silu", copies=20), scores()), cifar(nadam(5e-5))),
    "X8c": Experiment("X8b with batch normalisation: ten times the rate, fewer epochs, a better network.",
                      flat(dense(100, "silu", copies=20, norm=True), scores()), cifar(nadam(5e-4))),
    "X8d": Experiment("SELU in place of batch normalisation: standardised inputs, LeCun initial weights, a plain stack.",
                      flat(dense(100, "selu", copies=20), scores()), cifar(nadam(7e-4), standardised=True), dict(LECUN)),
    "X8e": Experiment("X8d with alpha dropout before the last layer, and MC dropout without training again.",
                      flat(dense(100, "selu", copies=20), ("drop", "alpha_dropout", {"rate": 0.1}), scores()),
                      cifar(nadam(5e-4), standardised=True), dict(LECUN)),
    "X8f": Experiment("X8e with 1cycle and larger batches: fifteen epochs do what took thirty.",
                      flat(dense(100, "selu", copies=20), ("drop", "alpha_dropout", {"rate": 0.1}), scores()),
                      cifar(sgd(0.02), standardised=True, epochs=15, batch_size=128, schedule={"type": "one_cycle"},
                            early_stopping={"type": "early_stopping"}), dict(LECUN)),
}  # fmt: skip


MUTED = {
    "E01": ("saturating",), "E04": ("selu-inputs",), "E37": ("bias-before-norm",), "X8a": ("inputs-scaled",),
    "X8b": ("inputs-scaled",), "X8c": ("bias-before-norm", "inputs-scaled"),
}  # fmt: skip
"""Advice that would change the very thing an experiment is about, or the numbers that the chapter prints for it."""


def project_of(name: str) -> Project:
    """The project of an experiment."""
    found = EXPERIMENTS[name]
    recipe = Recipe()
    for key, value in found.recipe.items():
        recipe = recipe.with_value(key, value)
    graph = _graph(found)
    for definition in ("", *graph.definitions):
        graph = arrange(graph, definition)
    made = Project(name=name, graph=graph, recipe=recipe, notes=found.notes, muted=MUTED.get(name, ()))
    with TemporaryDirectory() as folder:
        # Facts belong to the recipe as a file gives it back.
        write_project(made, Path(folder) / "made.lwr")
        made = read_project(Path(folder) / "made.lwr").project
    return with_facts(made, _facts(made.recipe, found.counts))


def _facts(recipe: Recipe, counts: Mapping[str, int] | None) -> DataFacts:
    facts = known_facts(recipe)
    if facts is not None:
        return facts
    described = recipe.made("data").described()
    streams = {
        name: {"kind": item.kind, "shape": list(item.shape), "top": item.top, "names": list(item.names)}
        for name, item in described.streams.items()
    }
    preprocess = recipe.made("preprocess")
    inputs = {name: shape_after(stream, preprocess) for name, stream in described.streams.items()}
    return DataFacts(inputs, described.targets, dict(counts or {}), extra={"streams": streams})


def _graph(found: Experiment) -> Graph:
    nodes, edges, definitions, last = {"images": Node("images", "images", "input")}, [], {}, "images"
    for item in found.body:
        if isinstance(item[1], str):
            name, type_name, settings = item
            nodes[name] = Node(name, name, type_name, settings)
        else:
            name, copies, layers = item  # type: ignore[assignment]
            definitions[name] = _block(name, layers)  # type: ignore[arg-type]
            nodes[name] = Node(name, name, "group", definition=name, repeat=copies)  # type: ignore[arg-type]
        edges.append(Edge(last, "out", name, "x"))
        last = name
    nodes["scores"] = Node("scores", "scores", "output", found.output)
    edges.append(Edge(last, "out", "scores", "x"))
    defaults = {"initializer": found.initializer, **found.defaults}
    return Graph(nodes, tuple(edges), definitions=definitions, defaults=defaults)


def _block(name: str, layers: Iterable[Layer]) -> Graph:
    ids = [f"{name}-{layer[0]}" for layer in layers]
    nodes = {f"{name}-x": Node(f"{name}-x", "x", "group_input")}
    nodes |= {key: Node(key, layer[0], layer[1], layer[2]) for key, layer in zip(ids, layers, strict=True)}
    nodes[f"{name}-out"] = Node(f"{name}-out", "out", "group_output")
    row = list(nodes)
    edges = tuple(Edge(before, "out", after, "x") for before, after in pairwise(row))
    return replace(Graph(nodes, edges), title=name)


def main() -> None:
    """Writes every project."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in EXPERIMENTS:
        write_project(project_of(name), FOLDER / f"{name}.lwr")
    print(f"{len(EXPERIMENTS)} projects in {FOLDER}")


if __name__ == "__main__":
    main()
