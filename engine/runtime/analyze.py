"""One check of a project: shapes, counts, problems and the generated code, as plain values.

Owns `analyze`, which never raises for a bad graph: whatever is wrong stands in the result's problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import sqrt

from engine.analysis import Analysis, NodeFacts, WeightRules
from engine.check import check_project
from engine.check_phases import phase_problems
from engine.check_single import single_problems
from engine.expand import Expanded, expand
from engine.freezing import frozen_of
from engine.graph import MAX_LAYERS
from engine.known import known_data
from engine.param_groups import group_problems
from engine.phases import stages_of
from engine.problem import Problem, ProblemError, Severity, error, has_errors
from engine.project import Project
from engine.recipe import Recipe
from engine.runtime.meta import arg_names
from engine.runtime.outputs import output_problems
from engine.runtime.own_weights import weights_problems
from engine.runtime.shapes import MAX_SIZE, Memo, infer
from engine.source import Source, generate
from engine.source_facts import CallFacts, LayerFacts, LevelFacts, instances
from engine.source_faults import fault_problems

__all__ = ["Memo", "analyze"]


def analyze(project: Project, *, memo: Memo | None = None) -> Analysis:
    """Everything a check finds. Give the same memo to the next check, and only what changed is evaluated."""
    checked = check_project(project)
    expanded = expand(project.graph)
    network = infer(expanded.graph, known_data(project), memo)
    problems = [*checked, *_new(fault_problems(expanded, network), checked)]
    if network.layers > MAX_LAYERS or network.size > MAX_SIZE:
        count = network.layers if network.layers > MAX_LAYERS else network.size
        happened = f"With all repeats written out the network has {count:,} layers and ports"
        problems.append(error("network", happened, f"At most {MAX_LAYERS:,} layers", "Repeat less often"))
        return Analysis(problems=tuple(problems))
    problems += _new(output_problems(project, network), checked)
    problems += single_problems(project, expanded, network)
    nodes, layers, rules, parts = _facts(expanded, network)
    own = [path for path in layers if path not in parts]
    problems += group_problems(project.recipe, own)
    problems += phase_problems(project, tuple(own))
    frozen = frozen_of(_begin(project.recipe), list(layers), parts)
    if frozen:
        held = project.recipe.get("frozen_norms") == "held"
        nodes = {key: _with_frozen(facts, layers, parts, frozen, held) for key, facts in nodes.items()}
    still = sum(layers[path] for path in frozen)
    source = None
    if network.ok and not has_errors(problems):
        source, problems = _source(project, expanded, network, problems)
    if source:  # the code stands whatever is the matter with the weights
        problems += weights_problems(project, source.text, source.class_name)
    return Analysis(
        nodes, tuple(problems), network.parameters, network.trainable - still, network.buffers, network.multiply_adds,
        source.text if source else "", source.class_name if source else "", _lines(expanded, source) if source else {},
        tuple(layers), rules, parts, frozen,
    )  # fmt: skip


def _begin(recipe: Recipe) -> Recipe:
    """The recipe that holds when training begins."""
    try:
        return stages_of(recipe)[0].recipe
    except (ValueError, AttributeError):
        return recipe


def _source(
    project: Project, expanded: Expanded, network: LevelFacts, problems: list[Problem]
) -> tuple[Source | None, list[Problem]]:
    try:
        return generate(expanded.graph, network, title=project.name, arg_names=arg_names), problems
    except ProblemError as fault:
        return None, [*problems, *fault.problems]


def _lines(expanded: Expanded, source: Source) -> dict[int, tuple[str, str]]:
    return {line: expanded.place(*place) for line, place in source.lines.items()}


def _new(found: list[Problem], known: list[Problem]) -> list[Problem]:
    """Without those of nodes that the checks without torch have already found an error in."""
    wrong = {
        (problem.where.definition, problem.where.node)
        for problem in known
        if problem.severity is Severity.ERROR and problem.where.node
    }
    return [item for item in found if (item.where.definition, item.where.node) not in wrong]


@dataclass
class _Sum:
    first: CallFacts
    copies: int = 0
    paths: list[str] = field(default_factory=list)
    parts: dict[str, CallFacts] = field(default_factory=dict)
    """What is set inside, by name, in order of computation."""


def _facts(
    expanded: Expanded,
    network: LevelFacts,
) -> tuple[dict[tuple[str, str], NodeFacts], dict[str, int], dict[str, WeightRules], dict[str, str]]:
    sums: dict[tuple[str, str], _Sum] = {}
    layers: dict[str, int] = {}
    rules: dict[str, WeightRules] = {}
    parts: dict[str, str] = {}
    for instance in instances(network):
        call = instance.call
        key = expanded.place(instance.definition, call.node.id)
        found = sums.get(key)
        if found is None:  # a layer comes before what is set inside it
            found = sums[key] = _Sum(call)
        if expanded.is_part(instance.definition, call.node.id):
            found.parts.setdefault(call.node.id, call)
            own = found.first.step.owner.name
            parts[instance.path] = instance.path.removesuffix(call.step.owner.name) + own
        else:
            found.copies += 1
        if instance.live and (call.copies or (call.layer is not None and call.layer.constructor is not None)):
            if instance.path not in parts:
                found.paths.append(instance.path)
            if call.step.builds and call.layer is not None and call.layer.parameters and call.layer.tensors != ("",):
                layers[instance.path] = call.layer.trainable
                if call.regularizer is not None or call.max_norm:
                    rules[instance.path] = _rules(call)
    return {key: _node_facts(found) for key, found in sums.items()}, layers, rules, parts


def _with_frozen(
    facts: NodeFacts, layers: Mapping[str, int], parts: Mapping[str, str], frozen: frozenset[str], held: bool
) -> NodeFacts:
    """What of a node does not train: itself, what is set inside it, all that is in a block."""
    inside = [
        path for path in layers
        if any(path == own or path.startswith(f"{own}.") or parts.get(path) == own for own in facts.paths)
    ]  # fmt: skip
    still = [path for path in inside if path in frozen]
    if not still:
        return facts
    copies = max(1, len(facts.paths))
    return replace(
        facts, frozen=(len(still), len(inside)), held=held and facts.buffers > 0,
        trainable=facts.trainable - sum(layers[path] for path in still) // copies,
    )  # fmt: skip


def _rules(call: CallFacts) -> WeightRules:
    assert call.layer is not None
    kinds = call.layer.declaration.weights
    tensors = tuple(
        name for name in call.layer.tensors if any(name == kind or name.startswith(f"{kind}_") for kind in kinds)
    )
    cost = call.regularizer
    return WeightRules(
        tensors, float(cost.l1) if cost else 0.0, float(cost.l2) if cost else 0.0, call.max_norm
    )  # fmt: skip


def _deviation(call: CallFacts) -> float | None:
    if call.layer is None or call.layer.fans is None:
        return None
    if call.layer.reparametrization is not None and not call.layer.reparametrization.keeps_initial:
        return None  # what is drawn is divided by something that only the draw decides
    deviation = getattr(call.initializer, "deviation", None)
    if deviation is None:
        # torch's own draw of dense and convolution layers: uniform between ±1/√fan_in.
        return 1 / sqrt(3 * call.layer.fans[0])
    return float(deviation(*call.layer.fans))


def _node_facts(found: _Sum) -> NodeFacts:
    call = found.first
    step = call.step
    inside = [part.layer for part in found.parts.values() if part.layer]
    parts: tuple[LevelFacts | LayerFacts, ...] = call.copies or ((call.layer,) if call.layer else ())
    parts = (*parts, *inside)
    own = parts if step.builds else ()
    leaving = list(found.parts.values())[-1] if found.parts else call
    return NodeFacts(
        inputs={
            port.name: tuple(info for info in infos if info is not None)
            for port, infos in zip(step.ports, call.arrived, strict=True)
        },
        outputs={name: info for name, info in zip(step.outputs, leaving.outputs, strict=True) if info is not None},
        parameters=sum(part.parameters for part in own),
        trainable=sum(part.trainable for part in own),
        buffers=sum(part.buffers for part in own),
        multiply_adds=sum(part.multiply_adds for part in parts),
        copies=found.copies,
        paths=tuple(found.paths),
        fans=call.layer.fans if call.layer else None,
        initial_deviation=_deviation(call),
        constructor=call.layer.constructor.text if call.layer and call.layer.constructor is not None else "",
    )
