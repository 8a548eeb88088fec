"""Advice about how data enters and how weights decay. The list of rules is in `check_advice.py`."""

from __future__ import annotations

from collections.abc import Iterator

from engine import fixing
from engine.advice_view import BATCH_NORMS, NORMS, Level, View, type_of
from engine.check_advice_layers import Found
from engine.check_outputs import loss_of, target_of
from engine.datafacts import BINARY, CLASS
from engine.graph import INPUT, OUTPUT, Node
from engine.known import known_data
from engine.problem import Fix, Where
from engine.project import Project
from engine.tensor import FLOAT

ADAMS = ("adam", "adamax", "nadam", "radam")
DRAWN = ("moons", "circles", "spirals")
"""Data that is made around 0 with a size near 1."""


def selu_inputs(view: View) -> Iterator[Found]:
    """SELU without standardised inputs; a normalisation at the input standardises them as well."""
    if view.selu and not view.standardised and view.recipe_type("data") not in DRAWN and not _normed_first(view):
        yield _standardise(view, "feature", "The inputs are not standardised, and SELU activates the layers")


def inputs_scaled(view: View) -> Iterator[Found]:
    """Tables whose columns keep their own sizes, and images whose pixels stay 0 to 255."""
    if view.standardised or _normed_first(view) or view.selu:
        return
    facts = known_data(view.project)
    if facts is None or not facts.inputs:
        return
    sizes = [info.shape for info in facts.inputs.values() if info.dtype == FLOAT]
    if view.recipe_type("data") == "csv" and any(len(shape) == 1 and shape[0] > 1 for shape in sizes):
        yield _standardise(view, "feature", "Columns of the table enter with sizes of their own")
    chosen = view.project.recipe.get("preprocess")
    images = any(len(shape) == 3 for shape in sizes) and view.recipe_type("data") != "npz"
    if images and isinstance(chosen, dict) and chosen.get("scale") == "none":
        path = "recipe.preprocess.scale"
        fix = Fix("Scale pixels to 0 to 1", apply=fixing.set_recipe("preprocess", {**chosen, "scale": "unit"}))
        yield Found(Where(label=path, path=path), "Pixels enter as 0 to 255", (fix,))


def l2_adam(view: View) -> Iterator[Found]:
    """l2, as decay of the optimizer or as penalty of layers, with Adam or a relative that does not decouple it."""
    kind, tagged = view.recipe_type("optimizer"), view.project.recipe.get("optimizer")
    if kind not in ADAMS or tagged.get("decoupled"):
        return
    decay = tagged.get("weight_decay", 0.0)
    if isinstance(decay, (int, float)) and 0 < decay <= 1e6:  # beyond, the rules of the recipe have their say
        path = "recipe.optimizer.weight_decay"
        fix = Fix("Use AdamW", "the same rate and decay", apply=_adamw)
        yield Found(Where(label=path, path=path), f"Weight decay {decay:g} is plain l2 in this optimizer", (fix,))
    penalised = [
        (level, node) for level in view.levels for node in level.weighted
        if level.choice(node, "regularizer") == "l2"
    ]  # fmt: skip
    if penalised:
        level, node = penalised[0]

        def apply(project: Project) -> Project:
            for place, layer in penalised:
                project = fixing.set_params(place.definition, layer.id, {"regularizer": {"type": "none"}})(project)
            return _adamw(project)

        more = f" and {len(penalised) - 1} more" if len(penalised) > 1 else ""
        where = Where(label=node.name, node=node.id, definition=level.definition, path=f"nodes.{node.name}")
        fix = Fix("Use AdamW instead of l2", "its decay is not the same number; 0.01 is usual", apply=apply)
        yield Found(where, f"{node.name}{more} cost l2 under an optimizer of Adam's kind", (fix,))


def flatten_missing(view: View) -> Iterator[Found]:
    """An image that reaches an Output for classes through dense layers only, row by row."""
    facts, level = known_data(view.project), view.levels[0]
    if facts is None:
        return
    for node in level.level.of_type(INPUT):
        info = facts.inputs.get(str(node.params.get("stream") or next(iter(facts.inputs), "")))
        if info is None or info.rank < 2 or info.dtype != FLOAT:
            continue
        for dense in _dense_after(level, node):
            target = next((end for end in _ends(level, dense) if _answers_classes(view, end)), None)
            edge = next(edge for edge in level.level.incoming(dense.id))
            if target is not None:
                fix = Fix("Insert Flatten", apply=fixing.insert("", edge, ("flatten", {})))
                where = Where(label=dense.name, node=dense.id, path=f"nodes.{dense.name}")
                yield Found(where, f"gets {info} and weighs its last axis only", (fix,))


def _dense_after(level: Level, node: Node) -> list[Node]:
    """The first dense layers behind an Input with nothing before them that changes the rank."""
    found = []
    waiting = level.after(node)[:]
    while waiting:
        here = waiting.pop()
        if here.type == "linear":
            found.append(here)
        elif level.families[here.id] == "activation" or here.type in NORMS or here.type in ("dropout", "identity"):
            waiting += level.after(here)
    return found


def _ends(level: Level, node: Node) -> Iterator[Node]:
    """The Outputs that dense layers alone lead to."""
    waiting, seen = level.after(node)[:], set[str]()
    while waiting:
        here = waiting.pop()
        if here.id in seen:
            continue
        seen.add(here.id)
        if here.type == OUTPUT:
            yield here
        elif here.type in ("linear", "dropout", "identity", *NORMS) or level.families[here.id] == "activation":
            waiting += level.after(here)


def _answers_classes(view: View, node: Node) -> bool:
    facts = known_data(view.project)
    target = target_of(node, facts) if facts else None
    return target is not None and target.kind in (CLASS, BINARY) and loss_of(view.project, node) is not None


def _normed_first(view: View) -> bool:
    """Whether every Input goes through a normalisation before anything else."""
    level = view.levels[0]
    inputs = level.level.of_type(INPUT)
    return bool(inputs) and all(
        any(after.type in BATCH_NORMS or _flattened_norm(level, after) for after in level.after(node))
        for node in inputs
    )


def _flattened_norm(level: Level, node: Node) -> bool:
    return node.type == "flatten" and any(after.type in BATCH_NORMS for after in level.after(node))


def _standardise(view: View, way: str, words: str) -> Found:
    chosen = view.project.recipe.get("preprocess")
    path = "recipe.preprocess.standardize"
    fix = Fix("Standardise each feature", "mean 0 and deviation 1 over the training set",
              apply=fixing.set_recipe("preprocess", {**chosen, "standardize": way}))  # fmt: skip
    return Found(Where(label=path, path=path), words, (fix,))


def _adamw(project: Project) -> Project:
    """AdamW with what it shares with the optimizer of now."""
    tagged = project.recipe.get("optimizer")
    kept = {key: tagged[key] for key in ("lr", "beta1", "beta2", "eps", "weight_decay") if key in tagged}
    if type_of(tagged) == "adamax" and "lr" not in tagged:
        kept.pop("lr", None)
    return fixing.set_recipe("optimizer", {**kept, "type": "adamw"})(project)
