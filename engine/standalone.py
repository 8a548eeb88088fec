"""The exported Python file: the model, its classes, `preprocess()` and `predict()`; it needs nothing but torch.

Owns what stands around the generated classes. `forward` returns raw outputs; `predict` takes raw samples, prepares
them as training did, and turns the outputs into answers. Knows no torch. Everything of the user's is a `repr` literal
or a checked name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from engine.analysis import Analysis
from engine.datafacts import CLASS, Target
from engine.expr import quoted
from engine.known import known_data
from engine.problem import ProblemError, error
from engine.project import Project
from engine.source import imports_for
from engine.source_ends import Ends, OutputEnd, find_ends
from engine.source_names import comment
from engine.source_parts import bracketed
from engine.standalone_inputs import Preparing, preparing
from engine.standalone_table import encode_lines, table_columns


class Statistics(Protocol):
    """The training set's mean and deviation of one input stream, as literal numbers; empty where there are none."""

    @property
    def mean(self) -> tuple[float, ...]:
        """One number per channel or feature."""
        ...

    @property
    def deviation(self) -> tuple[float, ...]:
        """Likewise; 1 where the deviation is 0."""
        ...


def standalone(project: Project, analysis: Analysis, *, statistics: Mapping[str, Statistics] | None = None) -> str:
    """The text of the file; ProblemError while the project has errors.

    `statistics` by input stream are those of a run. Without them a preprocessing that standardises takes mean and
    deviation as arguments.
    """
    if not analysis.source:
        raise ProblemError(
            *(analysis.errors or (error("project", "There is no network yet.", "A network", "Draw one"),))
        )
    ends = find_ends(project)
    steps = [preparing(project, end, (statistics or {}).get(end.stream)) for end in ends.inputs]
    inner, main = split_source(analysis)
    data = known_data(project)
    targets = data.targets if data else {}
    columns = table_columns(data)
    sections = [
        *classes_lines(ends, targets),
        *([encode_lines(columns)] if columns else []),
        *([inner] if inner else []),
        preprocess_lines(steps),
        _predict(ends, steps, targets),
        main,
    ]
    body = "\n\n\n".join(sections) + "\n"
    head = [*_usage(project, analysis, ends, steps, table=bool(columns)), "", *imports_for(body), *fast_path(body)]
    constants = sections[0].startswith(("CLASSES", "COLUMNS"))
    return "\n".join(head) + ("\n\n" if constants else "\n\n\n") + body


def _usage(project: Project, analysis: Analysis, ends: Ends, steps: list[Preparing], *, table: bool) -> list[str]:
    """How to use the file, as comments."""
    results = ", ".join(end.name for end in ends.outputs)
    given = ", ".join(["model", *_parameters(steps)])
    lines = [
        f"{comment(project.name) or 'A network'}: drawn with Layerwright, runs with torch alone.",
        "",
        f"    model = {analysis.class_name}()",
        '    model.load_state_dict(torch.load("weights.pt", weights_only=True))',
        *(f'    {step.name} = encode(list(csv.DictReader(open("rows.csv"))))' for step in steps if table),
        f"    {results} = predict({given})",
        "",
    ]
    for step in steps:
        lines += [f"{step.name}: {step.words}"]
        lines += [f"{' and '.join(step.extra)}: the training set's, from the file beside the weights"] * bool(
            step.extra
        )
    return [f"# {line}".rstrip() for line in lines]


def fast_path(body: str) -> list[str]:
    """Lines that keep attention on one path, where the text has any."""
    if not re.search(r"\bnn\.(MultiheadAttention|TransformerEncoder)", body):
        return []
    return [
        "",
        "# Without this, attention takes another path in eval mode, whose results differ in the last digits.",
        "torch.backends.mha.set_fastpath_enabled(False)",
    ]


def split_source(analysis: Analysis) -> tuple[str, str]:
    """The text of inner blocks and helpers, and that of the main class, without comment and imports."""
    lines = analysis.source.rstrip().split("\n")
    start = next(place for place, line in enumerate(lines) if line and not line.startswith(("#", "import ", "from ")))
    main = max(place for place, line in enumerate(lines) if line.startswith(f"class {analysis.class_name}("))
    return "\n".join(lines[start:main]).rstrip(), "\n".join(lines[main:])


