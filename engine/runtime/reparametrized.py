"""Kernels that are computed from other parameters: weight norm and spectral norm, by torch's `parametrize`.

Owns how such a kernel is reached without disturbing its training, which of its parameters are lengths, and how it is
baked into a plain layer. Reading `module.weight` itself would move spectral norm's power iteration on by a step in
train mode, so that a look would change a training: `kernel` reckons with the singular vectors of now. Never decides
which layers are reparametrised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import cast

from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

_ORIGINAL = re.compile(r"\.parametrizations\.\w+\.original\d*$")
_INSIDE = re.compile(r"\.parametrizations(\.|$)")


def reparametrized(model: nn.Module) -> dict[str, nn.Module]:
    """The layers of a model with a kernel that is computed, by path."""
    return {name: module for name, module in model.named_modules() if parametrize.is_parametrized(module, "weight")}


def layer_of(name: str) -> str:
    """The path of the layer that a parameter belongs to: `fc` for `fc.weight` and for what stands behind it."""
    plain = _ORIGINAL.sub("", name)
    return plain if plain != name else name.rpartition(".")[0]


def is_inside(model: nn.Module, path: str) -> bool:
    """Whether a module's path leads into a reparametrisation, which is no layer of its own."""
    found = _INSIDE.search(path)
    return found is not None and parametrize.is_parametrized(model.get_submodule(path[: found.start()]))


def originals(module: nn.Module) -> list[nn.Parameter]:
    """The parameters that a layer's computed kernel comes from."""
    return list(_chain(module).parameters())


def kernel(module: nn.Module) -> Tensor:
    """A layer's computed kernel, differentiable, without a step of the power iteration."""
    chain = _chain(module)
    with _settled(chain):
        found: Tensor = chain()
    return found


def lengths_of(model: nn.Module) -> frozenset[int]:
    """The lengths g of weight norm by `id`: factors like those of a normalisation, though they have several axes."""
    return frozenset(id(length) for length, _ in _by_length(model))


def directions_of(model: nn.Module) -> frozenset[int]:
    """The vectors v of weight norm by `id`: only where they point counts, not how long they have become."""
    return frozenset(id(direction) for _, direction in _by_length(model))


def kernels_by_output(model: nn.Module) -> frozenset[int]:
    """The parameters of transposed convolutions' kernels by `id`: they count their units along the second axis."""
    found: set[int] = set()
    for module in model.modules():
        if isinstance(module, nn.modules.conv._ConvTransposeNd):
            computed = parametrize.is_parametrized(module, "weight")
            found.update(map(id, originals(module) if computed else [module.weight]))
    return frozenset(found)


def baked(model: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """A copy with plain layers whose kernels are those computed now, in eval mode, and the paths of what was baked.

    Without such layers it is the model itself.
    """
    paths = tuple(reparametrized(model))
    if not paths:
        return model, ()
    copied = deepcopy(model).eval()
    for path in paths:
        _make_plain(copied.get_submodule(path))
    return copied, paths


def _by_length(model: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
    for module in reparametrized(model).values():
        chain = _chain(module)
        if isinstance(chain[0], parametrizations._WeightNorm):
            yield cast("Tensor", chain.original0), cast("Tensor", chain.original1)


def _make_plain(module: nn.Module) -> None:
    """As `parametrize.remove_parametrizations`, which would break the model this one was copied from: it takes the
    kernel away from the class, and a copy has the class of its original.
    """
    weight = nn.Parameter(kernel(module).detach().clone())
    del module._modules["parametrizations"]
    module.__class__ = type(module).__bases__[0]
    module._parameters = {"weight": weight, **module._parameters}


def _chain(module: nn.Module) -> parametrize.ParametrizationList:
    assert isinstance(module.parametrizations, nn.ModuleDict)
    return cast("parametrize.ParametrizationList", module.parametrizations["weight"])


@contextmanager
def _settled(chain: nn.Module) -> Iterator[None]:
    modes = [(part, part.training) for part in chain.modules()]
    chain.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
