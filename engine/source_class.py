"""Writes one class of the generated file: constructor, initial weights, and `forward`.

Owns the lines and which node each belongs to. Names assigned in `forward` are the nodes' names (`layer_0` for a
node called 0), so that text and picture can be read side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.expr import Expr
from engine.graph import Node
from engine.source_blocks import SEQUENTIAL, BlockClass, is_chain, live_modules, numbered
from engine.source_calls import draws_of, forward_of, wrapped, wraps_in_place
from engine.source_facts import CallFacts, LevelFacts
from engine.source_names import fresh
from engine.source_parts import WIDTH, ArgNames, Call, bracketed, laid_out, part_of
from engine.tensor import TensorInfo, shape_text

_RESERVED = frozenset({"self", "torch", "nn", "F", "Tensor", "math"})


@dataclass
class Lines:
    """Lines of text; `nodes` says by 0-based index which node of the definition a line was written for."""

    text: list[str] = field(default_factory=list)
    nodes: dict[int, tuple[str, str]] = field(default_factory=dict)

    def add(self, lines: list[str], definition: str = "", node: str = "") -> None:
        """Appends lines, all for that node if one is given."""
        if node:
            self.nodes.update({len(self.text) + place: (definition, node) for place in range(len(lines))})
        self.text.extend(lines)


def write_class(block: BlockClass, arg_names: ArgNames) -> Lines:
    """The lines of one class."""
    return _Writer(block, arg_names).write()


def signature_text(level: LevelFacts, names: list[str]) -> str:
    """`1×28×28 → 10`; several inputs are named."""

    def side(infos: tuple[TensorInfo | None, ...], words: list[str]) -> str:
        texts = ["?" if info is None else shape_text(info.shape) for info in infos]
        if len(texts) > 1 and len(words) == len(texts):
            texts = [f"{word} {text}" for word, text in zip(words, texts, strict=True)]
        return ", ".join(texts)

    return f"{side(level.inputs, names)} → {side(level.outputs, [])}"


class _Writer:
    def __init__(self, block: BlockClass, arg_names: ArgNames) -> None:
        self.block = block
        self.level = block.level
        self.arg_names = arg_names
        self.lines = Lines()
        self.values: dict[tuple[str, int], str] = {}
        self.used: set[str] = set(_RESERVED)
        entry = "group_input" if block.definition else "input"
        leave = "group_output" if block.definition else "output"
        nodes = {call.node.id: call for call in self.level.calls}
        created = sorted(nodes.values(), key=lambda call: call.step.rank)
        self.inputs = [call for call in created if call.node.type == entry and (block.definition or call.step.live)]
        self.outputs = [call for call in created if call.node.type == leave]

    def write(self) -> Lines:
        """Docstring, `__init__` and `forward`, as far as there is something to say."""
        chain = is_chain(self.level)
        base = SEQUENTIAL if chain else "nn.Module"
        self.lines.add([f"class {self.block.name}({base}):", *self._docstring()])
        if chain:
            self._init_chain()
        else:
            if self.block.modules:
                self._init()
            self._forward()
        return self.lines

    def _docstring(self) -> list[str]:
        names = [call.node.name for call in self.inputs]
        texts = list(dict.fromkeys(signature_text(level, names) for level in self.block.members))
        shown = "; ".join(texts[:3]) + ("; ..." if len(texts) > 3 else "")
        if len(shown) > 80:
            shown = texts[0] if len(texts[0]) <= 80 else f"{len(self.inputs)} inputs, {len(self.outputs)} outputs"
        return [f'    """{shown}."""', ""]

    def _init(self) -> None:
        arguments = [f"{argument.name}: {argument.annotation}" for argument in self.block.arguments]
        self.lines.add(bracketed("def __init__(", ["self", *arguments], ") -> None:", 4))
        self.lines.add(["        super().__init__()"])
        for call, part in self.block.modules:
            owner = call.step.owner
            if not owner.name.isidentifier():
                added = Call("self.add_module", (("", part_of(owner.name, self.arg_names)), ("", part)))
                self._add(call, laid_out(added, 8))
            else:
                self._add(call, laid_out(part, 8, f"self.{owner.name} = "))
            self._initialise(call, _module(owner), 8, call)
        self.lines.add([""])

    def _init_chain(self) -> None:
        arguments = [f"{argument.name}: {argument.annotation}" for argument in self.block.arguments]
        self.lines.add(bracketed("def __init__(", ["self", *arguments], ") -> None:", 4))
        self.lines.add(["        super().__init__("])
        for call, part in self.block.modules:
            self._add(call, laid_out(part, 12, "", ","))
        self.lines.add(["        )"])
        for place, (call, _) in enumerate(self.block.modules):
            self._initialise(call, f"self[{place}]", 8, call)

    def _initialise(self, call: CallFacts, module: str, indent: int, shown: CallFacts, depth: int = 0) -> None:
        """Statements that draw the initial weights of a call's module, in order of its copies."""
        if call.copies:
            self._initialise_copies(call, module, indent, shown, depth)
        for statement in _drawing(call, module):
            self._add(shown, laid_out(part_of(statement, self.arg_names), indent))

    def _initialise_copies(self, call: CallFacts, module: str, indent: int, shown: CallFacts, depth: int) -> None:
        """Only for groups written in place as `nn.Sequential`; a class draws its own weights."""
        if not numbered(call.copies[0]) or not any(_draws(copy) for copy in call.copies):
            return
        first = call.copies[0]
        if len(call.copies) > 1 and all(_drawing_text(copy) == _drawing_text(first) for copy in call.copies):
            name = "block" if depth == 0 else f"block{depth + 1}"
            self._add(shown, [f"{' ' * indent}for {name} in {module}:"])
            self._initialise_inside(first, name, indent + 4, shown, depth + 1)
            return
        for place, copy in enumerate(call.copies):
            inner = f"{module}[{place}]" if len(call.copies) > 1 else module
            self._initialise_inside(copy, inner, indent, shown, depth)

    def _initialise_inside(self, level: LevelFacts, module: str, indent: int, shown: CallFacts, depth: int) -> None:
        for place, call in enumerate(live_modules(level)):
            self._initialise(call, f"{module}[{place}]", indent, shown, depth)

    def _forward(self) -> None:
        arguments = ["self"]
        for call in self.inputs:
            name = self._fresh(_variable(call.node))
            self.values[(call.node.id, 0)] = name
            arguments.append(f"{name}: Tensor")
        count = len(self.outputs)
        result = "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"
        self.lines.add(bracketed("def forward(", arguments, f") -> {result}:", 4))
        for call in self.level.calls:
            if call.step.live and call.step.outputs and (call.node.id, 0) not in self.values:
                self._statement(call)
        results = [self.values[call.step.sources[0][0]] for call in self.outputs]
        line = f"        return {', '.join(results)}"
        node = self.outputs[0].node.id
        self.lines.add(
            [line] if len(line) <= WIDTH else bracketed("return (", results, ")", 8), self.block.definition, node
        )

    def _statement(self, call: CallFacts) -> None:
        arrived = [Expr(self.values[source]) for port in call.step.sources for source in port]
        names = self._names(call)
        if call.copies and len(call.copies) > 1 and len(names) > 1:
            self._loop(call, names, [item.text for item in arrived])
            return
        module = Expr(_module(call.step.owner))
        if call.layer is None:
            found = module(*arrived)
        else:
            made = module if call.layer.constructor is not None else None
            found = forward_of(call.layer.declaration, call.layer.declared, made, arrived)
        if isinstance(found, tuple):
            for name, item in zip(names, found, strict=True):
                self._assign(call, name, item)
        else:
            self._assign(call, ", ".join(names), found)

    def _assign(self, call: CallFacts, names: str, value: Expr) -> None:
        line = f"        {names} = {value.text}"
        short = len(line) <= WIDTH  # most are, and then the parts need not be looked at
        self._add(call, [line] if short else laid_out(part_of(value, self.arg_names), 8, f"{names} = "))

    def _loop(self, call: CallFacts, names: list[str], arrived: list[str]) -> None:
        """Copies with several ports feed each other port by port."""
        joined = ", ".join(names)
        block = self._fresh("block")
        self.used.discard(block)
        module = _module(call.step.owner)
        self._add(
            call,
            [
                f"        {joined} = {', '.join(arrived)}",
                f"        for {block} in {module}:",
                f"            {joined} = {block}({joined})",
            ],
        )

    def _names(self, call: CallFacts) -> list[str]:
        outputs = call.step.outputs
        stem = _variable(call.node)
        wanted = [stem] if len(outputs) == 1 else [f"{stem}_{port}" for port in outputs]
        names = [self._fresh(name) for name in wanted]
        self.values.update({(call.node.id, place): name for place, name in enumerate(names)})
        return names

    def _fresh(self, wanted: str) -> str:
        name = fresh(wanted, self.used)
        self.used.add(name)
        return name

    def _add(self, call: CallFacts, lines: list[str]) -> None:
        self.lines.add(lines, self.block.definition, call.node.id)


def _variable(node: Node) -> str:
    return f"layer_{node.name}" if node.name.isdecimal() else node.name.replace("-", "_")


def _module(owner: Node) -> str:
    """How a class reaches the module of a node; a number is no attribute that Python could write."""
    return f'self.get_submodule("{owner.name}")' if not owner.name.isidentifier() else f"self.{owner.name}"


def _drawing(call: CallFacts, module: str) -> Iterator[Expr]:
    """The initializer's statements for the parameters of one layer, then its reparametrisation."""
    for tensor, draw in draws_of(call):
        yield draw(Expr(f"{module}.{tensor}"))
    if call.layer is not None and call.layer.plain is not None and not wraps_in_place(call):
        yield wrapped(call.layer.reparametrization, call.layer.plain, Expr(module))


def _draws(level: LevelFacts) -> bool:
    return bool(_drawing_text(level))


def _drawing_text(level: LevelFacts, prefix: str = "") -> list[str]:
    found: list[str] = []
    for place, call in enumerate(live_modules(level)):
        found += [item.text for item in _drawing(call, f"{prefix}[{place}]")]
        for index, copy in enumerate(call.copies):
            if numbered(copy):
                found += _drawing_text(copy, f"{prefix}[{place}][{index}]")
    return found
