"""Runs one command and turns whatever happens into an exit code and one message. Never shows a traceback for a
fault that a person can mend.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module

from engine.cli.names import COMMANDS
from engine.cli.outcome import GOOD, INTERRUPTED, PROBLEM, UNUSABLE, Unusable
from engine.cli.output import Output
from engine.cli.parser import check_runs, make_parser
from engine.problem import ProblemError, error

_HOMES = {
    "layers": "catalogue", "catalog": "catalogue", "examples": "examples", "check": "checking", "params": "checking",
    "code": "checking", "train": "training", "resume": "training", "evaluate": "asking", "predict": "predicting",
    "recalibrate": "asking", "compress": "compressing",
    "runs": "runs", "export": "leaving", "plugins": "plugins",
    "schedule": "rates", "range-test": "range_test", "guide": "guide", "load-weights": "weights",
    "import": "importing",
}  # fmt: skip
"""The module of `engine.cli` that holds each command, as a function of that name."""
assert set(_HOMES) == set(COMMANDS)
_FUNCTIONS = {"import": "bring"}
"""Commands whose name no function can bear."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line. Returns 0 (good), 1 (a problem), 2 (unusable input) or 130 (interrupted)."""
    parser = make_parser(_version(), json="--json" in (sys.argv[1:] if arguments is None else arguments))
    try:
        options = parser.parse_args(arguments)
        if options.command == "runs":
            check_runs(parser, options.action, options.run)
    except SystemExit as fault:  # argparse has said everything
        return fault.code if isinstance(fault.code, int) else UNUSABLE
    output = Output(json=options.json)
    try:
        return _run(options, output)
    except BrokenPipeError:
        # Whoever read has enough (`| head`). What Python flushes at its end must not fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD


def _run(options: Namespace, output: Output) -> int:
    command: Callable[[Namespace, Output], int] = getattr(
        import_module(f"engine.cli.{_HOMES[options.command]}"),
        _FUNCTIONS.get(options.command, options.command.replace("-", "_")),
    )
    try:
        return command(options, output)
    except Unusable as fault:
        _tell(fault, output)
        return UNUSABLE
    except ProblemError as fault:
        _tell(fault, output)
        return PROBLEM
    except KeyboardInterrupt:
        output.say("Interrupted.")
        return INTERRUPTED
    except MemoryError:
        happened = "The memory of this computer is not enough"
        output.problem(error(options.command, happened, "A smaller network, batch or data set",
                             "Lower recipe.batch_size or recipe.data.limit", code="memory"))  # fmt: skip
        return PROBLEM


def _tell(fault: ProblemError, output: Output) -> None:
    for problem in fault.problems:
        output.problem(problem)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("layerwright")
    except PackageNotFoundError:  # run from a clone that was not installed
        return "0.1.0"
