"""Whole configurations of good practice, applied to a project in one step and explained change by change.

Owns the two presets and what each would change. A preset never touches the layer that answers, a layer that shares
its weights, or what already is as it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine import edits, fixing
from engine.advice_view import BATCH_NORMS, NORMS, Level, View, type_of
from engine.check_advice_layers import GLOROT_FOR, HE_FOR
from engine.declare import find
from engine.fixing import Apply
from engine.graph import Graph, Node
from engine.layout import arrange
from engine.problem import ProblemError, Where, error
from engine.project import Project

DEEP = 5
"""Hidden layers from which a network counts as deep; the tables themselves name no number."""
SWAPPED = (*HE_FOR, *GLOROT_FOR, "selu")
"""Activations that a preset may replace; softmax of a hidden layer, gates and shrinking forms mean something else."""


@dataclass(frozen=True)
class Change:
    """One thing that a preset changes: what it was, what it becomes, why, and the edit."""

    what: str
    before: str
    after: str
    why: str
    apply: Apply


@dataclass(frozen=True)
class Preset:
    """A configuration by name."""

    id: str
    title: str
    help: str
    source: str
    plan: Callable[[Project], list[Change]]


def default_network(project: Project) -> list[Change]:
    """The default configuration of a deep network; ProblemError where there is nothing to configure."""
    view = View(project)
    hidden = _hidden(view)
    count = sum(view.copies(level) for level, _ in hidden)
    deep = count >= DEEP
    size = f"{count} hidden layers are {'deep' if deep else 'shallow'}"
    found = list(_init(hidden, "he", "He normal", "he_normal", "Variance 2/fan_in suits ReLU, Swish and their kin"))
    kind, title = ("silu", "Swish") if deep else ("relu", "ReLU")
    found += _activations(view, hidden, kind, title, f"{size}: {title} is the default")
    if deep:
        found += _norms(hidden, f"{size}: batch normalisation keeps signals and gradients in size")
    return [*found, *_stopping(project), *_optimizer(project, adamw=True), *_schedule(project)]


def self_normalising(project: Project) -> list[Change]:
    """The configuration of a self-normalising network; ProblemError for a network that is no plain dense stack."""
    view = View(project)
    hidden = _hidden(view)
    _refuse_branches(view)
    found = list(_init(hidden, "lecun", "LeCun normal", "lecun_normal", "Variance 1/fan_in, which SELU needs"))
    found += _activations(view, hidden, "selu", "SELU", "It keeps mean 0 and deviation 1 from layer to layer")
    found += _without(view, hidden)
    chosen = project.recipe.get("preprocess")
    if not view.standardised:
        apply = fixing.set_recipe("preprocess", {**chosen, "standardize": "feature"})
        found.append(Change("Inputs", "not standardised", "standardised by feature",
                            "Self-normalisation begins with inputs of mean 0 and deviation 1", apply))  # fmt: skip
    return [*found, *_optimizer(project, adamw=False), *_schedule(project)]


_BOOK = "Géron, Hands-On Machine Learning, 3rd edition, chapter 11, Summary and Practical Guidelines"
PRESETS = {
    preset.id: preset
    for preset in (
        Preset("default", "Default deep network",
               "He's weights, ReLU or in deep networks Swish with batch normalisation, early stopping, Nesterov "
               "momentum and a rate that falls when validation stops improving", _BOOK, default_network),
        Preset("self-normalising", "Self-normalising network",
               "LeCun's weights, SELU, standardised inputs, alpha dropout instead of dropout, no normalisation and no "
               "penalties; for a plain stack of dense layers", _BOOK, self_normalising),
    )
}  # fmt: skip


def apply_changes(project: Project, changes: Sequence[Change]) -> Project:
    """The project with all of them; levels that got new layers are laid out anew."""
    before = project.graph
    for change in changes:
        project = change.apply(project)
    graph = project.graph
    for definition, level in before.levels():
        if set(graph.level(definition).nodes) - set(level.nodes):
            graph = arrange(graph, definition)
    return project.with_graph(graph) if graph is not project.graph else project


Places = Sequence[tuple[Level, Node]]


def _hidden(view: View) -> Places:
    """Dense and convolution layers that do not answer."""
    found = [
        (level, node) for level in view.levels for node in level.weighted
        if level.families[node.id] in ("linear", "convolution") and not node.shares and not view.is_last(level, node)
    ]  # fmt: skip
    if not found:
        raise ProblemError(error("network", "It has no hidden dense or convolution layer",
                                 "At least one before the last layer", "Add a layer first", code="preset"))  # fmt: skip
    return found


def _init(hidden: Places, family: str, title: str, kind: str, why: str) -> Iterator[Change]:
    other = [(level, node) for level, node in hidden
             if not level.choice(node, "initializer").startswith(family)]  # fmt: skip
    if other:
        before = sorted({_title("initializer", level.choice(node, "initializer") or "torch") for level, node in other})
        steps = [fixing.set_params(level.definition, node.id, {"initializer": {"type": kind}}) for level, node in other]
        yield Change(f"Initial weights {_count(len(other))}", ", ".join(before), title, why, _all(steps))


def _activations(view: View, hidden: Places, kind: str, title: str, why: str) -> Iterator[Change]:
    steps: dict[str, Apply] = {}
    before: set[str] = set()
    for level, node in hidden:
        found, own = level.activation(node)
        gate = any(after.type == "multiply" for after in level.after(own or node))
        if found == kind or found not in SWAPPED or gate:
            continue
        before.add(found)
        if own is not None:
            steps[own.id] = fixing.change(level.definition, own.id, type=kind, params={})
        else:
            steps[node.id] = fixing.set_params(level.definition, node.id, {"activation": {"type": kind}})
    if steps:
        yield Change(
            f"Activation {_count(len(steps))}",
            ", ".join(sorted(_title("layer", found) for found in before)),
            title,
            why,
            _all([*steps.values()]),
        )


def _norms(hidden: Places, why: str) -> Iterator[Change]:
    """Batch normalisation before the activation of layers that have no normalisation on either side of it."""
    kinds = {"linear": "batch_norm1d", "conv1d": "batch_norm1d", "conv2d": "batch_norm2d"}
    steps = []
    for level, node in hidden:
        _, own = level.activation(node)
        following = level.after(node)
        sequence = any(family in ("recurrent", "attention") for family in level.families.values())
        behind = level.after(own) if own is not None else []
        normed = level.choice(node, "normalization") or any(
            near.type in NORMS for near in [*following, *behind, *level.before(node)]
        )
        if level.choice(node, "activation") and not normed and not sequence:
            inside = {"normalization": {"type": "batch_norm"}, "bias": False}
            steps.append(fixing.set_params(level.definition, node.id, inside))
            continue
        # Else only a layer with an activation behind it has a clear place for it; in sequences axes mean other things.
        if own is None or len(following) != 1 or normed or sequence or node.type not in kinds:
            continue
        steps.append(_normed(level.definition, node, kinds[node.type]))
    if steps:
        yield Change(f"Normalisation {_count(len(steps))}", "none", "batch normalisation, biases off", why, _all(steps))


def _normed(definition: str, node: Node, kind: str) -> Apply:
    def apply(project: Project) -> Project:
        graph: Graph = project.graph
        (edge,) = graph.level(definition).outgoing(node.id)
        graph, made = edits.add_node(graph, definition, kind, x=node.x, y=node.y)
        graph = edits.insert_on_edge(graph, definition, edge, made.id)
        return project.with_graph(edits.set_params(graph, definition, node.id, {"bias": False}))

    return apply


def _without(view: View, hidden: Places) -> Iterator[Change]:
    """What self-normalisation excludes."""
    norms, drops = [], []
    for level in view.levels:
        for node in level.level.nodes.values():
            if node.type in (*BATCH_NORMS, *NORMS):
                norms.append(fixing.remove(level.definition, [node.id], bridge=True))
            if node.type in ("dropout", "dropout2d"):
                kept = {key: value for key, value in node.params.items() if key == "rate"}
                drops.append(fixing.change(level.definition, node.id, type="alpha_dropout", params=kept))
    for level, node in hidden:
        if level.choice(node, "normalization"):
            norms.append(fixing.set_params(level.definition, node.id, {"normalization": {"type": "none"}}))
        if node.params.get("bias") is False:
            norms.append(fixing.drop_param(level.definition, node.id, "bias"))
    if norms:
        yield Change("Normalisation", "normalised layers", "none", "SELU normalises by itself", _all(norms))
    if drops:
        why = "It keeps the mean and deviation that plain dropout changes"
        yield Change(f"Dropout {_count(len(drops))}", "plain", "alpha dropout", why, _all(drops))
    costs = [
        fixing.set_params(level.definition, node.id, {name: off})
        for level, node in hidden
        for name, off in (("regularizer", {"type": "none"}), ("max_norm", 0.0))
        if (level.choice(node, name) if name == "regularizer" else level.setting(node, name))
    ]
    if costs:
        yield Change("Penalties and max-norm", "some", "none", "They pull weights off variance 1/fan_in", _all(costs))


def _refuse_branches(view: View) -> None:
    for level in view.levels:
        for node in level.level.nodes.values():
            family = level.families[node.id]
            if family in ("recurrent", "attention", "convolution") or (
                family == "merge" and len(level.before(node)) > 1
            ):
                raise ProblemError(error(
                    Where(label=node.name, node=node.id, definition=level.definition),
                    f"{node.name} makes this network more than a plain stack of dense layers", "Dense layers in a row",
                    "Use the preset default", code="preset",
                ))  # fmt: skip


def _stopping(project: Project) -> Iterator[Change]:
    tagged = project.recipe.get("early_stopping")
    if not tagged.get("enabled"):
        after = {**tagged, "enabled": True, "patience": tagged.get("patience", 20)}
        yield Change("Early stopping", "off", f"patience {after['patience']} epochs, best weights kept",
                     "It ends the training before the network learns the samples by heart",
                     fixing.set_recipe("early_stopping", after))  # fmt: skip


def _optimizer(project: Project, *, adamw: bool) -> Iterator[Change]:
    """Nesterov's momentum; AdamW passes where the table has it too."""
    tagged = project.recipe.get("optimizer")
    kind = type_of(tagged)
    if (adamw and kind == "adamw") or (kind == "sgd" and tagged.get("nesterov") and tagged.get("momentum")):
        return
    rate = {"lr": tagged["lr"]} if kind == "sgd" and "lr" in tagged else {}
    after = {"type": "sgd", **rate, "momentum": tagged.get("momentum", 0.0) or 0.9 if kind == "sgd" else 0.9,
             "nesterov": True}  # fmt: skip
    why = "As fast as adaptive optimizers with a tuned rate, and often better in the end; look for the rate anew"
    before = _title("optimizer", kind)
    yield Change("Optimizer", before, "SGD with Nesterov momentum", why, fixing.set_recipe("optimizer", after))


def _schedule(project: Project) -> Iterator[Change]:
    kind = type_of(project.recipe.get("schedule"))
    if kind not in ("plateau", "one_cycle"):
        why = "The rate halves when validation has not improved for 5 epochs; 1cycle is the other default"
        yield Change(
            "Learning rate",
            _title("schedule", kind),
            "Plateau",
            why,
            fixing.set_recipe("schedule", {"type": "plateau"}),
        )


def _title(kind: str, type_name: str) -> str:
    found = find(kind, type_name)
    return found.title if found else type_name or "none"


def _count(number: int) -> str:
    return f"of {number} layer{'s' if number > 1 else ''}"


def _all(steps: Sequence[Apply]) -> Apply:
    def apply(project: Project) -> Project:
        for step in steps:
            project = step(project)
        return project

    return apply
