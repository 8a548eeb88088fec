"""The network as Python text: what is shown, exported and trained is this text.

Owns `generate`, which puts classes, helpers and imports together and says which line belongs to which node. Knows no
torch. Only checked names and `repr` literals reach the code; titles become class names made of letters and digits, and
the project's name one comment without line breaks, so a project file cannot put code into it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.graph import Graph
from engine.names import name_fault
from engine.problem import ProblemError, Where, error
from engine.source_blocks import Blocks, find_blocks
from engine.source_calls import helpers_of
from engine.source_class import Lines, write_class
from engine.source_facts import LevelFacts
from engine.source_helpers import helper_text
from engine.source_names import TAKEN, comment
from engine.source_parts import ArgNames


@dataclass(frozen=True)
class Source:
    """The model as text. `class_name` is its last class, which needs no arguments."""

    text: str
    class_name: str
    lines: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    """1-based line -> (definition id, node id)."""
    classes: str = ""
    """The classes alone, without comment and imports."""
    imports: tuple[str, ...] = ()


def generate(graph: Graph, network: LevelFacts, *, title: str, arg_names: ArgNames) -> Source:
    """The text of a network whose shapes are all known (`network.ok`); ProblemError otherwise."""
    if not network.ok:
        raise ProblemError(
            error(
                "project",
                "The network has faults, so there is no code for it.",
                "A network without errors",
                "Mend them",
            )
        )
    _refuse_names(graph)
    helpers = sorted(helpers_of(network))
    blocks = find_blocks(graph, network, title, arg_names, set(TAKEN) | set(helpers))
    body = _body(blocks, helpers, arg_names)
    text = "\n".join(body.text)
    imports = imports_for(text)
    head = [f"# {comment(title) or 'untitled'}: the model, as Layerwright wrote it.", "", *imports, "", ""]
    lines = {len(head) + index + 1: place for index, place in body.nodes.items()}
    return Source("\n".join(head) + "\n" + text + "\n", blocks.classes[-1].name, lines, text, tuple(imports))


def imports_for(text: str) -> list[str]:
    """The import lines that code needs, in the order that ruff keeps."""
    found = ["import math"] if re.search(r"\bmath\.", text) else []
    found += ["", "import torch"] if re.search(r"\btorch\.", text) else [""]
    found += ["import torch.nn.functional as F"] if re.search(r"\bF\.", text) else []
    names = [name for name in ("Tensor", "nn") if re.search(rf"\b{name}\b", text)]
    found += [f"from torch import {', '.join(names)}"] if names else []
    return found[1:] if found and found[0] == "" else found


def _body(blocks: Blocks, helpers: list[str], arg_names: ArgNames) -> Lines:
    body = Lines()
    for helper in helpers:
        body.add([*helper_text(helper).splitlines(), "", ""])
    for index, block in enumerate(blocks.classes):
        written = write_class(block, arg_names)
        while written.text[-1] == "":
            written.text.pop()
        offset = len(body.text)
        body.text.extend(written.text)
        body.nodes.update({offset + place: node for place, node in written.nodes.items()})
        if index < len(blocks.classes) - 1:
            body.add(["", ""])
    return body


def _refuse_names(graph: Graph) -> None:
    for definition, level in graph.levels():
        for node in level.nodes.values():
            fault = name_fault(node.name, port=node.type in ("group_input", "group_output"))
            if fault:
                where = Where(label=repr(node.name)[:40], node=node.id, definition=definition)
                raise ProblemError(error(where, fault, "A Python name", "Rename it"))
