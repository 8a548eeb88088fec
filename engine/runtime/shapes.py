"""Shapes, parameters and cost of every node, by walking the expanded graph level by level.

Owns the walk and its `Memo`. A layer is evaluated once per (type, settings, arriving shapes), a level once per
(definition, arriving shapes, varied values); so copies from the third on, and everything an edit did not touch, cost
nothing. An unknown shape makes what follows unknown, without a word: only the first broken node has a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError
from typing import Any

from engine.datafacts import DataFacts
from engine.declare import Declaration, Refusal, find
from engine.defaults import DEFAULTS
from engine.graph import GROUP, GROUP_INPUT, GROUP_OUTPUT, INPUT, MAX_DEPTH, MAX_LAYERS, MAX_REPEAT, OUTPUT, Graph
from engine.runtime.meta import evaluate
from engine.source_facts import Arrived, CallFacts, LayerFacts, LevelFacts
from engine.source_plan import Plan, Step, plan_level
from engine.tensor import TensorInfo

Varied = tuple[tuple[str, Any], ...]
_LARGEST_MEMO = 50_000
MAX_SIZE = 10 * MAX_LAYERS
"""Nodes of the expanded network that may be walked: blocks of blocks may hold no layer at all."""


@dataclass
class Memo:
    """What earlier checks found out about layers; give the same one to the next check. Not for two threads at once."""

    layers: dict[Any, LayerFacts] = field(default_factory=dict)
    evaluations: int = 0
    """How many layers were really evaluated so far."""

    def layer(self, declaration: Declaration, params: Mapping[str, Any], arrived: Arrived) -> LayerFacts:
        """The facts of one layer; all of `arrived` must be known."""
        key = (declaration.type, repr(params) if params else "", arrived)
        found = self.layers.get(key)
        if found is None:
            if len(self.layers) > _LARGEST_MEMO:
                self.layers.clear()
            self.evaluations += 1
            found = self.layers[key] = _evaluate(declaration, params, arrived)
        return found


def infer(graph: Graph, data: DataFacts | None = None, memo: Memo | None = None) -> LevelFacts:
    """The whole expanded network. Never raises for a bad graph: what cannot be known is None, what is wrong a fault."""
    return _Walk(graph, data, memo if memo is not None else Memo()).level("", (), (), graph.defaults, ())


def input_info(params: Mapping[str, Any], data: DataFacts | None) -> TensorInfo | Refusal:
    """What an Input node yields: its own shape if it states one, else that of its data stream."""
    streams = data.inputs if data else {}
    declaration = find("layer", INPUT)
    assert declaration is not None
    try:
        stated = declaration.make(params)
    except ValueError as fault:
        return _unsettled(fault)
    stream = stated.stream or next(iter(streams), "")
    info: TensorInfo | None = stated.info(None)
    if info is not None:
        return info
    if stream in streams:
        return streams[stream]
    if not streams:
        return Refusal(
            "The data has not been read, so the shape of this input is not known.", "A shape, or data that was read.",
            "Read the data (Data panel), or set the shape here.",
        )  # fmt: skip
    return Refusal(
        f"The data has no input stream {stream!r}.", f"One of: {', '.join(streams)}.", "Choose one of these streams."
    )


class _Walk:
    """One walk through one graph. Levels that agree in definition, inputs and varied values are one value."""

    def __init__(self, graph: Graph, data: DataFacts | None, memo: Memo) -> None:
        self.graph = graph
        self.data = data
        self.memo = memo
        self.plans: dict[str, Plan | None] = {}
        self.levels: dict[Any, LevelFacts] = {}
        self.made: dict[tuple[str, str], Any] = {}

    def level(
        self, definition: str, inputs: tuple[TensorInfo | None, ...], varied: Varied, defaults: Mapping[str, Any],
        above: tuple[str, ...],
    ) -> LevelFacts:  # fmt: skip
        """One level for the shapes that arrive at it."""
        key = (definition, inputs, repr(varied), repr(defaults))
        found = self.levels.get(key)
        if found is None:
            found = self.levels[key] = self._level(definition, inputs, varied, defaults, (*above, definition))
        return found

    def _level(
        self, definition: str, inputs: tuple[TensorInfo | None, ...], varied: Varied, defaults: Mapping[str, Any],
        above: tuple[str, ...],
    ) -> LevelFacts:  # fmt: skip
        plan = self._plan(definition)
        if plan is None:
            return LevelFacts(definition, (), inputs, (), ok=False)
        known: dict[tuple[str, int], TensorInfo | None] = {}
        built: dict[str, CallFacts] = {}
        given = dict(zip(plan.inputs, inputs, strict=False))
        calls: list[CallFacts] = []
        for step in plan.steps:
            arrived = tuple(tuple(known.get(source) for source in port) for port in step.sources)
            values = {
                name.partition(".")[2]: value for name, value in varied if name.partition(".")[0] == step.node.name
            }
            call = self._call(step, arrived, values, defaults, above, given.get(step.node.id), built.get(step.owner.id))
            known.update({(step.node.id, place): info for place, info in enumerate(call.outputs)})
            if step.builds:
                built[step.owner.id] = call
            calls.append(call)
        ends = {call.node.id: call.arrived for call in calls if call.node.id in set(plan.outputs)}
        outputs = tuple(ends[key][0][0] if ends[key] and ends[key][0] else None for key in plan.outputs)
        entering = tuple(known.get((key, 0)) for key in plan.inputs)
        return _summed(definition, tuple(calls), entering, outputs)

    def _plan(self, definition: str) -> Plan | None:
        if definition not in self.plans:
            try:
                self.plans[definition] = plan_level(self.graph, definition)
            except (CycleError, KeyError):
                self.plans[definition] = None
        return self.plans[definition]

    def _call(
        self, step: Step, arrived: Arrived, values: Mapping[str, Any], defaults: Mapping[str, Any],
        above: tuple[str, ...], given: TensorInfo | None, first: CallFacts | None,
    ) -> CallFacts:  # fmt: skip
        kind = step.node.type
        if kind == GROUP:
            return self._group(step, arrived, values, defaults, above, first)
        if kind == GROUP_INPUT:
            return CallFacts(step, arrived, (given,))
        if kind in (GROUP_OUTPUT, OUTPUT):
            return CallFacts(step, arrived)
        if kind == INPUT:
            info = input_info(step.node.params, self.data)
            return CallFacts(step, arrived, (None,), fault=info) if isinstance(info, Refusal) else CallFacts(
                step, arrived, (info,))  # fmt: skip
        return self._layer(step, arrived, values, defaults, first)

    def _layer(
        self, step: Step, arrived: Arrived, values: Mapping[str, Any], defaults: Mapping[str, Any],
        first: CallFacts | None,
    ) -> CallFacts:  # fmt: skip
        unknown = CallFacts(step, arrived, (None,) * len(step.outputs))
        if step.declaration is None or not _complete(step, arrived):
            return unknown
        params = {**step.owner.params, **values} if values else step.owner.params
        layer = self.memo.layer(step.declaration, params, arrived)
        if layer.fault:
            return CallFacts(step, arrived, (None,) * len(step.outputs), layer, fault=layer.fault)
        fault = _shared_differently(first, layer) if first else None
        chosen = params.get("initializer") or defaults.get("initializer")
        drawn = self._initializer(chosen) if chosen and step.declaration.weights else None
        biased = params.get("bias_initializer") or defaults.get("bias_initializer")
        bias = self._initializer(biased) if biased and step.declaration.weights else None
        if biased and bias is not None and bias.needs_fans:
            fault = fault or Refusal(
                f"{biased['type']} needs to know how many numbers enter and leave a unit; a bias has no such count.",
                "An initializer that fills any tensor alike: zeros, constant, normal, uniform",
                "Take zeros for the biases", {"bias_initializer": {"type": "zeros"}},
            )  # fmt: skip
            bias = None
        rules = self._rules(step.declaration, params, defaults)
        fault = fault or _contradiction(layer, drawn, rules)
        return CallFacts(
            step, arrived, layer.outputs, layer, initializer=drawn, bias_initializer=bias, fault=fault, **rules
        )

    def _rules(
        self, declaration: Declaration, params: Mapping[str, Any], defaults: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Regularizer and max-norm of a layer: its own, else what it inherits."""
        if not declaration.weights:
            return {}
        found: dict[str, Any] = {}
        chosen = params.get("regularizer") or defaults.get("regularizer")
        if chosen:
            found["regularizer"] = self._made("regularizer", chosen)
        bound = params.get("max_norm")
        bound = defaults.get("max_norm") if bound is None else bound
        if isinstance(bound, (int, float)) and bound > 0:
            found["max_norm"] = float(bound)
        return found

    def _group(
        self, step: Step, arrived: Arrived, values: Mapping[str, Any], defaults: Mapping[str, Any],
        above: tuple[str, ...],
        first: CallFacts | None,
    ) -> CallFacts:  # fmt: skip
        node = step.owner
        unknown = (None,) * len(step.outputs)
        if node.definition not in self.graph.definitions or node.definition in above or len(above) > MAX_DEPTH:
            return CallFacts(step, arrived, unknown)
        if not 1 <= node.repeat <= MAX_REPEAT:
            return CallFacts(step, arrived, unknown)
        if node.repeat > 1 and len(step.ports) != len(step.outputs):
            return CallFacts(step, arrived, unknown, fault=Refusal(
                f"A copy has {len(step.ports)} inputs and {len(step.outputs)} outputs, so it cannot feed the next.",
                "As many outputs as inputs in a repeated group.", "Add or remove ports inside, or set its repeat to 1.",
            ))  # fmt: skip
        defaults = {
            **defaults,
            **{key: node.params[key] for key in DEFAULTS.by_name if node.params.get(key) is not None},
        }
        entering = tuple(port[0] if port else None for port in arrived)
        copies: list[LevelFacts] = []
        layers = size = 0
        for index in range(node.repeat):
            varied = {key: items[index] for key, items in node.vary.items() if index < len(items)}
            copy = self.level(
                node.definition, entering, tuple(sorted((varied | dict(values)).items())), defaults, above
            )
            copies.append(copy)
            layers, size = layers + copy.layers, size + copy.size
            if layers > MAX_LAYERS or size > MAX_SIZE:
                return CallFacts(step, arrived, unknown, fault=Refusal(
                    f"This group holds more than {MAX_LAYERS:,} layers.", f"At most {MAX_LAYERS:,} layers.",
                    "Repeat it less often.",
                ))  # fmt: skip
            entering = copy.outputs
        made = CallFacts(step, arrived, entering or unknown, copies=tuple(copies))
        if first is not None and not _same_modules(first.copies, made.copies):
            return replace(made, outputs=unknown, fault=Refusal(
                f"This block shares the weights of {node.name}, but what arrives here needs weights of another size.",
                f"The shapes that arrive at {node.name}", "Give both the same input size, or stop sharing",
            ))  # fmt: skip
        return made

    def _initializer(self, tagged: Any) -> Any:
        return self._made("initializer", tagged)

    def _made(self, kind: str, tagged: Any) -> Any:
        """What a tagged setting stands for; None where it is not valid, which the checks of settings tell."""
        if not isinstance(tagged, Mapping):
            return None
        key = (kind, repr(tagged))
        if key not in self.made:
            declaration = find(kind, str(tagged.get("type")))
            try:
                self.made[key] = declaration.make(tagged) if declaration else None
            except ValueError:
                self.made[key] = None
        return self.made[key]


