"""Tries an export in a process of its own and compares it with the live model.

Owns the comparison and what counts as equal. The other side stands in `read_back.py`. On the same machine, with one
thread, the same code gives the same bits, so the difference is expected to be exactly 0 and the tolerance is for
machines that choose other kernels from one process to the next. Programs reckon in another order, and fewer bits round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from engine.formats import ExportOptions
from engine.problem import Problem, ProblemError
from engine.runtime.export_samples import Trial
from engine.runtime.reading_process import Reader, fault
from engine.source_ends import OutputEnd


@dataclass(frozen=True)
class Tolerance:
    """How far an export may be from the model: within either difference, so many samples given the same class."""

    relative: float
    """Of the largest value of a tensor."""
    absolute: float
    agreement: float = 1.0


SAME = Tolerance(1e-5, 1e-6)
OTHER_KERNELS = Tolerance(1e-4, 1e-5)
SIXTEEN_BITS = Tolerance(2e-2, 2e-3, 0.85)
EIGHT_BITS = Tolerance(0.25, 2e-2, 0.7)


def tolerance_of(format: str, options: ExportOptions) -> Tolerance:
    """What counts as equal for a format with its options."""
    if options.int8:
        return EIGHT_BITS
    if options.half:
        return SIXTEEN_BITS
    return OTHER_KERNELS if format in ("torch_export", "onnx") else SAME


@dataclass(frozen=True)
class Attempt:
    """What the other process is to read."""

    kind: str
    """code, script, torch_export, onnx or bundle."""
    main: Path
    names: tuple[str, ...]
    """Arguments of `forward`, in order."""
    code: Path | None = None
    class_name: str = ""
    weights: Path | None = None
    format: str = ""
    architecture: str = ""
    statistics: Path | None = None
    """Those that `predict` takes."""
    takes_raw: bool = False
    """Its preprocessing is inside."""
    proof: Mapping[str, Any] = field(default_factory=dict)
    """What a training script is to repeat."""

    @property
    def answers(self) -> bool:
        """Whether it turns raw samples into answers too."""
        return self.kind in ("code", "bundle")

    def to_json(self) -> dict[str, Any]:
        """Plain data for the other process."""
        plain = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        return {**plain, "class": self.class_name, "statistics": str(self.statistics or "")}


@dataclass(frozen=True)
class Difference:
    """How far what was read back is from the live model: raw outputs, and answers of `predict` where there are some."""

    absolute: float
    relative: float
    """Largest absolute difference over the largest absolute value of its tensor."""
    agreement: float | None
    """Share of samples that are given the same class; None when no output answers with classes."""
    latency_ms: float = 0.0
    """Of one sample, one thread."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else the other process found."""

    @property
    def classes_agree(self) -> bool | None:
        """True when every sample is given the same class; None when no output answers with classes."""
        return None if self.agreement is None else self.agreement == 1.0

    def is_within(self, allowed: Tolerance) -> bool:
        """True within the tolerance."""
        near = self.relative <= allowed.relative or self.absolute <= allowed.absolute
        return near and (self.agreement is None or self.agreement >= allowed.agreement)


def compare(
    attempt: Attempt, model: nn.Module, trial: Trial, ends: Sequence[OutputEnd], values: Sequence[Tensor | None], *,
    folder: Path, reader: Reader,
) -> Difference:  # fmt: skip
    """The difference between the export and the live model. ProblemError when the export cannot be read.

    `values` holds per output (mean, deviation) stacked, (2, size), where answers are brought back to real units.
    """
    found, said = _elsewhere(attempt, trial, folder, reader)
    with one_thread(), torch.inference_mode():
        live = _live(model, trial, ends, values, answers=attempt.answers)
        return replace(_difference(live, found, ends), latency_ms=float(said["latency_ms"]), told=said)


def _live(
    model: nn.Module, trial: Trial, ends: Sequence[OutputEnd], values: Sequence[Tensor | None], *, answers: bool
) -> dict[str, Tensor]:
    """The same results from the model in memory, under the names that `read_back.py` gives them."""
    found: dict[str, Tensor] = {}
    model.eval()
    for number, batch in enumerate(trial.prepared):
        result = model(*batch)
        outputs = (result,) if isinstance(result, Tensor) else tuple(result)
        if trial.rows and answers:
            found[f"encoded.{number}.0"] = trial.raw[number][0]
        for place, (end, output, units) in enumerate(zip(ends, outputs, values, strict=True)):
            found[f"output.{number}.{place}"] = output
            if trial.raw and answers:
                found[f"answer.{number}.{place}"] = answer_of(end, output, units)
    return found


