"""The part of a training script that trains: `evaluate()` and `train()`, step for step what the training did.

Owns the order of things around a step. Knows no torch.
"""

from __future__ import annotations

import re

from engine.progress import Progress
from engine.script_epoch import Epoch
from engine.script_schedule import momentum_lines, rate_lines
from engine.script_shape import Loop, Shape, accuracy_of, call_of, criteria_of, loss_of, tuple_lines
from engine.script_step import Step
from engine.source_parts import bracketed

EVAL_BATCH = 256
"""Samples per batch without gradients, as in the training."""


def loop_of(shape: Shape) -> Loop:
    """Everything that trains."""
    loop = Loop()
    recipe = shape.project.recipe
    schedule_lines = _schedule(shape, loop)
    ema = recipe.made("ema")
    extra = [REPLACED.splitlines()] if ema.enabled and ema.use else []
    loop.sections += [*schedule_lines, *extra, _evaluate(shape), _train(shape, loop)]
    if recipe.get("momentum_rescale"):
        loop.limits.append("Velocities of momentum follow a new rate at once; in the training they kept the old one")
    if recipe.get("precision") == "fp16":
        loop.limits.append("The training ran in fp16 on a GPU; here it runs in float32")
    if recipe.get("sampler") == "balanced":
        loop.limits.append("Samples come in plain random order; in the training classes were drawn equally often")
    return loop


def _schedule(shape: Shape, loop: Loop) -> list[list[str]]:
    tagged = shape.project.recipe.get("schedule")
    kind = str(tagged["type"])
    if kind in ("constant", "plateau"):
        return []
    schedule = shape.project.recipe.made("schedule")
    plan = Progress.at(0, steps_per_epoch=shape.steps_per_epoch, epochs=shape.epochs)
    lines = rate_lines(schedule, kind, plan)
    if lines is None:
        loop.limits.append(f"The rate stays as it is; in the training it followed the schedule {kind}")
        return []
    found = [["def rate(step: int) -> float:", '    """What the learning rate is multiplied by at a step, from 0."""',
              *(f"    {line}" for line in lines)]]  # fmt: skip
    if moved := momentum_lines(schedule, kind, plan):
        found.append(["def momentum(step: int) -> float:", '    """The momentum at a step, from 0."""',
                      *(f"    {line}" for line in moved)])  # fmt: skip
    elif schedule.moves_momentum:
        loop.limits.append("The momentum stays as it is; in the training the schedule moved it")
    return found


def _evaluate(shape: Shape) -> list[str]:
    right = accuracy_of(shape)
    _, criteria = criteria_of(shape)
    inputs, size = ", ".join(shape.names.inputs), f"len({shape.names.targets[0]})"
    own = [f"{inputs} = preprocess({inputs})"] if shape.prepares else []
    arguments = ["model: nn.Module", *(f"{name}: nn.Module" for name in criteria), "samples: tuple[Tensor, ...]"]
    loss = loss_of(shape, criteria, numbers=True)
    loss = f"({loss})" if len(criteria) > 1 or " * " in loss else loss
    batches = f"*(item.split({EVAL_BATCH}) for item in samples)"
    return [
        *bracketed("def evaluate(", arguments, f") -> {'tuple[float, float]' if right else 'float'}:", 0),
        f'    """Mean loss{" and accuracy" if right else ""} on samples."""',
        "    model.eval()",
        "    total, right, count = 0.0, 0, 0" if right else "    total, count = 0.0, 0",
        "    with torch.inference_mode():",
        f"        for {', '.join(shape.names.all)} in zip({batches}, strict=True):",
        *(f"            {line}" for line in [*own, *call_of(shape)]),
        f"            total += {loss} * {size}",
        *([f"            right += {right}"] if right else []),
        f"            count += {size}",
        "    return total / count, right / count" if right else "    return total / count",
    ]


def _train(shape: Shape, loop: Loop) -> list[str]:
    step = Step(shape, loop)
    epoch = Epoch(shape, loop, bool(accuracy_of(shape)))
    criteria, _ = criteria_of(shape)
    order = 'torch.randperm(len(samples[0]), generator=generator("order", SEED, epoch))'
    body = [
        *step.optimizer(),
        *step.before(),
        *epoch.before(),
        'samples = data["train"]',
        *([f"sizes = [BATCH] * {shape.train_samples // shape.project.recipe.batch_size - 1} + [BATCH + 1]"]
          if shape.leftover else []),
        "for epoch in range(1, EPOCHS + 1):",
        "    model.train()",
        *(f"    {line}" for line in _held(shape)),
        "    total = 0.0",
        f"    order = {order}",
        *(f"    {line}" for line in step.lines()),
        *(f"    {line}" for line in epoch.lines()),
        *epoch.after(),
    ]  # fmt: skip
    body = [*criteria, *_weights(shape, "\n".join(body)), *body]
    head = "def train(model: nn.Module, data: dict[str, tuple[Tensor, ...]]) -> Iterator[dict[str, float]]:"
    words = '    """Trains, and gives the figures of every epoch as it ends."""'
    return [head, words, *(f"    {line}" for line in body)]


def _weights(shape: Shape, body: str) -> list[str]:
    """What the lines of `body` want to know of the model's weights."""
    lines: list[str] = []
    if shape.weights.frozen:
        lines += [*tuple_lines("frozen", shape.weights.frozen), "for name, weight in model.named_parameters():",
                  "    weight.requires_grad_(name not in frozen)"]  # fmt: skip
    if re.search(r"\bparameters\b", body):
        some = "[weight for weight in model.parameters() if weight.requires_grad]"
        lines.append(f"parameters = {some if shape.weights.frozen else 'list(model.parameters())'}")
    if re.search(r"\bnamed\b", body):
        lines.append("named = dict(model.named_parameters())")
    return [*lines, *(tuple_lines("held", shape.weights.held) if shape.weights.held else [])]


def _held(shape: Shape) -> list[str]:
    if not shape.weights.held:
        return []
    return ["for path in held:", "    model.get_submodule(path).eval()  # its statistics stand still"]


REPLACED = """def replaced(weights: list[nn.Parameter], values: list[Tensor]) -> list[Tensor]:
    \"\"\"Puts values into weights; what was there.\"\"\"
    before = [weight.detach().clone() for weight in weights]
    with torch.no_grad():
        for weight, value in zip(weights, values, strict=True):
            weight.copy_(value)
    return before"""
