"""What can exist: the decorators that declare layers, optimizers, schedules and the rest, and their registry.

A declaration is one class in one file of `engine/catalog/`. Palette, form, bounds, JSON, ports, shapes, generated
code, help, command-line listing and tests derive from it. Never imports torch; a broken catalogue file is reported
as a problem and the others still load.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from engine.param import Param, Tagged, params_of
from engine.problem import Problem, Where, error
from engine.shared_settings import AFTER, KERNELS, WEIGHTS

KINDS = (
    "layer", "activation", "normalization", "reparametrization", "initializer", "regularizer",
    "optimizer", "schedule", "loss", "metric",
    "dataset", "augment", "clip",
    "callback", "param_group", "phase", "record",
)  # fmt: skip
C = TypeVar("C", bound=type)
Class = type
"""The builtin, under a name that a field called `type` does not hide."""


@dataclass(frozen=True)
class Port:
    """A place where a wire ends. A variadic port takes any number of wires, in order."""

    name: str
    variadic: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why a layer's own rule refuses its inputs or settings; `mend` holds settings that would put it right."""

    happened: str
    expected: str
    fix: str
    mend: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Declaration:
    """Everything the rest of the program needs to know about one thing that can exist."""

    kind: str
    type: str
    title: str
    help: str
    cls: Class
    params: tuple[Param, ...]
    family: str
    was: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    accepts: str = "any"
    """Which inputs fit, by a name of `engine.accept`."""
    weights: tuple[str, ...] = ()
    """Parameters of the module that an initializer may fill, such as `weight`."""

    @cached_property
    def by_name(self) -> dict[str, Param]:
        """Settings by their present and former names."""
        found = {old: param for param in self.params for old in param.was}
        return found | {param.name: param for param in self.params}

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of every setting."""
        return {param.name: param.default for param in self.params}

    def clean(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Canonical settings, defaults left out, and one sentence per setting that is unknown or out of bounds."""
        cleaned: dict[str, Any] = {}
        faults: list[str] = []
        for key, value in values.items():
            param = self.by_name.get(key)
            if param is None:
                faults.append(f"there is no setting {key!r}; there are {', '.join(sorted(self.defaults)) or 'none'}")
                continue
            try:
                cleaned[param.name] = param.clean(value)
            except ValueError as fault:
                faults.append(f"{param.name}: {fault}")
        return {key: value for key, value in cleaned.items() if value != self.by_name[key].default}, faults

    def make(self, values: Mapping[str, Any] | None = None) -> Any:
        """An instance of the declared class with every setting as attribute; ValueError names the first bad one."""
        cleaned, faults = self.clean({key: value for key, value in (values or {}).items() if key != "type"})
        if faults:
            raise ValueError(faults[0])
        made: Any = object.__new__(self.cls)
        vars(made).update({**self.defaults, **cleaned})
        return made

    def detail(self, values: Mapping[str, Any]) -> str:
        """The second line on the canvas, such as `3×3, 32 filters`; empty when the settings are not valid."""
        describe = getattr(self.cls, "detail", None)
        try:
            return str(describe(self.make(values))) if describe else ""
        except ValueError:
            return ""


class Registry:
    """All declarations by kind and type. One instance, `registry`, filled by `catalogue()`."""

    def __init__(self) -> None:
        self._by_kind: dict[str, dict[str, Declaration]] = {kind: {} for kind in KINDS}
        self._renamed: dict[tuple[str, str], str] = {}
        self.problems: list[Problem] = []

    def add(self, declaration: Declaration) -> None:
        """Registers a declaration; ValueError when its type is taken."""
        found = self._by_kind[declaration.kind]
        if declaration.type in found:
            raise ValueError(f"{declaration.kind} {declaration.type!r} is declared twice")
        found[declaration.type] = declaration
        self._renamed.update({(declaration.kind, old): declaration.type for old in declaration.was})

    def all(self, kind: str) -> dict[str, Declaration]:
        """Declarations of a kind by type, in order of the catalogue."""
        return dict(self._by_kind[kind])

    def find(self, kind: str, type_name: str) -> Declaration | None:
        """The declaration of that type or former type name; None when unknown."""
        found = self._by_kind[kind]
        return found.get(type_name) or found.get(self._renamed.get((kind, type_name), ""))


registry = Registry()
_loaded = False


def catalogue() -> Registry:
    """The registry with every catalogue file imported (once); broken files are in `registry.problems`."""
    global _loaded
    if not _loaded:
        _loaded = True
        for package in ("engine.catalog", "engine.catalog.layers"):
            _import_all(package)
    return registry