def _unsettled(fault: ValueError) -> Refusal:
    return Refusal(f"{fault}.", "Settings within their bounds.", "Correct the setting.")


def _evaluate(declaration: Declaration, params: Mapping[str, Any], arrived: Arrived) -> LayerFacts:
    try:
        declared = declaration.make(params)
    except ValueError as fault:
        return LayerFacts(declaration, fault=_unsettled(fault))
    known = tuple(tuple(info for info in port if info is not None) for port in arrived)
    return evaluate(declaration, declared, known)


def _complete(step: Step, arrived: Arrived) -> bool:
    return all(port and None not in port for port in arrived) and len(arrived) == len(step.ports)


def _contradiction(layer: LayerFacts, drawn: Any, rules: Mapping[str, Any]) -> Refusal | None:
    """What does not go together with a reparametrised kernel."""
    if layer.reparametrization is None:
        return None
    if rules.get("max_norm"):
        return Refusal(
            f"Max-norm {rules['max_norm']:g} bounds the weights, but they are computed from others at each step "
            f"({_title_of(layer)}).", "Either a bound or a reparametrisation",
            "Set no bound here", {"max_norm": 0.0},
        )  # fmt: skip
    if getattr(drawn, "draws_zeros", False):
        return Refusal(
            f"The weights begin at 0, and {_title_of(layer).lower()} would divide by their size.",
            "Initial weights that are not all 0", "Take Glorot uniform", {"initializer": {"type": "glorot_uniform"}},
        )  # fmt: skip
    return None


