"""The training script of an export: the model, its data and its training in one file that repeats a run.

Owns how the parts are put together, and what its docstring says. What cannot be repeated is told there and given back
as `limits`, never passed over. Knows no torch. Everything of the user's is a `repr` literal or a checked name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import wrap

from engine.analysis import Analysis
from engine.datafacts import CLASS
from engine.declare import find
from engine.known import known_data
from engine.problem import ProblemError
from engine.project import Project
from engine.script_augment import augment_lines
from engine.script_data import Names, Reading, load_lines, unwritable
from engine.script_loop import loop_of
from engine.script_shape import Shape, Weights
from engine.source_ends import find_ends
from engine.source_helpers import helper_text
from engine.source_names import comment
from engine.standalone import Statistics, classes_lines, fast_path, preprocess_lines, split_source
from engine.standalone_inputs import preparing
from engine.standalone_table import encode_lines, table_columns

GENERATOR = '''def generator(*parts: int | str) -> torch.Generator:
    """A generator seeded by numbers and words alone, whatever else is drawn."""
    digest = blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)'''


@dataclass(frozen=True)
class Trained:
    """What is known of the run that the script repeats; its defaults mean a project that was not trained."""

    weights: Weights = field(default_factory=Weights)
    merge_single: bool = False
    statistics: Mapping[str, Statistics] = field(default_factory=dict)
    seed: int = 0
    threads: int = 1
    epochs: int = 0
    """Planned epochs; 0: those of the recipe."""
    last: int = 0
    """Epochs that ended; 0: all."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Figures of the last epoch."""
    version: str = ""
    """Of torch."""
    limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Script:
    """The text in sections, and what it cannot repeat, in words."""

    docstring: str
    sections: tuple[str, ...]
    limits: tuple[str, ...]
    batched: bool
    """Samples are prepared batch by batch: `load_data` gives them raw."""

    @property
    def text(self) -> str:
        """One file."""
        return "\n\n\n".join([f'"""{self.docstring}\n"""\n\n{self.sections[0]}', *self.sections[1:]]) + "\n"


def training_script(project: Project, analysis: Analysis, trained: Trained) -> Script:
    """The script; ProblemError where there is nothing to train, or the data cannot be read in a few lines."""
    data, ends = known_data(project), find_ends(project)
    if data is None or not analysis.source:
        raise ProblemError(*(analysis.errors or (unwritable("data that has not been read"),)))
    recipe = project.recipe
    if project.weights is not None:
        raise ProblemError(unwritable("a training that starts from weights of a file"))
    if recipe.get("phases"):
        raise ProblemError(unwritable("a training in phases"))
    if recipe.get("schedule").get("every") is not None and recipe.get("schedule")["type"] == "plateau":
        raise ProblemError(unwritable("a plateau that looks within epochs"))
    steps = [preparing(project, end, trained.statistics.get(end.stream)) for end in ends.inputs]
    augments = recipe.listed("augment")
    inner, main = split_source(analysis)
    forms = {end.target: str(getattr(_loss_class(end.loss), "target", CLASS)) for end in ends.outputs}
    load, reading = load_lines(project, data, ends, steps, forms=forms, raw_inputs=bool(augments))
    draws: list[int] = []
    augment: list[str] = []
    if augments:
        _refuse_augmentation(project, steps_extra=any(step.extra for step in steps), inputs=len(ends.inputs))
        augment, draws = augment_lines(augments, data.inputs[ends.inputs[0].stream])
    shape = Shape(
        project, ends, Names.of(ends), trained.weights, data.counts.get("train", 0), bool(data.counts.get("val")),
        trained.epochs or recipe.epochs, trained.last or trained.epochs or recipe.epochs, trained.merge_single,
        tuple(draws), bool(augments),
    )  # fmt: skip
    loop = loop_of(shape)
    columns = table_columns(data)
    helpers = [helper_text(name) for name in sorted(loop.helpers)]
    functions = [
        *([encode_lines(columns)] if columns else []), *([inner] if inner else []), main, *helpers,
        preprocess_lines(steps), "\n".join(load), GENERATOR, *(["\n".join(augment)] if augment else []),
        *("\n".join(line.rstrip() for line in section) for section in loop.sections), _main(analysis, shape, trained),
        'if __name__ == "__main__":\n    main()',
    ]  # fmt: skip
    limits = (*trained.limits, *loop.limits)
    body = "\n\n\n".join(functions)
    constants = [f"SEED, EPOCHS, BATCH = {trained.seed}, {shape.last}, {recipe.batch_size}"]
    classes = classes_lines(ends, data.targets)
    head = "\n".join([*_imports(body, reading), "", *constants, *classes, *fast_path(body)])
    return Script(
        _docstring(project, shape, trained, reading, limits), (head, *functions), limits, batched=bool(augments)
    )


