"""What is said when a loss is no number any more."""

from __future__ import annotations

from engine.problem import Problem, Where, error


class NonFinite(Exception):
    """The loss is no number any more; training must end."""

    def __init__(self, loss: float, problem: Problem) -> None:
        super().__init__(problem.happened)
        self.loss = loss
        self.problem = problem


def loss_problem(loss: float, *, layer: str, epoch: int, step: int, lr: float) -> Problem:
    """The problem of a loss that is not finite; `layer` is the first whose numbers are not, "" when all are."""
    where = f"{layer} is the first layer whose numbers are not finite" if layer else "all layers are still finite"
    return error(
        Where(label=layer or "loss", path="recipe.optimizer.lr"),
        f"The loss became {loss} in epoch {epoch}, step {step:,}; {where}",
        "A loss that is a number",
        f"Train with a smaller learning rate (now {lr:g}), from the last checkpoint or afresh, or clip the gradients",
        code="loss_not_finite",
    )
