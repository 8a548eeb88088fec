"""What can be changed on a model's way out: one check box for each option that the chosen format knows.

Owns which of them are shown and their values. Never writes a file.
"""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QWidget

from engine.formats import FORMATS, ExportOptions
from gui.theme import metrics
from gui.widgets.choices import Check


class ExportChecks(QWidget):
    """Two columns of check boxes; those of other formats are hidden and keep their state."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(metrics.grid)
        self._grid.setVerticalSpacing(metrics.half)
        for column in (0, 1):
            self._grid.setColumnStretch(column, 1)
        self.checks: dict[str, Check] = {}
        for name, words, tip in (
            ("preprocess", self.tr("Preprocessing inside"), self.tr("The program takes raw samples")),
            ("fold", self.tr("Batch norm folded"), self.tr("It becomes a part of the layer before it")),
            ("half", self.tr("Half precision"), self.tr("Numbers of 16 bits: half the size, a little less exact")),
            ("int8", self.tr("8-bit weights"), self.tr("A quarter of the size, less exact")),
            (
                "bake",
                self.tr("Plain weights"),
                self.tr("Weight norm and spectral norm: write the weights that they compute, in plain layers"),
            ),
        ):
            check = self.checks[name] = Check(words, parent=self)
            check.setToolTip(tip)
        self.checks["half"].committed.connect(lambda on: on and self.checks["int8"].set_value(False))
        self.checks["int8"].committed.connect(lambda on: on and self.checks["half"].set_value(False))

    def show_for(self, format: str, *, computed_kernels: bool) -> None:
        """Shows the options of a format; baking only where there is something to bake."""
        known = [name for name in FORMATS[format].options if name != "bake" or computed_kernels]
        shown = [name for name in self.checks if name in known]
        for check in self.checks.values():
            self._grid.removeWidget(check)
        for place, name in enumerate(shown):
            self._grid.addWidget(self.checks[name], place // 2, place % 2)
        for name, check in self.checks.items():
            check.setVisible(name in shown)
        self.setVisible(bool(shown))

    def options(self) -> ExportOptions:
        """What is ticked among those that are shown."""
        return ExportOptions(
            **{name: not check.isHidden() and check.isChecked() for name, check in self.checks.items()}
        )
