"""Rules between outputs, losses and targets: streams, kinds, class counts, and activations that the loss contains.

`check_losses` needs no shapes; `check_outputs` is given what arrives at each Output by `engine.runtime`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from engine import fixing
from engine.check_graph import where
from engine.datafacts import BINARY, CLASS, NONE, VALUE, DataFacts, Target
from engine.declare import Declaration, find
from engine.graph import INPUT, OUTPUT, Graph, Node
from engine.known import known_data
from engine.problem import Fix, Problem, error, warning
from engine.project import Project
from engine.tensor import TensorInfo, shape_text
from engine.wires import downstream

_ACTIVATIONS = {"softmax": "Softmax", "sigmoid": "Sigmoid"}
_USUAL = {CLASS: "cross_entropy", BINARY: "binary_cross_entropy", VALUE: "mse"}
_WORDS = {CLASS: "one class out of several", BINARY: "yes or no", VALUE: "real values"}


def check_losses(project: Project) -> Iterator[Problem]:
    """Whether streams exist, losses suit their targets, and no activation stands where the loss has its own."""
    facts = known_data(project)
    for node in project.graph.of_type(INPUT):
        if facts is not None:
            yield from _stream(node, "stream", facts.inputs, "input")
            yield from _entry(node, facts)
    for node in project.graph.of_type(OUTPUT):
        loss = loss_of(project, node)
        if loss is not None:
            yield from _activation(project.graph, node, loss)
        if facts is not None:
            yield from _stream(node, "target", facts.targets, "target")
            target = target_of(node, facts)
            if loss is not None and target is not None and not suits(loss, target):
                yield _kind(node, loss, target)


def check_outputs(project: Project, arrived: Mapping[str, TensorInfo]) -> Iterator[Problem]:
    """Whether what arrives at each Output (by node id, one sample) has the numbers its target and loss need."""
    facts = known_data(project)
    for node in project.graph.of_type(OUTPUT):
        info, loss = arrived.get(node.id), loss_of(project, node)
        target = target_of(node, facts) if facts else None
        if info is None or loss is None or target is None or not suits(loss, target):
            continue
        wanted = units_for(loss, target)
        if info.shape == (wanted,):
            continue
        more = info.rank == 1 and info.size > wanted and _of(loss, "target") == CLASS
        what = f"{wanted} numbers, one per class" if target.kind == CLASS and wanted > 1 else _numbers(wanted)
        say = warning if more else error
        yield say(
            where(node, "", "x"), f"{shape_text(info.shape)} arrives, but the target needs {what}", what,
            f"Let the last layer give {_numbers(wanted)}", code="output.units",
            arrived=(("x", shape_text(info.shape), ""),), fixes=tuple(_unit_fixes(project.graph, node, info, wanted)),
        )  # fmt: skip


def loss_of(project: Project, node: Node) -> Declaration | None:
    """The loss of an Output: its own, else the recipe's; None when it is unknown."""
    tagged = node.params.get("loss") or project.recipe.get("loss")
    return find("loss", str(tagged.get("type"))) if isinstance(tagged, Mapping) else None


def target_of(node: Node, facts: DataFacts) -> Target | None:
    """The target stream that an Output answers; None when the data has none of that name."""
    name = str(node.params.get("target") or next(iter(facts.targets), ""))
    return facts.targets.get(name)


def suits(loss: Declaration, target: Target) -> bool:
    """Whether a loss takes targets of that kind; yes or no is also asked of classes, one number for each."""
    wanted = _of(loss, "target")
    return target.kind == NONE or not wanted or wanted == target.kind or (wanted, target.kind) == (BINARY, CLASS)


def units_for(loss: Declaration, target: Target) -> int:
    """How many numbers per sample an Output must get."""
    if target.kind == VALUE:
        return target.size
    classes = max(len(target.classes), 2)
    return 1 if _of(loss, "target") == BINARY and classes == 2 else classes


def _of(declaration: Declaration, name: str) -> str:
    return str(getattr(declaration.cls, name, ""))


