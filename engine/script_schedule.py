"""A schedule as lines of the training script: the body of `rate(step)`, with the numbers of one training filled in.

The same arithmetic in the same order as the declarations, so that every rate is the same to the last bit; a test holds
one against the other at every step. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import floor
from typing import Any

from engine.progress import Progress

Lines = list[str]


def rate_lines(schedule: Any, kind: str, plan: Progress) -> Lines | None:
    """The body of `rate(step)`, which gives the factor of the base rate; None where it cannot be written.

    `plan` is the first step of the training.
    """
    write = _WRITERS.get(kind)
    return write(schedule, plan) if write else None


def momentum_lines(schedule: Any, kind: str, plan: Progress) -> Lines | None:
    """The body of `momentum(step)`; None where the schedule does not move it or it cannot be written."""
    if kind != "one_cycle" or not schedule.moves_momentum:
        return None
    return _cycle(schedule, plan, schedule.high, schedule.low, schedule.high)


def _done(schedule: Any, plan: Progress) -> str:
    each = plan.steps_per_epoch
    return "step" if schedule.per == "step" else f"step // {each} * {each}"


def _begun(schedule: Any, plan: Progress) -> str:
    each = plan.steps_per_epoch
    return "(step + 1)" if schedule.per == "step" else f"((step // {each} + 1) * {each})"


def _counted(schedule: Any, plan: Progress) -> str:
    done = _done(schedule, plan)
    return f"{done} / {plan.steps_per_epoch}" if schedule.unit == "epochs" else done


def _constant(schedule: Any, plan: Progress) -> Lines:
    return ["return 1.0"]


def _step(schedule: Any, plan: Progress) -> Lines:
    return [f"return {schedule.by!r} ** (step // {plan.steps_per_epoch} // {schedule.every})"]


def _spans(text: str, *, staircase: bool) -> str:
    return f"math.floor({text})" if staircase else text


def _power(schedule: Any, plan: Progress) -> Lines:
    spans = _spans(f"{_counted(schedule, plan)} / {schedule.s!r}", staircase=schedule.staircase)
    return [f"return (1.0 + {spans}) ** -{schedule.power!r}"]


def _exponential(schedule: Any, plan: Progress) -> Lines:
    spans = _spans(f"{_counted(schedule, plan)} / {schedule.every!r}", staircase=schedule.staircase)
    return [f"return {schedule.by!r} ** ({spans})"]


def _piecewise(schedule: Any, plan: Progress) -> Lines:
    return [
        f"boundaries, factors = {tuple(schedule.boundaries)!r}, {tuple(schedule.values)!r}",
        f"return factors[sum({_counted(schedule, plan)} >= boundary for boundary in boundaries)]",
    ]


def _half_cosine(least: float, share: str) -> str:
    if least == 0.0:
        return f"return (1.0 + math.cos(math.pi * {share})) / 2.0"
    return f"return {least!r} + (1.0 - {least!r}) * (1.0 + math.cos(math.pi * {share})) / 2.0"


def _cosine(schedule: Any, plan: Progress) -> Lines:
    rising = min(round(schedule.warmup * plan.steps_per_epoch), plan.total_steps - 1)
    done = _done(schedule, plan)
    if not rising:
        return [_half_cosine(schedule.least, f"min(1.0, {done} / {plan.total_steps})")]
    return [
        f"if {done} < {rising}:",
        f"    return min(1.0, {_begun(schedule, plan)} / {rising})",
        f"share = min(1.0, ({done} - {rising}) / {plan.total_steps - rising})",
        _half_cosine(schedule.least, "share"),
    ]


def _polynomial(schedule: Any, plan: Progress) -> Lines:
    total = plan.total_steps if schedule.length is None else max(1, schedule.in_steps(schedule.length, plan))
    least, left = schedule.least, f"max(0.0, 1.0 - {_done(schedule, plan)} / {total})"
    left = left if schedule.power == 1.0 else f"{left} ** {schedule.power!r}"
    return [f"return {left}" if least == 0.0 else f"return {least!r} + (1.0 - {least!r}) * {left}"]


def _warmup(schedule: Any, plan: Progress) -> Lines:
    total = max(1, schedule.in_steps(schedule.length, plan))
    share = f"min(1.0, {_begun(schedule, plan)} / {total})"
    start = schedule.start
    return [f"return {share}" if start == 0.0 else f"return {start!r} + (1.0 - {start!r}) * {share}"]


def _inverse_sqrt(schedule: Any, plan: Progress) -> Lines:
    rising, begun = max(1, schedule.in_steps(schedule.warmup, plan)), _begun(schedule, plan)
    return [f"return min({begun} / {rising}, math.sqrt({rising} / {begun}))"]


def _cycle(schedule: Any, plan: Progress, ends: float, middle: float, last: float) -> Lines:
    total = plan.total_steps
    rest = floor(round(total * schedule.tail, 6)) + 1 if schedule.tail else 0
    half = (total - rest) // 2
    cosine = ["share = (1.0 - math.cos(math.pi * share)) / 2.0"] if schedule.legs == "cosine" else []
    return [
        f"start, end, share = {ends!r}, {last!r}, min(1.0, (step - {2 * half}) / {max(1, total - 2 * half)})",
        f"if step < {half}:",
        f"    start, end, share = {ends!r}, {middle!r}, step / {half or 1}",
        f"elif step < {2 * half}:",
        f"    start, end, share = {middle!r}, {ends!r}, (step - {half}) / {half or 1}",
        *cosine,
        "return start + (end - start) * share",
    ]


def _one_cycle(schedule: Any, plan: Progress) -> Lines:
    return _cycle(schedule, plan, schedule.start, schedule.peak, schedule.final)


def _restarts(schedule: Any, plan: Progress) -> Lines:
    length = max(1, schedule.in_steps(schedule.first, plan))
    if schedule.times == 1:
        return [f"share = ({_done(schedule, plan)}) % {length} / {length}", _half_cosine(schedule.least, "share")]
    return [
        f"place, length = {_done(schedule, plan)}, {length}",
        "while place >= length:",
        f"    place, length = place - length, length * {schedule.times}",
        _half_cosine(schedule.least, "place / length"),
    ]


def _cyclical(schedule: Any, plan: Progress) -> Lines:
    half, done = max(1, schedule.in_steps(schedule.half, plan)), _done(schedule, plan)
    shrink = {"triangular": "", "triangular2": " * 0.5**cycle", "exp_range": f" * {schedule.gamma!r} ** ({done})"}
    return [
        f"cycle, place = divmod({done}, {2 * half})",
        f"height = 1.0 - abs(place / {half} - 1.0)",
        f"return {schedule.low!r} + ({schedule.high!r} - {schedule.low!r}) * height{shrink[schedule.mode]}",
    ]


def _chain(schedule: Any, plan: Progress) -> Lines | None:
    starts = schedule.starts(plan.steps_per_epoch)
    found: Lines = []
    for place, (part, tagged) in enumerate(zip(schedule.made, schedule.parts, strict=True)):
        last = place + 1 == len(starts)
        end = plan.total_steps if last else min(starts[place + 1], plan.total_steps)
        if last and len(schedule.lengths) == len(starts):
            end = min(end, starts[place] + round(schedule.lengths[place] * plan.steps_per_epoch))
        total = max(1, end - starts[place])
        each = plan.steps_per_epoch
        lines = rate_lines(part, str(tagged["type"]), Progress(0, 0, each, total, -(-total // each)))
        if lines is None:
            return None
        before = [f"step -= {starts[place] - starts[place - 1]}"] if place else []
        if last:
            found += [*before, *lines]
        else:
            found += [*before, f"if step < {starts[place + 1] - starts[place]}:", *(f"    {line}" for line in lines)]
    return found


_WRITERS: Mapping[str, Callable[[Any, Progress], Lines | None]] = {
    "constant": _constant, "step": _step, "power": _power, "exponential": _exponential, "piecewise": _piecewise,
    "cosine": _cosine, "polynomial": _polynomial, "warmup": _warmup, "inverse_sqrt": _inverse_sqrt,
    "one_cycle": _one_cycle, "cosine_restarts": _restarts, "cyclical": _cyclical, "chain": _chain,
}  # fmt: skip
