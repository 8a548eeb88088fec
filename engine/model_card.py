"""The model card of a bundle, in Markdown: what the network is for, how good it is, and how it came about.

Owns the words. Figures are those of the run and of the comparison; nothing is reckoned here. Knows no torch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from engine import bundle
from engine.analysis import Analysis
from engine.datasets.facts import raw_streams
from engine.graphfile import plain
from engine.known import known_data
from engine.project import Project
from engine.recipe import SETTINGS
from engine.runfiles import RunInfo
from engine.source_ends import find_ends
from engine.tensor import shape_text

_FILES = {
    bundle.PREDICT: "answers about new samples; `python predict.py` tries the example",
    bundle.MODEL: "the network, its preprocessing and `predict()`, as readable code",
    bundle.WEIGHTS: "the trained weights: `torch.load(..., weights_only=True)`",
    bundle.STATISTICS: "mean and deviation of the training samples, which the preprocessing takes",
    bundle.PREPROCESSING: "what happens to a sample before the network sees it",
    bundle.CLASSES: "names of the classes, in the order of the columns",
    bundle.EXAMPLE: "a sample, as `predict()` takes it",
    bundle.EXPECTED: "what the network answers to it",
    bundle.PROJECT: "the project, to be opened with Layerwright",
}

_NO_FIGURES = ("seconds", "samples_per_second", "lr")


def model_card(
    project: Project, analysis: Analysis, info: RunInfo, *, checkpoint: str, epoch: int, files: Sequence[str],
    proof: str, real_example: bool,
) -> str:  # fmt: skip
    """The card's text. `proof` is one paragraph about the comparison with the trained network."""
    sections = [
        f"# {_line(info.name or project.name) or 'A network'}",
        _purpose(project),
        "## How good it is",
        _figures(info, checkpoint, epoch),
        "## Data",
        _data(project, info),
        "## Training",
        _training(project, info),
        "## Network",
        _network(project, analysis),
        "## Files",
        _table(("file", "what it holds"), [(f"`{name}`", _FILES[name]) for name in files if name in _FILES]),
        "The example is a sample of the data." if real_example else "The example was drawn: no data was at hand.",
        "## Proof",
        proof,
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _purpose(project: Project) -> str:
    data, ends = known_data(project), find_ends(project)
    streams = raw_streams(data) if data else {}
    targets = data.targets if data else {}
    lines = []
    for end in ends.inputs:
        stream = streams.get(end.stream)
        values = f", values 0 to {stream.top:g}" if stream is not None and stream.top else ""
        shape = f" ({shape_text(stream.shape)} per sample{values})" if stream is not None else ""
        lines.append(f"- takes `{end.name}`{shape}")
    for output in ends.outputs:
        target = targets.get(output.target)
        words = {"softmax": "probabilities of classes", "sigmoid": "probabilities"}.get(output.activation, "values")
        classes = f": {', '.join(map(_line, target.classes[:20]))}" if target and target.classes else ""
        more = f" and {len(target.classes) - 20} more" if target and len(target.classes) > 20 else ""
        lines.append(f"- answers `{output.name}`, {words}{classes}{more}")
    return "\n".join(lines)


def _figures(info: RunInfo, checkpoint: str, epoch: int) -> str:
    best = checkpoint == "best" and info.best
    figures: Mapping[str, Any] = info.best if best else info.final
    same = figures.get("epoch") == epoch
    rows = [
        (name, _number(value))
        for name, value in figures.items()
        if isinstance(value, float) and name not in _NO_FIGURES
    ]
    words = f"Weights of the checkpoint `{checkpoint}`, epoch {epoch}."
    if not rows:
        return f"{words} No figures were recorded."
    if not same:
        words += f" The figures are those of epoch {figures.get('epoch', info.epoch)}."
    return f"{words}\n\n{_table(('figure', 'value'), rows)}"


def _data(project: Project, info: RunInfo) -> str:
    data = known_data(project)
    counts = ", ".join(f"{count:,} {split}" for split, count in data.counts.items()) if data else "unknown"
    return "\n".join(
        [
            f"- set: `{json.dumps(plain(project.recipe.get('data')))}`",
            f"- samples: {counts}",
            f"- fingerprint: `{info.fingerprint or 'unknown'}`",
            f"- preprocessing: `{json.dumps(plain(project.recipe.get('preprocess')))}`",
        ]
    )


def _training(project: Project, info: RunInfo) -> str:
    recipe = {
        name: plain(project.recipe.get(name))
        for name in SETTINGS.by_name
        if name in project.recipe.values and name not in ("data", "preprocess")
    }
    began = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(info.created)) if info.created else "unknown"
    lines = [
        f"- begun {began}, {info.epoch} of {info.epochs} epochs, {info.step:,} steps, {info.seconds:.1f} s",
        f"- seed {info.seed}, device `{info.device}`, {info.threads} thread{'s' if info.threads != 1 else ''}",
        "- versions: " + ", ".join(f"{name} {text}" for name, text in info.versions.items() if text),
        *([f"- note: {_line(info.note)}"] if info.note else []),
    ]
    words = "Settings that differ from the defaults:"
    return "\n".join(lines) + f"\n\n{words}\n\n```json\n{json.dumps(recipe, indent=1)}\n```"


def _network(project: Project, analysis: Analysis) -> str:
    rows = []
    for (definition, node), facts in analysis.nodes.items():
        level = project.graph.level(definition)
        if facts.constructor and facts.paths and node in level.nodes:
            name = facts.paths[0] + (f" (×{len(facts.paths)})" if len(facts.paths) > 1 else "")
            shape = shape_text(facts.output.shape) if facts.output else ""
            rows.append((f"`{name}`", f"`{facts.constructor}`", shape, f"{facts.parameters:,}"))
    size = f"{analysis.parameters:,} parameters, {analysis.multiply_adds:,} multiply-adds per sample"
    head = f"`{analysis.class_name}`: {size}."
    return f"{head}\n\n{_table(('layer', 'module', 'gives', 'parameters'), rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def _number(value: float) -> str:
    return f"{value:.6g}"


def _line(text: str) -> str:
    """One line in which Markdown sees no table."""
    return " ".join(text.replace("|", "/").split())
