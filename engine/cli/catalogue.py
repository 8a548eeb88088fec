"""`layers` and `catalog`: everything that is declared, in words or as JSON."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from engine.cli.outcome import GOOD, Unusable
from engine.cli.output import Output
from engine.declare import KINDS, Declaration, Port, catalogue
from engine.param import Param
from engine.problem import error

_HIDDEN = ("record",)
"""Kinds that are not chosen among others."""


def layers(options: Namespace, output: Output) -> int:
    """Every layer with ports and parameters."""
    _list("layer", output)
    return GOOD


def catalog(options: Namespace, output: Output) -> int:
    """Every declaration of one kind, or of all."""
    kinds = {_plural(kind): kind for kind in KINDS if kind not in _HIDDEN}
    wanted = str(options.kind)
    if wanted and wanted not in kinds and wanted not in kinds.values():
        happened = f"There is no kind {wanted!r}"
        raise Unusable(
            error("catalog", happened, f"One of {', '.join(kinds)}", "Choose one of these", code="arguments")
        )
    for plural, kind in kinds.items():
        if wanted in ("", plural, kind):
            if not wanted:
                output.text(f"== {plural} ==")
            _list(kind, output)
    return GOOD


def describe(declaration: Declaration) -> dict[str, Any]:
    """A declaration as plain data."""
    data: dict[str, Any] = {
        "kind": declaration.kind, "type": declaration.type, "title": declaration.title, "help": declaration.help,
        "params": [_param(param) for param in declaration.params],
    }  # fmt: skip
    if declaration.kind == "layer":
        data |= {
            "family": declaration.family, "inputs": [_port(port) for port in declaration.inputs],
            "outputs": [_port(port) for port in declaration.outputs], "accepts": declaration.accepts,
        }  # fmt: skip
    return data


def _list(kind: str, output: Output) -> None:
    family = ""
    for declaration in catalogue().all(kind).values():
        output.record(describe(declaration))
        if kind == "layer" and declaration.family != family:
            family = declaration.family
            output.text(family.capitalize())
        output.text(f"  {declaration.type:<26}{declaration.title}: {_first_sentence(declaration.help)}")
        if kind == "layer":
            inputs = ", ".join(f"{port.name}..." if port.variadic else port.name for port in declaration.inputs)
            outputs = ", ".join(port.name for port in declaration.outputs)
            output.text(f"      ports: {inputs or 'none'} -> {outputs or 'none'}")
        for param in declaration.params:
            output.text(f"      {param.name:<22}{param.domain}; default {_shown(param.default)}")
    for problem in catalogue().problems:
        output.say(str(problem))


def _param(param: Param) -> dict[str, Any]:
    return {
        "name": param.name, "kind": param.kind, "default": param.default, "optional": param.optional,
        "min": param.min, "max": param.max, "choices": list(param.choices), "of": param.of, "unit": param.unit,
        "allowed": param.domain, "help": param.help,
    }  # fmt: skip


def _port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "variadic": port.variadic}


def _plural(kind: str) -> str:
    return {"loss": "losses", "augment": "augmentations"}.get(kind, f"{kind}s")


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).split(". ")[0].rstrip(".") + "."


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("type", value))
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value)) or "nothing"
    return "none" if value is None else "nothing" if value == "" else str(value)
