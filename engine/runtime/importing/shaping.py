"""Handlers of operations that change shapes: reshape, permute, slices, joining, stretching weights over the batch."""

from __future__ import annotations

from typing import Any

import torch

from engine.runtime.importing.call import Call, Growing, Weight, Wire, layout, moved
from engine.runtime.importing.operations import handles, number, sample_axis, whole, wire


@handles("view", "reshape", torch.reshape, "flatten", torch.flatten, "unflatten", torch.unflatten)
def _reshape(call: Call, x: Any, *sizes: Any, **kwargs: Any) -> Any:
    x = whole(call, x)
    if call.values[0].dtype != _dtype(x):
        call.refuse("it reads the numbers as another type")
    shape, batch, _ = layout(call.values)
    if batch != 0:
        call.refuse("the batch would not be the first axis")
    if shape == x.shape:
        return x
    if len(shape) == 1:
        return call.step("flatten", {}, x, name="flatten")
    if x.rank - 2 > len(shape) - 1 and _merged(x.shape, shape) is not None:
        return call.step("reshape", {"target": _merged(x.shape, shape)}, x, name="reshape")
    return call.step("reshape", {"target": _free(call, sizes, shape)}, x, name="reshape")


def _dtype(x: Wire) -> torch.dtype:
    found: torch.dtype = getattr(torch, x.dtype)
    return found


