"""Advice about layers: SELU's conditions, initial weights, saturation, biases, dropout and the last activation.

Each function looks at the project's view and yields what it found; why, and who says so, stands in the list of rules
of `check_advice.py`. One finding names all layers concerned and its fix mends them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine import fixing
from engine.advice_view import BATCH_NORMS, DROPOUTS, NORMS, Level, View
from engine.check_outputs import loss_of
from engine.graph import INPUT, OUTPUT, Node
from engine.known import known_data
from engine.problem import Fix, Where
from engine.project import Project


@dataclass(frozen=True)
class Found:
    """What a rule found: where it shows, in words, and how to mend it."""

    where: Where
    happened: str
    fixes: tuple[Fix, ...] = ()


Place = tuple[Level, Node]
HE_FOR = ("relu", "leaky_relu", "prelu", "rrelu", "elu", "celu", "gelu", "silu", "swish_beta", "mish", "relu6",
          "hard_swish")  # fmt: skip
GLOROT_FOR = ("tanh", "sigmoid", "softmax", "hard_tanh", "hard_sigmoid", "softsign")
SATURATING = ("sigmoid", "tanh", "hard_sigmoid", "hard_tanh")
DEEP = 5
"""From so many saturating layers on the first get next to nothing; a few train well."""


_ONE_VECTOR = ("flatten", "mean", "reshape")
"""Layers behind which a sample may be one vector again."""


def selu_init(view: View) -> Iterator[Found]:
    """Layers before SELU whose weights do not have variance 1/fan_in."""
    found = [(level, node) for level, node, _ in view.selu if not _is_lecun(level.setting(node, "initializer"))]
    if found:
        yield _of(found, "feeds SELU, but its weights do not start with variance 1/fan_in",
                  "feed SELU, but their weights do not start with variance 1/fan_in",
                  _each("Use LeCun normal", found, _setting("initializer", {"type": "lecun_normal"})))  # fmt: skip


def selu_topology(view: View) -> Iterator[Found]:
    """SELU in a network that is no plain stack."""
    if not view.selu:
        return
    branching = [
        (level, node) for level in view.levels for node in level.level.nodes.values()
        if (level.families[node.id] == "merge" and len(level.before(node)) > 1)
        or level.families[node.id] in ("recurrent", "attention")
    ]  # fmt: skip
    if branching:
        places = [(level, own or node) for level, node, own in view.selu]
        layers = [(level, node) for level, node, _ in view.selu]
        drawn = _together(layers, _setting("initializer", {"type": "he_normal"}))
        other = _together(places, _reactivated("elu"))
        fix = Fix("Use ELU and He normal", f"in {len(layers)} layers", apply=lambda project: other(drawn(project)))
        yield _of(places, "is SELU in a network that is no plain stack",
                  "are SELU in a network that is no plain stack", fix)  # fmt: skip


def selu_rules(view: View) -> Iterator[Found]:
    """What disturbs SELU: plain dropout, normalisation, penalties and max-norm."""
    if not view.selu:
        return
    levels = list(dict.fromkeys(level for level, _, _ in view.selu))
    inside = [(level, node) for level in levels for node in level.level.nodes.values()]
    dropped = [(level, node) for level, node in inside if node.type in ("dropout", "dropout2d")]
    if dropped:
        yield _of(dropped, "is plain dropout in a network of SELU", "are plain dropout in a network of SELU",
                  _each("Use alpha dropout", dropped, _retyped("alpha_dropout")))  # fmt: skip
    normed = [(level, node) for level, node in inside if node.type in NORMS and _hidden(level, node)]
    if normed:
        yield _of(normed, "normalises what SELU already keeps normal", "normalise what SELU already keeps normal",
                  _each("Remove it" if len(normed) == 1 else "Remove them", normed, _removed))  # fmt: skip
    layers = [(level, node) for level, node, _ in view.selu]
    for name, off, words in (
        ("regularizer", {"type": "none"}, "a penalty on weights"),
        ("normalization", {"type": "none"}, "a normalisation"),
        ("max_norm", 0.0, "a max-norm"),
    ):
        held = [(level, node) for level, node in layers if _is_set(level, node, name)]
        if held:
            yield _of(held, f"has {words} and feeds SELU", f"have {words} and feed SELU",
                      _each("Switch it off", held, _setting(name, off)))  # fmt: skip


def init_fits(view: View) -> Iterator[Found]:
    """Initial weights that were chosen for another activation; torch's own are nobody's choice and pass."""
    wrong: dict[str, list[Place]] = {}
    for level in view.levels:
        for node in level.weighted:
            chosen = level.choice(node, "initializer").partition("_")[0]
            if chosen not in ("he", "glorot", "lecun"):
                continue
            kind, _ = level.activation(node)
            wanted = "he" if kind in HE_FOR else "glorot" if kind in GLOROT_FOR else chosen
            if wanted != chosen and not view.is_last(level, node):
                wrong.setdefault(wanted, []).append((level, node))
    for wanted, places in wrong.items():
        title = {"he": "He", "glorot": "Glorot"}[wanted]
        suits = {"he": "ReLU and its relatives", "glorot": "tanh and sigmoid"}[wanted]
        change = _setting("initializer", {"type": f"{wanted}_normal"})
        yield _of(places, f"starts with weights made for another activation; {title}'s suit {suits}",
                  f"start with weights made for another activation; {title}'s suit {suits}",
                  _each(f"Use {title} normal", places, change))  # fmt: skip


def saturating(view: View) -> Iterator[Found]:
    """Five or more hidden layers with sigmoid or tanh, gates left out, and no normalisation that would help."""
    for level in view.levels:
        if any(node.type in NORMS for node in level.level.nodes.values()):
            continue
        places: list[Place] = []
        for node in level.weighted:
            kind, own = level.activation(node)
            last = own or node
            if kind in SATURATING and not view.is_last(level, node) and not _gates(level, last):
                places.append((level, last))
        count = len(places) * view.copies(level)
        if count >= DEEP:
            yield _of(places, f"squashes the numbers of {count} hidden layers",
                      f"squash the numbers of {count} hidden layers",
                      _each("Use ReLU", places, _reactivated("relu")))  # fmt: skip


def bias_before_norm(view: View) -> Iterator[Found]:
    """Layers with a bias that feed nothing but a batch normalisation."""
    found: list[Place] = []
    for level in view.levels:
        here: list[Place] = []
        kinds = {node.type for node in level.level.nodes.values()}
        for node in level.weighted:
            if node.params.get("bias", True) is not True or not _has_bias(node) or node.shares:
                continue
            first = level.choice(node, "normalization") == "batch_norm" and (
                level.setting(node, "norm_place") != "after" or not level.choice(node, "activation")
            )
            following = level.after(node) if kinds & set(BATCH_NORMS) else []
            behind = len(following) == 1 and following[0].type in BATCH_NORMS
            if first or (behind and not level.choice(node, "activation")):
                here.append((level, node))
        apart = _on_sequences(view, level) if here else set[str]()
        found += [place for place in here if place[1].type != "linear" or place[1].id not in apart]
    if found:
        yield _of(found, "has a bias that the batch normalisation after it takes away",
                  "have a bias that the batch normalisation after them takes away",
                  _each("Switch the bias off", found, _setting("bias", False)))  # fmt: skip


def _on_sequences(view: View, level: Level) -> set[str]:
    """Ids of the nodes that get several vectors a sample, as far as the layers before them tell. A batch normalisation
    behind a dense layer there has one mean per place of the sequence, and takes no bias of a unit away.
    """
    facts = known_data(view.project)

    def gives(node: Node) -> bool:
        if node.type == INPUT and facts is not None:
            info = facts.inputs.get(str(node.params.get("stream") or next(iter(facts.inputs), "")))
            return info is not None and info.rank > 1
        family = level.families[node.id]
        return (family == "attention" or node.type == "embedding") or (family == "recurrent" and not ends(node))

    def ends(node: Node) -> bool:
        last = level.families[node.id] == "recurrent" and node.type != "embedding"
        return (last and node.params.get("returns", "last") == "last") or (
            node.type in _ONE_VECTOR or level.families[node.id] == "pooling"
        )

    waiting, found = [node for node in level.level.nodes.values() if gives(node)], set[str]()
    while waiting:
        for node in level.after(waiting.pop()):
            if node.id not in found:
                found.add(node.id)
                if not ends(node):
                    waiting.append(node)
    return found


def activated_twice(view: View) -> Iterator[Found]:
    """Layers with an activation inside whose result goes straight into an activation of its own."""
    found = [
        (level, node)
        for level in view.levels
        for node in level.weighted
        if level.choice(node, "activation")
        and any(level.families[after.id] == "activation" for after in level.after(node))
    ]
    if found:
        yield _of(found, "has an activation inside and another behind it",
                  "have an activation inside and another behind them",
                  _each("Switch the inner one off", found, _setting("activation", {"type": "none"})))  # fmt: skip


def dropout_rate(view: View) -> Iterator[Found]:
    """Rates above one half."""
    for level, node in _nodes(view, DROPOUTS):
        rate = node.params.get("rate", 0.5)
        if isinstance(rate, float) and rate > 0.5:
            fix = Fix("Use 0.5", apply=fixing.set_params(level.definition, node.id, {"rate": 0.5}))
            yield Found(_at(level, node), f"drops {rate:.0%} of what arrives", (fix,))


def dropout_output(view: View) -> Iterator[Found]:
    """Dropout with nothing but an Output behind it."""
    level = view.levels[0]
    for _, node in _nodes(view, DROPOUTS, view.levels[:1]):
        if any(found.type == OUTPUT for found in level.reached(node)):
            fix = Fix("Remove it", apply=fixing.remove("", [node.id], bridge=True))
            yield Found(_at(level, node), "drops numbers of an output", (fix,))


def dropout_place(view: View) -> Iterator[Found]:
    """More than three dropouts in a stack of dense layers; blocks and images follow other habits."""
    level = view.levels[0]
    if any(level.families[node.id] not in ("linear", "") for node in level.weighted):
        return
    found = _nodes(view, DROPOUTS, view.levels[:1])
    if len(found) <= 3:
        return
    ranked = sorted(found, key=lambda place: place[1].x)
    yield _of(found, "", f"drop at {len(found)} places of the network",
              _each("Keep the last three", ranked[:-3], _removed))  # fmt: skip


def output_relu(view: View) -> Iterator[Found]:
    """ReLU right before an Output whose loss takes logits."""
    level = view.levels[0]
    for node in level.level.of_type(OUTPUT):
        loss = loss_of(view.project, node)
        if loss is None or str(getattr(loss.cls, "activation", "")) not in ("softmax", "sigmoid"):
            continue
        for source in level.before(node):
            kind = source.type if level.families[source.id] == "activation" else level.choice(source, "activation")
            if kind in ("relu", "relu6", "softplus"):
                own = level.families[source.id] == "activation"
                apply = (
                    fixing.remove("", [source.id], bridge=True) if own
                    else fixing.set_params("", source.id, {"activation": {"type": "none"}})
                )  # fmt: skip
                yield Found(_at(level, source), f"cuts off negative numbers before {loss.title}",
                            (Fix("Take the activation away", apply=apply),))  # fmt: skip


def _has_bias(node: Node) -> bool:
    """Whether a layer of that type has a bias that can be switched off."""
    from engine.declare import find

    declaration = find("layer", node.type)
    return declaration is not None and declaration.by_name.get("bias") is not None


def _nodes(view: View, types: Sequence[str], levels: Sequence[Level] | None = None) -> list[Place]:
    places = view.levels if levels is None else levels
    return [(level, node) for level in places for node in level.level.nodes.values() if node.type in types]


def _hidden(level: Level, node: Node) -> bool:
    """A normalisation of the inputs standardises them, which SELU wants."""
    return any(level.families[before.id] != "io" for before in level.before(node))


def _gates(level: Level, node: Node) -> bool:
    return any(following.type == "multiply" for following in level.after(node))


def _is_lecun(tagged: Any) -> bool:
    if not isinstance(tagged, dict):
        return False
    plain = (tagged.get("scale", 1.0), tagged.get("mode", "fan_in")) == (1.0, "fan_in")
    return str(tagged.get("type", "")).startswith("lecun") or (tagged.get("type") == "variance_scaling" and plain)


def _is_set(level: Level, node: Node, name: str) -> bool:
    if name == "max_norm":
        value = level.setting(node, name)
        return isinstance(value, (int, float)) and value > 0
    return bool(level.choice(node, name))


def _at(level: Level, node: Node) -> Where:
    return Where(label=node.name, node=node.id, definition=level.definition, path=f"nodes.{node.name}")


def _of(places: Sequence[Place], one: str, many: str, fix: Fix) -> Found:
    """One finding for all layers concerned; it stands at the first of them."""
    if len(places) == 1:
        return Found(_at(*places[0]), one or many, (fix,))
    names = [node.name for _, node in places]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Found(_at(*places[0]), f"{', '.join(names[:3])}{more} {many}", (fix,))


Change = Callable[[Level, Node], fixing.Apply]


def _each(title: str, places: Sequence[Place], change: Change) -> Fix:
    """One fix, and one step of undo, for all layers concerned."""
    return Fix(title, "" if len(places) == 1 else f"in {len(places)} layers", apply=_together(places, change))


def _together(places: Sequence[Place], change: Change) -> fixing.Apply:
    steps = [change(level, node) for level, node in places]

    def apply(project: Project) -> Project:
        for step in steps:
            project = step(project)
        return project

    return apply


def _setting(name: str, value: Any) -> Change:
    return lambda level, node: fixing.set_params(level.definition, node.id, {name: value})


def _removed(level: Level, node: Node) -> fixing.Apply:
    return fixing.remove(level.definition, [node.id], bridge=True)


def _retyped(type_name: str) -> Change:
    """Another type of the same family; only settings that both have stay, by the same name."""

    def change(level: Level, node: Node) -> fixing.Apply:
        kept = {key: value for key, value in node.params.items() if key == "rate"}
        return fixing.change(level.definition, node.id, type=type_name, params=kept)

    return change


def _reactivated(type_name: str) -> Change:
    """Another activation, whether it is a layer of its own or a setting."""

    def change(level: Level, node: Node) -> fixing.Apply:
        if level.families[node.id] == "activation":
            return fixing.change(level.definition, node.id, type=type_name, params={})
        return fixing.set_params(level.definition, node.id, {"activation": {"type": type_name}})

    return change