def answer_of(end: OutputEnd, output: Tensor, units: Tensor | None) -> Tensor:
    """A raw output as `predict` answers: probabilities, or values in real units."""
    if end.activation == "softmax":
        return output.softmax(1)
    if end.activation == "sigmoid":
        return output.sigmoid()
    return output if units is None else output * units[1] + units[0]


def _difference(live: Mapping[str, Tensor], found: Mapping[str, Tensor], ends: Sequence[OutputEnd]) -> Difference:
    absolute = relative = 0.0
    same: list[Tensor] = []
    for name, mine in live.items():
        theirs = found.get(name)
        if theirs is None or theirs.shape != mine.shape:
            shapes = f"{tuple(mine.shape)} here, {tuple(theirs.shape) if theirs is not None else 'nothing'} there"
            raise ProblemError(fault(f"It gives other results than the model: {shapes}"))
        gap = _gap(mine, theirs)
        scale = float(mine.double().nan_to_num(0.0).abs().max()) if mine.numel() else 0.0
        absolute, relative = max(absolute, gap), max(relative, gap / scale if scale else gap)
        end = ends[int(name.rsplit(".", 1)[1])]
        if end.activation in ("softmax", "sigmoid") and mine.dim() == 2 and not name.startswith("encoded"):
            border = 0.5 if name.startswith("answer") else 0.0
            same.append(_chosen(mine, border) == _chosen(theirs, border))
    agreement = float(torch.cat(same).double().mean()) if same else None
    return Difference(absolute, relative, agreement)


def _gap(mine: Tensor, theirs: Tensor) -> float:
    """Largest absolute difference; infinite where one is a number and the other is not."""
    apart = (mine.double() - theirs.double()).abs()
    gap = float(apart.max()) if mine.numel() else 0.0
    if gap <= float("inf"):
        return gap
    same = torch.equal(mine.isnan(), theirs.isnan())
    return float(apart.nan_to_num(0.0).max()) if same else float("inf")


def _chosen(output: Tensor, border: float) -> Tensor:
    """The class of each sample, or whether it is a yes."""
    return output.argmax(1) if output.shape[1] > 1 else output[:, 0] > border


def _elsewhere(
    attempt: Attempt, trial: Trial, folder: Path, reader: Reader
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What a fresh process gets out of the export, and what it tells."""
    tensors: dict[str, Tensor] = {}
    for kind, batches in (("prepared", trial.prepared), ("raw", trial.raw)):
        for number, batch in enumerate(batches):
            tensors |= {f"{kind}.{number}.{place}": item.contiguous() for place, item in enumerate(batch)}
    samples, result = folder / "samples.safetensors", folder / "found.safetensors"
    # Copies: two inputs may share the memory of one stream, which safetensors refuses.
    safetensors.torch.save_file({name: item.clone() for name, item in tensors.items()}, samples)
    said = reader.read(
        {
            **attempt.to_json(), "samples": str(samples), "found": str(result), "batches": len(trial.prepared),
            "inputs": len(trial.prepared[0]), "predicts": bool(trial.raw), "rows": list(trial.rows),
        },
        folder,
    )  # fmt: skip
    return safetensors.torch.load_file(result), said


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch uses one thread, as the process that reads back does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def too_different(difference: Difference, allowed: Tolerance) -> Problem:
    """The problem of an export that gives other results than the model."""
    if difference.agreement is not None and difference.agreement < allowed.agreement:
        share = f"in {1 - difference.agreement:.0%} of the samples"
        return fault(f"The file that was read back chooses other classes than the model {share}")
    gap, relative = difference.absolute, difference.relative
    return fault(f"Results differ by up to {gap:.3g} ({relative:.3g} of the largest; {allowed.relative:g} is allowed)")


def literal_units(means: Sequence[float], deviations: Sequence[float]) -> Tensor | None:
    """Mean and deviation of an output as (2, size), None where answers have no units of their own."""
    return torch.tensor([list(means), list(deviations)]) if means else None
