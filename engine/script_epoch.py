"""An epoch's end as lines of the training script: figures, and what schedule and early stopping make of them.

Knows no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.script_shape import Loop, Shape, criteria_of


@dataclass
class Epoch:
    """Lines at an epoch's end: figures, the answers of schedule and early stopping to them."""

    shape: Shape
    loop: Loop
    with_accuracy: bool

    def __post_init__(self) -> None:
        recipe = self.shape.project.recipe
        ema = recipe.made("ema")
        self._swaps = ema.enabled and ema.use
        self._evaluated = recipe.get("train_figures") == "evaluated"
        self._plateau = recipe.made("schedule") if recipe.get("schedule")["type"] == "plateau" else None
        stopping = recipe.made("early_stopping")
        self._stopping = stopping if stopping.enabled else None
        if self._plateau is not None and self._sign(self._plateau.monitor) is None:
            self.loop.limits.append(f"The rate does not answer to {self._plateau.monitor}, which is not reckoned here")
            self._plateau = None
        if self._stopping is not None and self._sign(self._stopping.monitor) is None:
            words = f"It does not stop early by {self._stopping.monitor}, which is not reckoned here"
            self.loop.limits.append(words)
            self._stopping = None

    def _sign(self, figure: str) -> str | None:
        if figure == "train_loss" or (figure == "val_loss" and self.shape.has_val):
            return ""
        return "-" if figure == "val_accuracy" and self.shape.has_val and self.with_accuracy else None

    def before(self) -> list[str]:
        """Lines before the first epoch."""
        lines = []
        if self.shape.project.recipe.get("schedule")["type"] == "plateau":
            lines.append("factor = 1.0")
        if self._plateau is not None:
            lines.append("lowest, waited, cooling = math.inf, 0, 0")
        if self._stopping is not None:
            lines.append("best, best_epoch = math.inf, 0")
        return lines

    def lines(self) -> list[str]:
        """Lines at an epoch's end."""
        _, criteria = criteria_of(self.shape)
        given = ", ".join(["model", *criteria])
        lines = ['figures = {"epoch": epoch, "train_loss": total / len(order)}']
        if self._swaps:
            lines.append("own = replaced(parameters, average)")
        if self._evaluated:
            target = (
                'figures["train_loss"], figures["train_accuracy"]' if self.with_accuracy else 'figures["train_loss"]'
            )
            lines.append(f"{target} = evaluate({given}, samples)")
        if self.shape.has_val:
            lines.append(f'{self._figures("val")} = evaluate({given}, data["val"])')
        if self._stopping is not None:
            figure = self._stopping.monitor
            less = f" - {self._stopping.min_delta!r}" if self._stopping.min_delta else ""
            lines += [f'score = {self._sign(figure)}figures["{figure}"]', f"if score < best{less}:",
                      "    best, best_epoch = score, epoch"]  # fmt: skip
            if self._stopping.restore_best:
                lines.append("    best_weights = {name: item.clone() for name, item in model.state_dict().items()}")
        if self._swaps:
            lines.append("replaced(parameters, own)")
        lines += [*self._follow(), "yield figures"]
        if self._stopping is not None:
            lines += [f"if epoch - best_epoch >= {self._stopping.patience}:", "    break"]
        return lines

    def _figures(self, split: str) -> str:
        accuracy = f', figures["{split}_accuracy"]' if self.with_accuracy else ""
        return f'figures["{split}_loss"]{accuracy}'

    def _follow(self) -> list[str]:
        plateau = self._plateau
        if plateau is None:
            return []
        cooling = f"cooling = {plateau.cooldown}"
        return [
            f'now = {self._sign(plateau.monitor)}figures["{plateau.monitor}"]',
            "if cooling > 0:",
            "    cooling, waited = cooling - 1, 0",
            f"if now < lowest - {plateau.min_delta!r}:",
            "    lowest, waited = now, 0",
            "elif cooling == 0:",
            "    waited += 1",
            f"    if waited >= {plateau.patience} and factor > {plateau.least!r}:",
            f"        factor = max(factor * {plateau.by!r}, {plateau.least!r})",
            f"        {cooling}",
            "        waited = 0",
        ]

    def after(self) -> list[str]:
        """Lines after the last epoch."""
        if self._stopping is not None and self._stopping.restore_best:
            return ["if best_epoch:", "    model.load_state_dict(best_weights)"]
        return ["replaced(parameters, average)"] if self._swaps else []
