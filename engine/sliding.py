"""Arithmetic of windows that slide over a signal, image or volume, and the refusals that follow from it.

Owns what convolution and pooling share: sides, reach, padding, and words for windows that do not fit. torch refuses
the same things later and less clearly. Never builds a module.
"""

from __future__ import annotations

from engine.declare import Refusal
from engine.param import Padding, Size
from engine.tensor import TensorInfo, shape_text


def sides(size: Size, num: int) -> tuple[int, ...]:
    """A size as one number per axis; ValueError when a pair meets another number of axes."""
    if isinstance(size, int):
        return (size,) * num
    if len(size) != num:
        raise ValueError(f"a pair of sizes does not fit {num} axes")
    return size


def single(value: Padding) -> str | int:
    """A padding that is the same along all axes; ValueError for a pair (`refuse_pair` has said so before)."""
    if isinstance(value, tuple):
        raise ValueError("this padding takes one number")
    return value


def size_text(size: Size) -> str:
    """`3×3` for 3, `3×5` for a pair."""
    return shape_text(sides(size, 2))


def refuse_pair(padding: Padding) -> Refusal | None:
    """Signals and volumes take one padding for all axes."""
    if not isinstance(padding, tuple):
        return None
    return Refusal(
        f"The padding is the pair {padding[0]}, {padding[1]}.",
        "`same` or one whole number, which counts for every axis",
        f"Use {max(padding)}",
        {"padding": max(padding)},
    )


def refuse_same(padding: Padding, stride: Size, kernel: Size) -> Refusal | None:
    """`same` keeps the size, which only a stride of 1 can do; torch refuses it otherwise."""
    if padding != "same" or stride in (1, (1, 1)):
        return None
    half = kernel // 2 if isinstance(kernel, int) else (kernel[0] // 2, kernel[1] // 2)
    return Refusal(
        "Padding `same` keeps the size, but the stride makes it smaller.",
        "`same` with stride 1, or a padding given as a number",
        f"Use padding {half}: the size is then divided by the stride, rounded up",
        {"padding": half},
    )


def refuse_reach(
    x: TensorInfo, kernel: Size, *, padding: Padding = 0, dilation: Size = 1, slack: Size = 0
) -> Refusal | None:
    """A window must not be larger than the padded input; by `slack` it may reach beyond (pooling that rounds up)."""
    if padding == "same" or x.rank < 2:
        return None
    num = x.rank - 1
    around = sides(padding, num) if not isinstance(padding, str) else (0,) * num
    spread = sides(dilation, num)
    reaches = [(side - 1) * step + 1 for side, step in zip(sides(kernel, num), spread, strict=True)]
    room = [size + 2 * pad for size, pad in zip(x.spatial, around, strict=True)]
    beyond = zip(reaches, room, sides(slack, num), strict=True)
    if all(reach <= space + more for reach, space, more in beyond):
        return None
    fitting = tuple(
        max(1, min(side, (space - 1) // step + 1))
        for side, space, step in zip(sides(kernel, num), room, spread, strict=True)
    )
    mend: Size = fitting[0] if len(set(fitting)) == 1 or num != 2 else (fitting[0], fitting[1])
    if num == 3:
        mend = min(fitting)
    return Refusal(
        f"The window reaches over {shape_text(tuple(reaches))}, but the input is only {shape_text(x.spatial)}"
        + (f" and {shape_text(tuple(room))} with padding." if padding else "."),
        "A window no larger than the padded input",
        f"Use kernel {mend}, more padding, or fewer layers that shrink the size before this one",
        {"kernel": mend},
    )


def rounding(ceil: bool, stride: Size | None, kernel: Size) -> Size:
    """How far a last window may reach beyond the border: one less than the stride when sizes are rounded up."""
    if not ceil:
        return 0
    down, right = sides(kernel if stride is None else stride, 2)
    return (down - 1, right - 1) if down != right else down - 1


def refuse_half(kernel: Size, padding: Size) -> Refusal | None:
    """Pooling must not be padded by more than half its window."""
    halves = tuple(side // 2 for side in sides(kernel, 2))
    if all(pad <= half for pad, half in zip(sides(padding, 2), halves, strict=True)):
        return None
    mend: Size = halves[0] if isinstance(padding, int) and isinstance(kernel, int) else (halves[0], halves[1])
    return Refusal(
        f"The padding {padding} is more than half of the window {kernel}.",
        "A padding of at most half the window, so that no window lies outside the input",
        f"Use padding {mend}",
        {"padding": mend},
    )


def refuse_edge(x: TensorInfo, kernel: Size, padding: Padding, dilation: Size, mode: str) -> Refusal | None:
    """`reflect` and `circular` fill the border from the input itself, which must be large enough for that."""
    num = x.rank - 1
    if mode not in ("reflect", "circular"):
        return None
    if isinstance(padding, str):
        spread = zip(sides(kernel, num), sides(dilation, num), strict=True)
        around = tuple((step * (side - 1) + 1) // 2 for side, step in spread)
    else:
        around = sides(padding, num)
    spare = 1 if mode == "reflect" else 0
    if all(pad <= size - spare for pad, size in zip(around, x.spatial, strict=True)):
        return None
    return Refusal(
        f"The border of {shape_text(around)} cannot be filled in mode `{mode}` from an input of {x}.",
        f"A border {'smaller' if spare else 'no larger'} than the input",
        "Fill it with zeros, or use a smaller padding",
        {"padding_mode": "zeros"},
    )
