"""Formulas that a person types: what they give, and that nothing else is understood."""

from __future__ import annotations

import math

import pytest

from engine.declare import make
from engine.formula import LONGEST, read_formula
from engine.problem import ProblemError
from engine.progress import Progress

NAMES = ("epoch", "before")


@pytest.mark.parametrize(("text", "expected"), [
    ("0.1 ** (epoch / 20)", 0.1 ** (5 / 20)), ("before * 0.95", 0.25 * 0.95), ("-epoch + 7", 2.0), ("+3", 3.0),
    ("1 if epoch < 3 else 0.5 if epoch < 6 else 0.1", 0.5), ("epoch % 2 + epoch // 2", 3.0),
    ("min(1, epoch, 2) + max(0, before)", 1.25), ("floor(epoch / 2) * abs(-2)", 4.0), ("cos(pi) + e", math.e - 1),
    ("(epoch > 4 and before < 1) * 2", 2.0), ("(epoch > 9 or before == 0.25) + (epoch != 5)", 1.0),
    ("sqrt(epoch - 1) + log(exp(2)) + log10(100) + sin(0)", 6.0), ("2 ** -1", 0.5),
])  # fmt: skip
def test_it_gives_what_python_gives(text: str, expected: float) -> None:
    assert read_formula(text, NAMES)({"epoch": 5.0, "before": 0.25}) == pytest.approx(expected, rel=1e-15)


def test_it_knows_which_names_it_uses() -> None:
    assert read_formula("epoch * pi", NAMES).used == {"epoch"}
    assert read_formula("max(before, epoch)", NAMES).used == {"epoch", "before"}


NO_FORMULA = ("", "0.1 **", "epoch = 3", "(" * 99, "(" * 100 + "1", "\x00")
NOT_UNDERSTOOD = (
    "lambda: 1", "__import__('os').system('ls')", "epoch.real", "(1).__class__", "[1][0]", "'a' * 9", "1j", "True",
    "1 < 2 < 3", "not epoch", "f'{epoch}'", "min(*epoch)", "sqrt(x=1)", "1e400", "9" * 190 + "e999", "epoch @ 2",
    "1 << 9", "~1", "(a := 1)", "epoch in 3",
)  # fmt: skip


@pytest.mark.parametrize(("text", "words"), [
    *((text, "no formula") for text in NO_FORMULA), *((text, "not understood") for text in NOT_UNDERSTOOD),
    ("x + 1", "'x' is not known"), ("open('f')", "not understood"), ("open(1)", "no function"),
    ("sqrt()", "one number"), ("sqrt(1, 2)", "one number"), ("min(1)", "two numbers"), ("1 +" * 99, "longer than"),
])  # fmt: skip
def test_what_is_no_arithmetic_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_formula(text, NAMES)


def test_nothing_in_it_takes_long() -> None:
    """Whole numbers of Python grow without end; these are floats, which end in an error."""
    for text in ("9 ** 9 ** 9 ** 9", "exp(exp(exp(9)))", "2 ** 99999"):
        with pytest.raises(ArithmeticError):
            read_formula(text, NAMES)({})
    deep = "-" * (LONGEST - 1) + "1"
    assert read_formula(deep, NAMES)({}) == -1.0


def test_the_factor_of_the_epoch_before_is_worked_out_whatever_is_asked_first() -> None:
    made = make("schedule", {"type": "formula", "formula": "before * 0.5"})

    def factor(epoch: int, epochs: int = 9) -> float:
        return float(made.factor(Progress.at(epoch * 4, steps_per_epoch=4, epochs=epochs)))

    assert [factor(7), factor(2), factor(0)] == [0.5**8, 0.5**3, 0.5]
    made = make("schedule", {"type": "formula", "formula": "before - 1 / epochs"})
    assert factor(1, epochs=4) == 0.5
    assert factor(1, epochs=8) == 0.75  # another plan, from the start


def test_a_rate_that_is_none_ends_a_training_with_a_problem() -> None:
    made = make("schedule", {"type": "formula", "formula": "1 / (epoch - 3)", "per": "step"})
    with pytest.raises(ProblemError, match="gives no rate at step 6"):
        made.factor(Progress.at(6, steps_per_epoch=2, epochs=9))
