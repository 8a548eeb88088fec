"""Left part of the data panel: which data set, and what is known of it. Writes nothing: it says what was chosen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from engine.datafacts import CLASS, NONE, VALUE, DataFacts
from engine.datasets.base import FromFile
from engine.declare import catalogue, find
from engine.project import Project
from gui.numbers import shape_text
from gui.widgets.choices import Choice
from gui.widgets.labels import ElidedLabel, KeyValueRow


class AboutData(QWidget):
    """The choice of the data set over rows of facts."""

    chosen = Signal(object)
    """Name of a declared data set."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = Choice(dense=True)
        for declaration in catalogue().all("dataset").values():
            self.choice.add_option(declaration.type, declaration.title, tip=declaration.help)
        self.choice.setAccessibleName(self.tr("Data set"))
        self.choice.committed.connect(self.chosen)
        self.help = QLabel()
        self.help.setProperty("role", "hint")
        self.help.setWordWrap(True)
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.help.setTextFormat(Qt.TextFormat.PlainText)
        self.rows = {
            "samples": KeyValueRow(self.tr("Samples")),
            "input": KeyValueRow(self.tr("Input"), mono=True),
            "answer": KeyValueRow(self.tr("Answer")),
            "fingerprint": KeyValueRow(self.tr("Fingerprint"), mono=True),
        }
        self.hint = ElidedLabel(self.tr("All settings are in the Recipe dock"), role="hint")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.choice)
        column.addSpacing(2)
        column.addWidget(self.help)
        column.addSpacing(2)
        for row in self.rows.values():
            row.setMinimumHeight(20)
            column.addWidget(row)
        column.addStretch()
        column.addWidget(self.hint)

    def show_project(self, project: Project, facts: DataFacts | None) -> None:
        """Shows which data set a project uses and what is known of it."""
        tagged = project.recipe.get("data")
        name = str(tagged.get("type", ""))
        declaration = find("dataset", name)
        self.choice.set_value(name if declaration is None else declaration.type)
        words = declaration.help if declaration else self.tr("This version does not know the data set {0}").format(name)
        path = str(tagged.get("path", ""))
        self.help.setText(Path(path).name if path else words.split(": ")[0].split(". ")[0].rstrip("."))
        self.help.setToolTip(path or words)
        self.choice.setToolTip(words)
        self._show_facts(facts)

    def resizeEvent(self, event: object) -> None:
        """What has no room goes, least important first: the hint, then the fingerprint's row, never half a line."""
        self.hint.setVisible(self.height() > 180)

    def _show_facts(self, facts: DataFacts | None) -> None:
        for row in self.rows.values():
            row.setVisible(facts is not None)
        if facts is None:
            return
        words = {
            "train": self.tr("{0} to train on"), "val": self.tr("{0} to validate"), "test": self.tr("{0} to test last")
        }  # fmt: skip
        counts = {name: f"{facts.counts[name]:,}" for name in words if facts.counts.get(name)}
        self.rows["samples"].set_value(" + ".join(counts.values()))
        self.rows["samples"].setToolTip("\n".join(words[name].format(num) for name, num in counts.items()))
        inputs = [(name, shape_text(info.shape)) for name, info in facts.inputs.items()]
        single = len(inputs) == 1
        self.rows["input"].set_value("  ".join(shape if single else f"{name} {shape}" for name, shape in inputs))
        self.rows["input"].setToolTip(self.tr("Shape of one sample after preprocessing"))
        answers = [self._answer(name, facts) for name in facts.targets]
        self.rows["answer"].set_value(", ".join(part for part in answers if part) or self.tr("none"))
        self.rows["answer"].setToolTip("\n".join(", ".join(one.classes or one.names) for one in facts.targets.values()))
        self.rows["fingerprint"].setVisible(bool(facts.fingerprint))
        self.rows["fingerprint"].set_value(facts.fingerprint[:10])
        self.rows["fingerprint"].setToolTip(
            self.tr("Tells whether two runs saw the same samples, divided alike\n{0}").format(facts.fingerprint)
        )

    def _answer(self, name: str, facts: DataFacts) -> str:
        target = facts.targets[name]
        if target.kind == NONE:
            return ""
        if target.kind == VALUE:
            return ", ".join(target.names) or self.tr("{0} values").format(target.size)
        if target.kind == CLASS and target.classes:
            return self.tr("{0} classes").format(len(target.classes))
        return self.tr("yes or no")


def title_of(project: Project) -> str:
    """The data set in a word or two: its file where it has one, else its title without what stands in brackets."""
    tagged = project.recipe.get("data")
    declaration = find("dataset", str(tagged.get("type", "")))
    path = str(tagged.get("path", ""))
    if path and (declaration is None or issubclass(declaration.cls, FromFile)):
        return Path(path).name
    return declaration.title.split(" (")[0] if declaration else str(tagged.get("type", ""))
