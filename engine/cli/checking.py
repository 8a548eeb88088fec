"""`check`, `code` and `params`: what a project says before anything trains."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from engine.analysis import Analysis, NodeFacts
from engine.cli.outcome import GOOD, PROBLEM, usable
from engine.cli.output import Output, columns
from engine.cli.projects import Opened, open_project, places_for
from engine.graph import GROUP_OUTPUT, INPUT, OUTPUT
from engine.known import known_data, with_facts
from engine.problem import Problem, ProblemError, Severity, has_errors, warning
from engine.project import Project
from engine.projectfile import write_whole
from engine.settings import list_paths
from engine.tensor import TensorInfo


def check(options: Namespace, output: Output) -> int:
    """Problems, facts of every layer, totals. Returns 1 when there is an error."""
    project, found, problems = _analysed(options, output)
    rows = [_node(project, definition, node, facts) for (definition, node), facts in found.nodes.items()]
    totals = {
        "parameters": found.parameters, "trainable": found.trainable, "buffers": found.buffers,
        "non_trainable": found.parameters - found.trainable + found.buffers,
        "multiply_adds": found.multiply_adds, "layers": len(found.layers),
    }  # fmt: skip
    output.record(
        {"project": project.name, "problems": [item.to_json() for item in problems], "nodes": rows, "totals": totals}
    )
    head = ("layer", "type", "input", "output", "parameters", "multiply-adds")
    table = [
        [row["label"], row["type"], " + ".join(map(_shape, row["input_shapes"])), _shape(row["output_shape"]),
         f"{row['parameters']:,}", f"{row['multiply_adds']:,}"]
        for row in rows
    ]  # fmt: skip
    for line in columns(table, head=head, right=(4, 5)):
        output.text(line)
    output.text(
        f"{found.parameters:,} parameters, {found.trainable:,} trainable, {totals['non_trainable']:,} numbers that are "
        f"not trained, {found.multiply_adds:,} multiply-adds"
    )
    for problem in problems:
        output.text(str(problem))
    if not problems:
        output.text("No problems.")
    return PROBLEM if has_errors(problems) else GOOD


def code(options: Namespace, output: Output) -> int:
    """The model as Python text."""
    project, found, problems = _analysed(options, output)
    if not found.source:
        raise ProblemError(*(problem for problem in problems if problem.severity is Severity.ERROR))
    if options.output is not None:
        with usable():
            write_whole(options.output, found.source)
        output.record({"project": project.name, "file": str(options.output), "class": found.class_name})
        output.text(f"Wrote {options.output}")
    elif output.json:
        output.record({"project": project.name, "class": found.class_name, "source": found.source})
    else:
        output.raw(found.source)
    return GOOD


def params(options: Namespace, output: Output) -> int:
    """Every path that `--set` takes."""
    project = open_project(options, output).project
    found = list_paths(project)
    for setting in found:
        output.record({"path": setting.path, "value": setting.value, "allowed": setting.domain})
    for line in columns([[item.path, _shown(item.value), item.domain] for item in found]):
        output.text(line)
    return GOOD


def _analysed(options: Namespace, output: Output) -> tuple[Project, Analysis, list[Problem]]:
    from engine.runtime.analyze import analyze

    opened = open_project(options, output, tell=False)
    project, unread = with_data(opened, options)
    found = analyze(project)
    problems = _with_reasons(project, found.problems, unread)
    known = {problem.code for problem in problems}
    return project, found, [*problems, *(item for item in opened.problems if item.code not in known)]


def _with_reasons(project: Project, found: Sequence[Problem], unread: Sequence[Problem]) -> list[Problem]:
    """The problems with why the data was not read, told once.

    Where no shape is known without the data, the reason is the error, in the place of what the inputs say about it.
    Where shapes are known, only data that is merely not here is no error.
    """
    told = any(item.where.path.startswith("recipe.data") and item.severity is Severity.ERROR for item in found)
    reasons = () if told else unread
    blind = (told or bool(unread)) and known_data(project) is None
    kept = [item for item in found if not (blind and _is_of_input(project, item))]
    return [
        *(replace(item, severity=Severity.ERROR) for item in reasons if blind),
        *kept,
        *(_mild(item) for item in reasons if not blind),
    ]


def _is_of_input(project: Project, problem: Problem) -> bool:
    node = project.graph.nodes.get(problem.where.node)
    return problem.code == "shape" and not problem.where.definition and node is not None and node.type == INPUT


def _mild(problem: Problem) -> Problem:
    return replace(problem, severity=Severity.WARNING) if problem.code == "data-missing" else problem


def with_data(opened: Opened, options: Namespace) -> tuple[Project, list[Problem]]:
    """The project with facts about its data, read where they are not known, or the problems that say why not."""
    from engine.runtime.data import needs_download, read_facts

    project, places = opened.project, places_for(options, opened.path)
    try:
        plan = needs_download(project.recipe, places)
        if plan is not None:
            happened = f"The data is not on this computer: {plan.words}"
            fix = "Training fetches it first; or name the folder that holds it with --data"
            return project, [warning("data", happened, f"It in {plan.folder}", fix, code="data-missing")]
        if project.data is None:
            project = with_facts(project, read_facts(project.recipe, places))
    except ProblemError as fault:
        return project, list(fault.problems)
    return project, []


def _node(project: Project, definition: str, node_id: str, facts: NodeFacts) -> dict[str, Any]:
    node = project.graph.level(definition).nodes[node_id]
    inside = project.graph.definitions[definition].title if definition else ""
    shapes = [_sizes(info) for infos in facts.inputs.values() for info in infos]
    # An Output gives on what arrives, though no wire starts there.
    leaves = shapes[0] if node.type in (OUTPUT, GROUP_OUTPUT) and shapes else _sizes(facts.output)
    return {
        "id": node.id, "name": node.name, "label": f"{inside or definition}/{node.name}" if definition else node.name,
        "definition": definition, "type": node.type, "copies": facts.copies, "paths": list(facts.paths),
        "input_shapes": shapes, "output_shape": leaves, "parameters": facts.parameters, "trainable": facts.trainable,
        "non_trainable": facts.parameters - facts.trainable + facts.buffers, "multiply_adds": facts.multiply_adds,
        **({"fan_in": facts.fans[0], "fan_out": facts.fans[1]} if facts.fans else {}),
        **({} if facts.initial_deviation is None else {"initial_std": facts.initial_deviation}),
    }  # fmt: skip


def _sizes(info: TensorInfo | None) -> list[int] | None:
    return None if info is None else list(info.shape)


def _shape(sizes: list[int] | None) -> str:
    return "?" if sizes is None else "×".join(map(str, sizes)) or "1"


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value)) or "-"
    if isinstance(value, dict):
        return str(value.get("type", value))
    return "-" if value in (None, "") else str(value)