def _loss_class(tagged: Mapping[str, object]) -> object:
    declaration = find("loss", str(tagged.get("type")))
    return declaration.cls if declaration else None


def _refuse_augmentation(project: Project, *, steps_extra: bool, inputs: int) -> None:
    preprocess = project.recipe.made("preprocess")
    if steps_extra:
        raise ProblemError(unwritable("augmentation with statistics that are not a few numbers of a run"))
    if preprocess.resize is not None or preprocess.color != "keep":
        raise ProblemError(unwritable("augmentation of images that change their size or colour"))
    if inputs > 1:
        raise ProblemError(unwritable("augmentation with several inputs"))
    if project.recipe.get("sampler") == "balanced":
        raise ProblemError(unwritable("augmentation with balanced classes"))


def _docstring(
    project: Project, shape: Shape, trained: Trained, reading: Reading, limits: tuple[str, ...]
) -> str:  # fmt: skip
    name = comment(project.name).replace('"', "'").replace("\\", "/") or "a network"
    needs = f"torch, numpy and {reading.needs}" if reading.needs else "torch and numpy"
    lines = [f"Trains {name} as Layerwright did: `python FILE`.", "", f"Needs {needs}."]
    if trained.figures:
        told = ", ".join(f"{key} {value!r}" for key, value in trained.figures.items())
        lines.append(f"After epoch {shape.last} the run had {told}.")
    if limits:
        lines += ["What it does not repeat exactly:", *(f"- {limit}." for limit in limits)]
    else:
        version = f"torch {trained.version} " if trained.version else "the same torch "
        lines.append(f"With {version}on a CPU of the same kind every number is repeated to the last digit.")
    return "\n".join("\n".join(wrap(line, 98, subsequent_indent="  " * line.startswith("-"))) for line in lines)


def _main(analysis: Analysis, shape: Shape, trained: Trained) -> str:
    lines = [
        "def main() -> None:",
        '    """Trains and saves the weights."""',
        f"    torch.set_num_threads({trained.threads})",
        "    data = load_data()",
        "    torch.manual_seed(SEED)",
        f"    model = {analysis.class_name}()",
        "    for figures in train(model, data):",
        '        print(", ".join(f"{name} {value:.6g}" for name, value in figures.items()))',
        '    torch.save(model.state_dict(), "weights.pt")',
    ]
    return "\n".join(lines)


def _imports(body: str, reading: Reading) -> list[str]:
    """In the order that ruff keeps."""

    def used(word: str) -> bool:
        return bool(re.search(rf"\b{word}\b", body))

    plain = [f"import {name}" for name in ("csv", "math") if used(rf"{name}\.")]
    kinds = [name for name in ("Callable", "Iterable", "Iterator", "Mapping", "Sequence") if used(name)]
    standard = [*plain, f"from collections.abc import {', '.join(kinds)}",
                "from hashlib import blake2b", *(["from typing import Any"] if used("Any") else [])]  # fmt: skip
    others = ["import numpy as np"] if used(r"np\.") else []
    others += ["import torch", *(["import torch.nn.functional as F"] if used(r"F\.") else [])]
    froms = [line for line in reading.imports if line.startswith("from ")]
    return [*standard, "", *others, *sorted([*froms, "from torch import Tensor, nn"])]
