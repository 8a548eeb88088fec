"""Records torch calls as source text, so that declarations name torch without importing it.

This is the one clever part of the engine, kept tiny: `nn.Conv2d(3, 32, 3)` on these names yields an `Expr` whose
`text` is exactly that. Evaluated on the meta device it is the shape rule, written down it is the exported file,
executed it is the model. Only validated plain values are rendered, always by `repr`; whatever else is refused.
Never evaluates anything.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, NoReturn

Plain = int | float | bool | str | None | tuple[Any, ...]


class Expr:
    """A Python expression as text. Calls keep their parts, so that values which differ can become arguments."""

    __slots__ = ("args", "atom", "callee", "helpers", "kwargs", "text")
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        text: str,
        *,
        atom: bool = True,
        callee: str = "",
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        helpers: frozenset[str] = frozenset(),
    ) -> None:
        self.text = text
        self.atom = atom
        self.callee = callee
        self.args = args
        self.kwargs = kwargs or {}
        self.helpers = helpers

    def __repr__(self) -> str:
        return f"Expr({self.text!r})"

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("__"):
            raise AttributeError(name)
        return Expr(f"{_tight(self)}.{name}", helpers=self.helpers)

    def __call__(self, *args: Any, **kwargs: Any) -> Expr:
        """The call of this expression, with its parts kept."""
        parts = [render(item) for item in args] + [f"{key}={render(item)}" for key, item in kwargs.items()]
        helpers = self.helpers.union(*(used_helpers(item) for item in (*args, *kwargs.values())))
        text = f"{_tight(self)}({', '.join(parts)})"
        return Expr(text, callee=self.text, args=args, kwargs=kwargs, helpers=helpers)

    def __getitem__(self, key: Any) -> Expr:
        keys = key if isinstance(key, tuple) else (key,)
        inner = ", ".join(_slice(item) if isinstance(item, slice) else render(item) for item in keys)
        return Expr(f"{_tight(self)}[{inner}]", helpers=self.helpers.union(*(used_helpers(item) for item in keys)))

    def __add__(self, other: Any) -> Expr:
        return _binary(self, "+", other)

    def __radd__(self, other: Any) -> Expr:
        return _binary(other, "+", self)

    def __sub__(self, other: Any) -> Expr:
        return _binary(self, "-", other)

    def __rsub__(self, other: Any) -> Expr:
        return _binary(other, "-", self)

    def __mul__(self, other: Any) -> Expr:
        return _binary(self, "*", other)

    def __rmul__(self, other: Any) -> Expr:
        return _binary(other, "*", self)

    def __truediv__(self, other: Any) -> Expr:
        return _binary(self, "/", other)

    def __matmul__(self, other: Any) -> Expr:
        return _binary(self, "@", other)

    def __neg__(self) -> Expr:
        return Expr(f"-{_tight(self)}", atom=False, helpers=self.helpers)

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("a recorded value has no truth: compare settings or shapes instead")

    def __bool__(self) -> NoReturn:
        raise TypeError("a recorded value has no truth: decide on settings or shapes instead")

    def __iter__(self) -> NoReturn:
        raise TypeError("a recorded value cannot be unpacked: index it instead, as in module(x)[0]")

    def __len__(self) -> NoReturn:
        raise TypeError("a recorded value has no length: use its TensorInfo in build instead")


class _Helpers(Expr):
    """`helpers.SwishBeta` names a class of `engine/runtime/modules/` whose text goes into the generated file."""

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("_"):
            raise AttributeError(name)
        return Expr(name, helpers=frozenset({name}))


# Declared as Any: the recorder is a stand-in for whole modules, and `TYPE_CHECKING` blocks show the real ones.
torch: Any = Expr("torch")
nn: Any = Expr("nn")
F: Any = Expr("F")
optim: Any = Expr("torch.optim")
v2: Any = Expr("v2")
helpers: Any = _Helpers("helpers")


def name(text: str) -> Any:
    """A bare variable of the generated code, such as an input of `forward`."""
    if not text.replace(".", "_").isidentifier():
        raise ValueError(f"not a variable: {text!r}")
    return Expr(text)


def render(value: Any) -> str:
    """Source text of a recorded expression or a plain value; TypeError or ValueError for anything else."""
    if isinstance(value, Expr):
        return value.text
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"only finite numbers can be written into code, not {value}")
    if type(value) is str:
        return quoted(value)
    if value is None or type(value) in (bool, int, float):
        return repr(value)
    if isinstance(value, tuple):
        inner = ", ".join(render(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    raise TypeError(f"only plain values can be written into code, not {type(value).__name__}")


def quoted(text: str) -> str:
    """`repr`, in double quotes where that changes nothing else: the form that Python's formatters keep."""
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in plain else plain


def used_helpers(value: Any) -> frozenset[str]:
    """Names of the helper classes that an expression or plain value refers to."""
    if isinstance(value, Expr):
        return value.helpers
    if isinstance(value, tuple):
        return frozenset().union(*(used_helpers(item) for item in value))
    return frozenset()


def _tight(value: Any) -> str:
    text = render(value)
    return text if not isinstance(value, Expr) or value.atom else f"({text})"


def _binary(left: Any, sign: str, right: Any) -> Expr:
    return Expr(f"{_tight(left)} {sign} {_tight(right)}", atom=False, helpers=used_helpers(left) | used_helpers(right))


def _slice(item: slice) -> str:
    parts = ["" if part is None else render(part) for part in (item.start, item.stop)]
    step = "" if item.step is None else f":{render(item.step)}"
    return f"{parts[0]}:{parts[1]}{step}"
