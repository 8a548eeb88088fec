"""Imports modules for tests and holds the rebuilt ones against them: keys, values, outputs, gradients, buffers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from engine.known import with_facts
from engine.project import Project
from engine.projectfile import from_json, to_text
from engine.recipe import Recipe
from engine.runtime.build import Built, build
from engine.runtime.importing import Imported, import_module
from tests.engine.drawn import facts

IMAGE = ((3, 32, 32), torch.float32)
Samples = dict[str, tuple[tuple[int, ...], torch.dtype]]


def stirred(module: nn.Module, seed: int = 0) -> nn.Module:
    """With numbers everywhere that are neither 0 nor 1, so that a missing factor or statistic shows."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, item in (*module.named_parameters(), *module.named_buffers()):
            if not item.is_floating_point() or "relative" in key:
                continue
            noise = torch.rand(item.shape, generator=draw)
            item.copy_(noise + 0.5 if key.endswith(("running_var", "logit_scale")) else item + (noise - 0.5) * 0.2)
    return module


def project_of(found: Imported, samples: Samples, name: str = "net") -> Project:
    """A project around an imported graph, after a trip through its file."""
    known = facts(**{key: shape for key, (shape, _) in samples.items()})
    made = with_facts(Project(name, found.graph, Recipe({"data": {"type": "npz", "path": "x.npz"}})), known)
    return from_json(json.loads(to_text(made))).project


def rebuilt(module: nn.Module, samples: Samples) -> tuple[Imported, Built]:
    """The graph of a module, and the module of that graph with the same weights."""
    found = import_module(module, samples)
    built = build(project_of(found, samples))
    state = {found.key(key): value.clone() for key, value in module.state_dict().items()}
    built.model.load_state_dict(state, strict=True)
    return found, built


def inputs(samples: Samples, batch: int = 2) -> list[Tensor]:
    """Random samples, always the same."""
    draw = torch.Generator().manual_seed(7)
    return [
        torch.randn(batch, *shape, generator=draw) if kind.is_floating_point
        else torch.randint(0, 5, (batch, *shape), generator=draw)
        for shape, kind in samples.values()
    ]  # fmt: skip


def tensors(result: Any) -> Iterator[Tensor]:
    """Every tensor of a result, in order."""
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, dict):
        for item in result.values():
            yield from tensors(item)
    elif result is not None:
        for item in result:
            yield from tensors(item)


def assert_same(original: nn.Module, copy: nn.Module, samples: Samples, found: Imported) -> None:
    """Bit for bit: predictions, and one step of training with its outputs, gradients and buffers."""
    given = inputs(samples)
    with torch.no_grad():
        expected = next(tensors(original.eval()(*given)))
        assert torch.equal(next(tensors(copy.eval()(*given))), expected)
    assert torch.isfinite(expected).all()
    assert expected.std() > 0
    results = []
    for module in (original.train(), copy.train()):
        torch.manual_seed(5)
        module.zero_grad()
        out = list(tensors(module(*given)))
        sum((item * item.detach().cos()).sum() for item in out).backward()  # type: ignore[union-attr]
        results.append(out)
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))
    theirs, ours = dict(original.named_parameters()), dict(copy.named_parameters())
    for key, parameter in theirs.items():
        other = ours[found.key(key)]
        assert (parameter.grad is None) == (other.grad is None), key
        assert parameter.grad is None or torch.equal(parameter.grad, other.grad), key
    state = copy.state_dict()
    assert all(torch.equal(value, state[found.key(key)]) for key, value in original.state_dict().items())
