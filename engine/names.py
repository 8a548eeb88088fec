"""Names and ids of nodes: what a name may be, a free one near a wish, and fresh ids.

A name becomes an attribute of the generated module and a variable of its `forward`, so whatever would break either is
refused here. torch's names stand here literally because this module must not import torch; a test compares the list
with the installed torch.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from keyword import iskeyword
from uuid import uuid4

from engine.graph import GROUP_INPUT, Graph

MAX_LENGTH = 64

_CODE = frozenset({"torch", "nn", "F", "Tensor", "self", "x"})
"""Variables of the generated file."""

_MODULE = frozenset((
    "T_destination", "add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "compile", "cpu",
    "cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward", "get_buffer", "get_extra_state",
    "get_parameter", "get_submodule", "half", "ipu", "load_state_dict", "modules", "mtia", "named_buffers",
    "named_children", "named_modules", "named_parameters", "parameters", "register_backward_hook",
    "register_buffer", "register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook",
    "register_full_backward_pre_hook", "register_load_state_dict_post_hook", "register_load_state_dict_pre_hook",
    "register_module", "register_parameter", "register_state_dict_post_hook", "register_state_dict_pre_hook",
    "requires_grad_", "set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train",
    "training", "type", "xpu", "zero_grad",
))  # fmt: skip
"""Attributes of every `torch.nn.Module`; a child of that name would replace one. Those with a leading underscore
are refused by their form."""


def name_fault(name: str, *, port: bool = False) -> str:
    """Why a node cannot have this name; empty when it can. A group's input port (`port`) may also be called `x`."""
    if not name:
        return "A name cannot be empty."
    if len(name) > MAX_LENGTH:
        return f"A name has at most {MAX_LENGTH} characters."
    if name.isascii() and name.isdecimal():
        return "" if str(int(name)) == name else "A number used as a name has no leading zeros."
    # block1-0, as torchvision's RegNet has it: an attribute that only add_module can make.
    plain = name.replace("-", "_") if re.fullmatch(r"\w+(-\d+)+", name) else name
    if not plain.isidentifier() or unicodedata.normalize("NFKC", name) != name:
        return f"{name!r} is not a Python name: use letters, digits and underscores, not starting with a digit."
    if iskeyword(plain):
        return f"{name!r} is a word of Python itself."
    if name.startswith("_"):
        return "A name cannot start with an underscore: torch keeps those for itself."
    if name in _MODULE:
        return f"{name!r} is already an attribute of every torch module."
    if name in _CODE and not (port and name == "x"):
        return f"{name!r} is a name that the generated code uses itself."
    return ""


def name_problem(level: Graph, name: str, *, but: str = "", type_name: str = "") -> str:
    """Why a node of this level cannot get this name, being taken included; `but` is the id of the node itself."""
    fault = name_fault(name, port=type_name == GROUP_INPUT)
    if fault:
        return fault
    if any(node.name == name and node.id != but for node in level.nodes.values()):
        return f"Another layer here is already called {name!r}."
    return ""


def fresh_name(level: Graph, wanted: str, *, port: bool = False) -> str:
    """A free, allowed name of this level as near to `wanted` as possible: conv, conv2, conv3 ..."""
    return free_name((node.name for node in level.nodes.values()), wanted, port=port)


def free_name(taken: Iterable[str], wanted: str, *, port: bool = False) -> str:
    """`fresh_name` among the names `taken`."""
    used = set(taken)
    name = _identifier(wanted)
    if name not in used and not name_fault(name, port=port):
        return name
    stem = name.rstrip("0123456789")
    number = int(name[len(stem) :] or "1") if len(name) - len(stem) < 10 else 1
    if not stem:
        stem, number = "layer", 1
    while True:
        number += 1
        found = f"{stem[: MAX_LENGTH - 10]}{number}"
        if found not in used and not name_fault(found, port=port):
            return found


def new_id() -> str:
    """An id for a node or a definition; ids never change and mean nothing."""
    return uuid4().hex[:12]


def _identifier(text: str) -> str:
    """The nearest thing to `text` that has the form of a name: `Conv block` becomes `conv_block`."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not name_fault(plain, port=True):
        return plain
    if not plain.isidentifier():
        plain = re.sub(r"\W+", "_", plain).lower()
    plain = plain.strip("_")[:MAX_LENGTH].rstrip("_")
    if not plain:
        return "layer"
    return f"layer_{plain}" if plain[0].isdigit() else plain
