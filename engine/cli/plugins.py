"""`plugins`: one's own callbacks, loaded as a training would load them."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from engine.cli.outcome import GOOD, PROBLEM
from engine.cli.output import Output
from engine.plugins import PluginFile, list_plugins, load_class, plugins_folder
from engine.problem import Problem, ProblemError


def plugins(options: Namespace, output: Output) -> int:
    """The folder, its files with their callbacks, and one problem per file that cannot be used."""
    files = list_plugins()
    problems = {item.path: _problem(item) for item in files}
    output.record({"folder": str(plugins_folder()), "files": [_row(item, problems[item.path]) for item in files]})
    output.text(f"plug-in folder: {plugins_folder()}")
    for item in files:
        output.text(f"  {item.path.name}")
        for one in item.classes:
            output.text(f"    {one.name:<24}{one.help}")
        if not item.classes and item.problem is None:
            output.text("    no subclass of engine.callback.Callback")
        if (problem := problems[item.path]) is not None:
            output.say(str(problem))
    if not files:
        output.text("  no Python files; README.md shows one to begin with")
    return PROBLEM if any(problems.values()) else GOOD


def _problem(item: PluginFile) -> Problem | None:
    """What is wrong with a file, by running it: that alone tells a missing import."""
    try:
        for one in item.classes:
            load_class(one.name)
    except ProblemError as fault:
        return fault.problem
    return item.problem


def _row(item: PluginFile, problem: Problem | None) -> dict[str, Any]:
    return {
        "file": item.path.name,
        "callbacks": [{"name": one.name, "help": one.help, "line": one.line} for one in item.classes],
        "problem": problem.to_json() if problem is not None else None,
    }