def find(kind: str, type_name: str) -> Declaration | None:
    """The declaration of a kind and type, or None."""
    return catalogue().find(kind, type_name)


def make(kind: str, tagged: Tagged) -> Any:
    """An instance for {"type": ..., settings}; ValueError when the type is unknown or a setting is not allowed."""
    declaration = find(kind, str(tagged.get("type")))
    if declaration is None:
        raise ValueError(f"there is no {kind} {tagged.get('type')!r}; there are {', '.join(catalogue().all(kind))}")
    return declaration.make(tagged)


def layer(
    type_name: str,
    *,
    title: str,
    was: tuple[str, ...] = (),
    search: tuple[str, ...] = (),
    outputs: tuple[str, ...] = ("out",),
    accepts: str = "any",
    weights: tuple[str, ...] = (),
    activated: bool = False,
) -> Callable[[C], C]:
    """Declares a layer: `build(x)`, `forward(a, b)` or `forward(*xs)`, or `build` and `forward(module, x)`.

    The family is the name of the catalogue file, or its `FAMILY`. `weights` names the parameters an initializer may
    fill. `activated` layers, dense layers and convolutions, may hold an activation and a normalisation of their own,
    and have one kernel that may be reparametrised.
    """

    def declared(cls: C) -> C:
        more = (AFTER + KERNELS if activated else ()) + (WEIGHTS if weights else ())
        _register(
            "layer", type_name, cls, title, was, search, more,
            family=_family(cls), inputs=_ports(cls),
            outputs=tuple(Port(name) for name in outputs), accepts=accepts, weights=weights,
        )  # fmt: skip
        return cls

    return declared


def declares(kind: str) -> Callable[..., Callable[[C], C]]:
    """The decorator of a kind that is no layer: `@optimizer("sgd", title="SGD")`."""

    def decorate(
        type_name: str, *, title: str, was: tuple[str, ...] = (), search: tuple[str, ...] = ()
    ) -> Callable[[C], C]:
        def declared(cls: C) -> C:
            _register(kind, type_name, cls, title, was, search, (), family=kind)
            return cls

        return declared

    return decorate


activation = declares("activation")
normalization = declares("normalization")
reparametrization = declares("reparametrization")
initializer = declares("initializer")
regularizer = declares("regularizer")
optimizer = declares("optimizer")
schedule = declares("schedule")
loss = declares("loss")
metric = declares("metric")
dataset = declares("dataset")
augment = declares("augment")
clip = declares("clip")
callback = declares("callback")
param_group = declares("param_group")
phase = declares("phase")
record = declares("record")
"""A named set of settings that is not chosen among others: the recipe itself, early stopping, preprocessing."""


def _register(
    kind: str, type_name: str, cls: type, title: str, was: tuple[str, ...], search: tuple[str, ...],
    more: tuple[Param, ...], **extra: Any,
) -> None:  # fmt: skip
    help_text = inspect.cleandoc(cls.__doc__ or "")
    if not help_text:
        raise TypeError(f"{kind} {type_name!r} has no docstring, which is its help text")
    params = params_of(cls) + more
    registry.add(Declaration(kind, type_name, title, help_text, cls, params, was=was, search=search, **extra))


def _family(cls: type) -> str:
    module = sys.modules[cls.__module__]
    return str(getattr(module, "FAMILY", module.__name__.rsplit(".", 1)[-1]))


def _ports(cls: type) -> tuple[Port, ...]:
    method = getattr(cls, "forward", None) or getattr(cls, "build", None)
    if method is None:
        raise TypeError(f"{cls.__name__} has neither build nor forward")
    skip = 2 if hasattr(cls, "build") and hasattr(cls, "forward") else 1
    found = list(inspect.signature(method).parameters.values())[skip:]
    return tuple(Port(item.name, item.kind is item.VAR_POSITIONAL) for item in found)


def _import_all(package_name: str) -> None:
    package = importlib.import_module(package_name)
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda item: item.name):
        if module.name.startswith("_") or module.ispkg:
            continue
        try:
            importlib.import_module(f"{package_name}.{module.name}")
        except Exception as fault:  # a broken file must not take the others with it
            where = Where(label=module.name, file=f"{package_name}.{module.name}")
            registry.problems.append(
                error(where, f"This catalogue file could not be loaded: {fault}", "A file that imports", "Mend it")
            )