def _stream(node: Node, param: str, streams: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    name = node.params.get(param)
    if name and isinstance(name, str) and name not in streams and streams:
        names = ", ".join(streams)
        fixes = tuple(Fix(f"Use {other}", apply=fixing.set_params("", node.id, {param: other})) for other in streams)
        yield error(where(node, ""), f"The data has no {kind} stream {name!r}", f"One of {names}", "Choose another",
                    code="node.stream", fixes=fixes)  # fmt: skip


def _entry(node: Node, facts: DataFacts) -> Iterator[Problem]:
    """Whether an Input's stated shape and kind are those of its stream. A wrong kind alone changes no number."""
    given = facts.inputs.get(str(node.params.get("stream") or next(iter(facts.inputs), "")))
    declaration = find("layer", INPUT)
    if given is None or declaration is None:
        return
    try:
        refusal = declaration.make(node.params).mismatch(given)
    except ValueError:  # a bad setting has a problem of its own
        return
    if refusal is None:
        return
    fixes = (Fix(refusal.fix, apply=fixing.set_params("", node.id, refusal.mend)),) if refusal.mend else ()
    say = error if "shape" in (refusal.mend or {}) else warning
    yield say(where(node, ""), refusal.happened, refusal.expected, refusal.fix, code="input.data", fixes=fixes)


def _activation(graph: Graph, node: Node, loss: Declaration) -> Iterator[Problem]:
    inside = _of(loss, "activation")
    if inside not in _ACTIVATIONS:
        return
    for edge in graph.incoming(node.id):
        source = graph.nodes.get(edge.source)
        if source is None or source.type not in _ACTIVATIONS:
            continue
        name = _ACTIVATIONS[source.type]

        def apply(project: Project, key: str = source.id, kind: str = source.type) -> Project:
            project = fixing.remove("", [key], bridge=True)(project)
            # `auto` already says what the loss implies; anything else is stated, so that predictions stay the same.
            return project if kind == inside else fixing.set_params("", node.id, {"activation": kind})(project)

        fix = Fix("Move it into the Output", f"{name} is then applied when predicting", apply=apply)
        words = f"{name} stands before an Output whose loss, {loss.title}, already contains {_ACTIVATIONS[inside]}"
        yield error(where(source, ""), words, "Raw numbers (logits) at the Output", fix.title, code="output.activation",
                    fixes=(fix,))  # fmt: skip


def _kind(node: Node, loss: Declaration, target: Target) -> Problem:
    usual = find("loss", _USUAL[target.kind])
    title = usual.title if usual else _USUAL[target.kind]
    apply = (
        fixing.set_params("", node.id, {"loss": _USUAL[target.kind]})
        if node.params.get("loss")
        else fixing.set_recipe("loss", {"type": _USUAL[target.kind]})
    )
    fix = Fix(f"Use {title}", apply=apply)
    taken = _WORDS.get(_of(loss, "target"), "other targets")
    words = f"{loss.title} is for {taken}, but the target is {_WORDS[target.kind]}"
    return error(
        where(node, ""), words, f"A loss for {_WORDS[target.kind]}", fix.title, code="output.loss", fixes=(fix,)
    )


def _unit_fixes(graph: Graph, node: Node, info: TensorInfo, wanted: int) -> Iterator[Fix]:
    edges = graph.incoming(node.id)
    if not edges:
        return
    last = graph.nodes[edges[0].source]
    if info.rank <= 1 and last.type == "linear" and not last.shares and _only_feeds(graph, last, node):
        title = f"Set {last.name} to {_numbers(wanted, 'output')}"
        yield Fix(title, f"units = {wanted}", str(wanted), fixing.set_params("", last.id, {"units": wanted}))
    if info.rank > 1 and prod(info.shape) == wanted:
        yield Fix("Insert Flatten", "", str(wanted), fixing.insert("", edges[0], ("flatten", {})))
        return
    linear = ("linear", {"units": wanted})
    before = (("flatten", {}), linear) if info.rank > 1 else (linear,)
    title = "Insert Flatten and a Linear layer" if info.rank > 1 else "Insert a Linear layer"
    yield Fix(title, f"units = {wanted}", str(wanted), fixing.insert("", edges[0], *before))
    if info.rank == 3:
        pooled = fixing.insert("", edges[0], ("global_avg_pool", {}), linear)
        yield Fix("Insert global average pooling and a Linear layer", f"units = {wanted}", str(wanted), pooled)


def _only_feeds(graph: Graph, layer: Node, node: Node) -> bool:
    return downstream(graph, layer.id) == {node.id} and not any(
        other.shares == layer.id for other in graph.nodes.values()
    )


def _numbers(count: int, word: str = "number") -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