def _title_of(layer: LayerFacts) -> str:
    chosen = find("reparametrization", str(layer.declared.reparametrize["type"]))
    return chosen.title if chosen else ""


def _shared_differently(first: CallFacts, layer: LayerFacts) -> Refusal | None:
    before = first.layer.constructor if first.layer else None
    if before is None or layer.constructor is None or before.text == layer.constructor.text:
        return None
    return Refusal(
        f"This layer shares the weights of {first.step.owner.name}, but its input needs {layer.constructor.text}.",
        f"An input that fits {before.text}.", "Give both the same input size, or stop sharing.",
    )  # fmt: skip


def _same_modules(mine: tuple[LevelFacts, ...], others: tuple[LevelFacts, ...]) -> bool:
    """Whether two calls of a block make the same modules; where shapes are not known that is not denied."""
    if mine == others:  # levels are compared by identity, and equal ones are one
        return True
    for level, other in zip(mine, others, strict=True):
        for one, two in zip(level.calls, other.calls, strict=False):
            made = [item.layer.constructor for item in (one, two) if item.layer and item.layer.constructor is not None]
            if len(made) == 2 and made[0].text != made[1].text:
                return False
            if len(one.copies) == len(two.copies) and not _same_modules(one.copies, two.copies):
                return False
    return True


def _summed(
    definition: str, calls: tuple[CallFacts, ...], inputs: tuple[TensorInfo | None, ...],
    outputs: tuple[TensorInfo | None, ...],
) -> LevelFacts:  # fmt: skip
    parameters = trainable = buffers = multiply_adds = layers = 0
    ok = True
    size = len(calls) + sum(copy.size for call in calls for copy in call.copies)
    for call in calls:
        if not call.step.live:
            continue
        parts: tuple[LevelFacts | LayerFacts, ...] = call.copies or ((call.layer,) if call.layer else ())
        if call.step.builds:
            parameters += sum(part.parameters for part in parts)
            trainable += sum(part.trainable for part in parts)
            buffers += sum(part.buffers for part in parts)
        multiply_adds += sum(part.multiply_adds for part in parts)
        layers += sum(part.layers if isinstance(part, LevelFacts) else 1 for part in parts)
        ok = ok and call.fault is None and call.known and all(copy.ok for copy in call.copies)
    ok = ok and None not in outputs and bool(outputs)
    return LevelFacts(
        definition, calls, inputs, outputs, parameters, trainable, buffers, multiply_adds, layers, size, ok
    )  # fmt: skip