def classes_lines(ends: Ends, targets: Mapping[str, Target]) -> list[str]:
    """The constant CLASSES, as one text; nothing where no output has named classes."""
    named = {end.name: targets[end.target].classes for end in ends.outputs if end.target in targets}
    named = {name: classes for name, classes in named.items() if classes}
    if not named:
        return []
    if len(ends.outputs) == 1:
        (classes,) = named.values()
        return ["\n".join(_tuple("CLASSES = ", classes, 0))]
    lines = ["CLASSES = {"]
    for name, classes in named.items():
        lines += _tuple(f'    "{name}": ', classes, 4, ",")
    return ["\n".join([*lines, "}"])]


def _tuple(before: str, items: tuple[str, ...], indent: int, after: str = "") -> list[str]:
    texts = [quoted(item) for item in items]
    if len(texts) == 1:
        return [f"{before}({texts[0]},){after}"]
    return bracketed(f"{before.strip()}{' ' if before.strip() else ''}(", texts, f"){after}", indent)


def preprocess_lines(steps: list[Preparing]) -> str:
    """The function `preprocess`."""
    arguments = [f"{name}: Tensor" for name in _parameters(steps)]
    result = "Tensor" if len(steps) == 1 else f"tuple[{', '.join(['Tensor'] * len(steps))}]"
    lines = bracketed("def preprocess(", arguments, f") -> {result}:", 0)
    lines.append('    """Raw samples, first axis the batch, as the model takes them."""')
    for step in steps:
        lines.extend(f"    {line}" for line in step.lines)
    lines.append(f"    return {', '.join(step.name for step in steps)}")
    return "\n".join(lines)


def _predict(ends: Ends, steps: list[Preparing], targets: Mapping[str, Target]) -> str:
    names = _parameters(steps)
    arguments = ["model: nn.Module", *(f"{name}: Tensor" for name in names)]
    count = len(ends.outputs)
    result = "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"
    call = f"preprocess({', '.join(names)})"
    called = f"model({call if len(steps) == 1 else '*' + call})"
    lines = ["@torch.no_grad()", *bracketed("def predict(", arguments, f") -> {result}:", 0)]
    lines.append(f'    """{_answer_words(ends, targets)}"""')
    lines.append("    model.eval()")
    if count == 1:
        value, before = _answer("output", ends.outputs[0], targets)
        lines += [f"    output = {called}", *before, f"    return {value}"]
        return "\n".join(lines)
    lines.append(f"    {', '.join(end.name for end in ends.outputs)} = {called}")
    answers = [_answer(end.name, end, targets) for end in ends.outputs]
    for _, before in answers:
        lines += before
    return "\n".join([*lines, *bracketed("return ", [value for value, _ in answers], "", 4)])


def _answer(name: str, end: OutputEnd, targets: Mapping[str, Target]) -> tuple[str, list[str]]:
    """What turns a raw output into an answer, and lines before it."""
    target = targets.get(end.target)
    if end.activation == "softmax":
        return f"{name}.softmax(dim=1)", []
    if end.activation == "sigmoid":
        return f"{name}.sigmoid()", []
    if target is None or not target.mean:
        return name, []
    if len(target.mean) == 1:
        return f"{name} * {target.deviation[0]!r} + {target.mean[0]!r}", []
    before = [
        *bracketed(f"deviation = {name}.new_tensor([", [repr(value) for value in target.deviation], "])", 4),
        *bracketed(f"mean = {name}.new_tensor([", [repr(value) for value in target.mean], "])", 4),
        f"    {name} = {name} * deviation + mean",
    ]
    return name, before


def _answer_words(ends: Ends, targets: Mapping[str, Target]) -> str:
    if len(ends.outputs) > 1:
        return "The answers to raw samples, one tensor per output."
    end = ends.outputs[0]
    target = targets.get(end.target)
    if end.activation == "softmax":
        return "Probabilities of raw samples, one column per class."
    if end.activation == "sigmoid":
        return "Probabilities of raw samples, one column per question."
    if target is not None and target.kind != CLASS and target.mean:
        return "The values that belong to raw samples, in real units."
    return "The raw outputs for raw samples."


def _parameters(steps: list[Preparing]) -> list[str]:
    return [name for step in steps for name in (step.name, *step.extra)]