def _merged(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[int, ...] | None:
    """The target with −1 for the last axis, where only the last axes were joined: any size then fits."""
    kept = len(after) - 1
    return (*after[:-1], -1) if before[:kept] == after[:-1] else None


def _free(call: Call, sizes: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The target; what the code leaves open stays open."""
    items = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    if len(items) == len(shape) + 1 and isinstance(items[0], Growing):
        return tuple(-1 if item == -1 else size for item, size in zip(items[1:], shape, strict=True))
    return shape


@handles("permute", torch.permute)
def _permute(call: Call, x: Any, *dims: Any) -> Any:
    items = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    return permuted(call, wire(call, x), [number(call, item, "order") for item in items])


@handles("transpose", torch.transpose, "swapaxes", torch.swapaxes, "swapdims")
def _transpose(call: Call, x: Any, dim0: Any, dim1: Any) -> Any:
    x = wire(call, x)
    order = list(range(x.rank))
    one, two = dim0 % x.rank, dim1 % x.rank
    order[one], order[two] = order[two], order[one]
    return permuted(call, x, order)


@handles("t", "mT")
def _turned(call: Call, x: Any) -> Any:
    return _transpose(call, x, -1, -2)


def permuted(call: Call, x: Wire, order: list[int]) -> Wire:
    """The axes in another order; where only the batch has moved, no layer is needed."""
    order = [dim % x.rank for dim in order]
    axes = [x.axis(dim) for dim in order]
    ours = tuple(axis for axis in axes if axis is not None)
    shape, batch = tuple(x.shape[axis] for axis in ours), order.index(x.batch)
    if ours == tuple(range(len(ours))):
        return moved(x, shape, batch)
    made = call.step("permute", {"order": ours}, x, name="permute", batch=batch)
    return moved(made, shape, batch)


@handles("unsqueeze", torch.unsqueeze)
def _unsqueeze(call: Call, x: Any, dim: Any) -> Any:
    x = wire(call, x)
    place = number(call, dim, "axis") % (x.rank + 1)
    if place <= x.batch:
        shape = (*x.shape[:place], 1, *x.shape[place:])
        made = call.step("unsqueeze", {"axis": place}, x, name="unsqueeze", batch=x.batch + 1)
        return moved(made, shape, x.batch + 1)
    return call.step("unsqueeze", {"axis": place - 1}, x, name="unsqueeze")


@handles("squeeze", torch.squeeze)
def _squeeze(call: Call, x: Any, dim: Any = None) -> Any:
    x = wire(call, x)
    if dim is None:
        call.refuse("it drops every axis of size 1, the batch too where it has one sample")
    axis = sample_axis(call, x, dim)
    return x if x.shape[axis] != 1 else call.step("squeeze", {"axis": axis}, x, name="squeeze")


@handles(torch.cat, torch.concat)
def _cat(call: Call, tensors: Any, dim: Any = 0) -> Any:
    wires = [wire(call, item) for item in tensors]
    axis = sample_axis(call, wires[0], dim)
    if len({item.batch for item in wires}) > 1:
        call.refuse("the tensors do not have their batch in the same place")
    if len(wires) == 1:
        return wires[0]
    return call.step("concatenate", {"axis": axis}, *wires, name="concat")


@handles(torch.stack)
def _stack(call: Call, tensors: Any, dim: Any = 0) -> Any:
    wires = [whole(call, item) for item in tensors]
    place = number(call, dim, "axis") % (wires[0].rank + 1)
    if place == 0:
        call.refuse("the batch would not be the first axis")
    value = tuple(item[0].unsqueeze(place) for item in _pieces(wires))
    raised = [call.step("unsqueeze", {"axis": place - 1}, item, name="unsqueeze", value=value) for item in wires]
    return call.step("concatenate", {"axis": place - 1}, *raised, name="concat")


def _pieces(wires: list[Wire]) -> list[list[torch.Tensor]]:
    first = wires[0].shape
    return [[torch.empty((batch, *first), device="meta")] for batch in (2, 3)]


@handles("chunk", torch.chunk, "split", torch.split, "tensor_split", torch.tensor_split)
def _chunk(call: Call, x: Any, *_: Any, dim: Any = 0, **__: Any) -> Any:
    x = wire(call, x)
    if len(_) > 1:
        dim = _[1]
    axis = sample_axis(call, x, dim)
    place = dim % x.rank
    found, start = [], 0
    for values in zip(*call.values, strict=True):
        length = values[0].shape[place]
        found.append(call.step("slice", {"axis": axis, "start": start, "length": length}, x, name="part", value=values))
        start += length
    return tuple(found)


@handles("unbind", torch.unbind)
def _unbind(call: Call, x: Any, dim: Any = 0) -> Any:
    x = wire(call, x)
    axis = sample_axis(call, x, dim)
    return tuple(
        call.step("select", {"axis": axis, "index": place}, x, name="select", value=values)
        for place, values in enumerate(zip(*call.values, strict=True))
    )


@handles("select", torch.select)
def _select(call: Call, x: Any, dim: Any, index: Any) -> Any:
    x = wire(call, x)
    axis = sample_axis(call, x, dim)
    return call.step("select", {"axis": axis, "index": number(call, index, "index")}, x, name="select")


@handles("[]")
def _index(call: Call, x: Any, key: Any) -> Any:
    """`x[:, 0]`, `x[:, :, 2:5]`, `qkv[0]`: one layer per axis that is touched."""
    keys = list(key) if isinstance(key, tuple) else [key]
    if isinstance(x, Weight):
        return _whole_weight(call, x, keys)
    x = wire(call, x)
    if Ellipsis in keys:
        place = keys.index(Ellipsis)
        named = sum(1 for item in keys if item is not None and item is not Ellipsis)
        keys[place : place + 1] = [slice(None)] * (x.rank - named)
    values, dim = [torch.empty(_real(x, batch), device="meta") for batch in (2, 3)], 0
    for item in keys:
        x, values, dim = _one_axis(call, x, values, dim, item)
    return x


def _one_axis(
    call: Call, x: Wire, values: list[torch.Tensor], dim: int, item: Any
) -> tuple[Wire, list[torch.Tensor], int]:
    if item is None:
        values = [value.unsqueeze(dim) for value in values]
        if dim <= x.batch:
            call.refuse("it puts an axis before the batch")
        return call.step("unsqueeze", {"axis": dim - 1}, x, name="unsqueeze", value=tuple(values)), values, dim + 1
    if isinstance(item, int):
        axis = sample_axis(call, x, dim)
        values = [value.select(dim, item) for value in values]
        return call.step("select", {"axis": axis, "index": item}, x, name="select", value=tuple(values)), values, dim
    if not isinstance(item, slice) or item.step not in (None, 1):
        call.refuse("only single numbers and runs of them can be taken out")
    if item == slice(None):
        return x, values, dim + 1
    axis = sample_axis(call, x, dim)
    if any(isinstance(part, Growing) for part in (item.start, item.stop)):
        call.refuse("how much it takes grows with the batch")
    start, stop, _ = item.indices(x.shape[axis])
    if (start, stop) == (0, x.shape[axis]):
        return x, values, dim + 1
    values = [value.narrow(dim, start, stop - start) for value in values]
    params = {"axis": axis, "start": start, "length": stop - start}
    return call.step("slice", params, x, name="slice", value=tuple(values)), values, dim + 1


def _real(x: Wire, batch: int) -> tuple[int, ...]:
    return (*x.shape[: x.batch], batch, *x.shape[x.batch :])


def _whole_weight(call: Call, weight: Weight, keys: list[Any]) -> Weight:
    """`pos[:, :197]` of a weight of that very length is the weight itself."""
    for dim, item in enumerate(keys):
        length = weight.tensor.shape[dim]
        if not isinstance(item, slice) or item.indices(length) != (0, length, 1):
            call.refuse(f"it takes a part of {weight.path}, and weights can be used only whole")
    return weight


@handles("expand", "expand_as", "repeat", torch.broadcast_to)
def _expand(call: Call, x: Any, *sizes: Any) -> Any:
    items = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    if not isinstance(x, Weight):
        call.refuse("only weights can be stretched over the batch")
    shape, batch, _ = layout(call.values)
    own = tuple(x.tensor.shape)
    if batch != 0 or own not in (shape, (1, *shape)) or not isinstance(x.tensor, torch.nn.Parameter):
        call.refuse(f"{x.path} of shape {own} is not only stretched over the batch")
    source = _batch_source(call, items)
    return call.step("learned_tensor", {"shape": own}, source, path=x.path, stateful=True)


def _batch_source(call: Call, items: Any) -> Wire:
    """The wire from which the code takes the number of samples."""
    found: Any = call.node.meta.get("wires", ())
    if not found:
        call.refuse("it is not clear from which tensor the number of samples comes")
    last: Wire = found[-1]
    return last


@handles("torchvision.models.shufflenetv2.channel_shuffle")
def _shuffle(call: Call, x: Any, groups: Any) -> Any:
    return call.step("channel_shuffle", {"groups": number(call, groups, "number of groups")}, whole(call, x))


@handles("torchvision.models.swin_transformer._patch_merging_pad")
def _patch_merge(call: Call, x: Any) -> Any:
    return call.step("patch_merge", {}, whole(call, x), name="merge")
