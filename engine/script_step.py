"""One optimizer step as lines of the training script: rate, gradients, penalties, clipping, update, bounds, average.

In the order of the training. Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.expr import name as variable
from engine.expr import used_helpers
from engine.script_shape import Loop, Shape, call_of, criteria_of, loss_of, tuple_lines


@dataclass
class Step:
    """Lines of one optimizer step."""

    shape: Shape
    loop: Loop

    def __post_init__(self) -> None:
        recipe = self.shape.project.recipe
        self._recipe = recipe
        self._declared = recipe.made("optimizer")
        kind = str(recipe.get("schedule")["type"])
        self._moves_rate = kind != "constant" and (
            kind == "plateau" or not any("rate stays" in limit for limit in self.loop.limits)
        )
        self._ema = recipe.made("ema")
        self._counts = self._ema.enabled or (self._moves_rate and kind != "plateau")
        self._factor = "factor" if kind == "plateau" else "rate(step)"
        schedule = recipe.made("schedule")
        self._moves_momentum = kind == "one_cycle" and schedule.moves_momentum

    def optimizer(self) -> list[str]:
        """Lines that make the optimizer."""
        groups = self.shape.weights.groups
        call = self._declared.build(variable("groups" if groups else "parameters"), fused=is_fused(self._declared))
        self.loop.helpers |= used_helpers(call)
        lines: list[str] = []
        if groups:
            for place, (names, _) in enumerate(groups, 1):
                lines += tuple_lines(f"names{place}", names)
            lines.append("groups: list[dict[str, Any]] = [")
            for place, (_, options) in enumerate(groups, 1):
                more = "".join(f', "{key}": {value!r}' for key, value in options.items())
                lines.append(f'    {{"params": [named[name] for name in names{place}]{more}}},')
            lines.append("]")
        return [*lines, f"optimizer = {call.text}"]

    def before(self) -> list[str]:
        """Lines before the first epoch."""
        weights = self.shape.weights
        lines: list[str] = []
        for place, (names, *_) in enumerate(weights.decayed, 1):
            lines += tuple_lines(f"penalised{place}", names)
        for place, (names, *_) in enumerate(weights.bounded, 1):
            lines += tuple_lines(f"bounded{place}", names)
        lines += tuple_lines("outputs", weights.outputs) if weights.outputs else []
        if self._moves_rate and self.shape.weights.groups:
            lines.append('bases = [group["lr"] for group in optimizer.param_groups]')
        if self._ema.enabled:
            lines.append("average = [weight.detach().clone() for weight in parameters]")
        return [*lines, *(["step = 0"] if self._counts else [])]

    def lines(self) -> list[str]:
        """Lines of all steps of an epoch."""
        shape, accumulate = self.shape, int(self._recipe.get("accumulate"))
        draws = []
        if shape.draws:
            counts = ", ".join(map(str, shape.draws))
            draws = [
                "draws = [",
                "    torch.rand(len(order), count, generator=generator(number, SEED, epoch))",
                f"    for number, count in enumerate(({counts}{',' if len(shape.draws) == 1 else ''}))",
                "]",
            ]
        split = f"order.split({'sizes' if shape.leftover else 'BATCH'})"
        if accumulate == 1:
            inner = [*self._rates(), *self._gradients()]
            return [*draws, f"for places in {split}:", *(f"    {line}" for line in inner)]
        inner = [
            f"parts = batches[start : start + {accumulate}]",
            "count = sum(len(places) for places in parts)",
            *self._rates(),
            *self._gradients(),
        ]
        return [
            *draws, f"batches = {split}", f"for start in range(0, len(batches), {accumulate}):",
            *(f"    {line}" for line in inner),
        ]  # fmt: skip

    def _rates(self) -> list[str]:
        lines = []
        if self._moves_rate and self.shape.weights.groups:
            lines += ["for group, base in zip(optimizer.param_groups, bases, strict=True):",
                      f'    group["lr"] = base * {self._factor}']  # fmt: skip
        elif self._moves_rate:
            lines.append(f'optimizer.param_groups[0]["lr"] = {self._declared.lr!r} * {self._factor}')
        if self._moves_momentum:
            value = '"momentum"] = momentum(step)'
            if not hasattr(self._declared, "momentum"):
                value = '"betas"] = (momentum(step), group["betas"][1])'
            lines += ["for group in optimizer.param_groups:", f"    group[{value}"]
        return lines

    def _gradients(self) -> list[str]:
        """Loss and gradients of a batch (or of several), then the update."""
        shape = self.shape
        closure = bool(getattr(self._declared, "closure", False))
        accumulate = int(self._recipe.get("accumulate")) > 1
        takes = [f"{', '.join(shape.names.all)} = (item[places] for item in samples)"]
        first = shape.names.inputs[0]
        if shape.draws:
            takes.append(f"{first} = augment({first}, [table[places] for table in draws])")
        if shape.prepares:
            takes.append(f"{', '.join(shape.names.inputs)} = preprocess({', '.join(shape.names.inputs)})")
        _, criteria = criteria_of(shape)
        cast = self._recipe.get("precision") == "bf16"
        reckon = [*call_of(shape, cast=cast), f"loss = {loss_of(shape, criteria, numbers=False)}"]
        if closure:
            if accumulate or shape.weights.decayed:
                self.loop.limits.append("L-BFGS sees one batch without penalties; the training had more")
            losses = ["losses: list[float] = []", "", "def closure() -> float:", "    optimizer.zero_grad()",
                      *(f"    {line}" for line in reckon), "    loss.backward()", "    losses.append(loss.item())",
                      "    return losses[-1]", ""]  # fmt: skip
            return [*takes, *losses, "optimizer.step(closure)", "total += losses[0] * len(places)", *self._after()]
        lines = ["optimizer.zero_grad()"]
        if accumulate:
            inner = [*takes, *reckon, "(loss * (len(places) / count)).backward()", "total += loss.item() * len(places)"]
            lines += ["for places in parts:", *(f"    {line}" for line in inner)]
        else:
            lines = [*takes, *lines, *reckon, "loss.backward()"]
        lines += [*self._penalties(), *self._clipping(), "optimizer.step()", *self._after()]
        return lines if accumulate else [*lines, "total += loss.item() * len(places)"]

    def _penalties(self) -> list[str]:
        lines: list[str] = []
        for place, (_, l1, l2) in enumerate(self.shape.weights.decayed, 1):
            words = " + ".join(f"{value!r} {sign}" for value, sign in ((l1, "Σ|w|"), (l2, "Σw²")) if value)
            lines.append(f"for name in penalised{place}:  # the gradient of {words}")
            if l2:
                lines.append(f"    named[name].grad.add_(named[name], alpha={2 * l2!r})")
            if l1:
                lines.append(f"    named[name].grad.add_(named[name].sign(), alpha={l1!r})")
        return ["with torch.no_grad():", *(f"    {line}" for line in lines)] if lines else []

    def _clipping(self) -> list[str]:
        clip = self._recipe.made("clip")
        if clip.mode == "none":
            return []
        outputs = self.shape.weights.outputs
        lines, given = [], "parameters"
        if clip.mode == "adaptive" and outputs:
            lines.append("inner = [weight for name, weight in named.items() if name not in outputs]")
            given = "inner"
        call = clip.apply(variable(given))
        self.loop.helpers |= used_helpers(call)
        return [*lines, call.text]

    def _after(self) -> list[str]:
        lines: list[str] = []
        for place, (_, radius, axis) in enumerate(self.shape.weights.bounded, 1):
            lines.append(f"for name in bounded{place}:")
            lines.append(f"    named[name].renorm_(2, {axis}, {radius!r})")
        if lines:
            lines = ["with torch.no_grad():", *(f"    {line}" for line in lines)]
        if self._counts:
            lines.append("step += 1")
        if self._ema.enabled:
            decay = f"min({self._ema.decay!r}, (1 + step) / (10 + step))" if self._ema.warmup else repr(self._ema.decay)
            lines += ["for kept, weight in zip(average, parameters, strict=True):",
                      f"    kept.lerp_(weight.detach(), 1.0 - {decay})"]  # fmt: skip
        return lines


def is_fused(declared: Any) -> bool:
    """Whether the training used torch's fused kernel, which rounds otherwise than the plain one."""
    return bool(declared.fused_on("cpu"))
