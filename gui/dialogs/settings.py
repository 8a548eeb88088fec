"""Settings of the program, not of a project: theme, motion, folders, autosave. Written at once, without a button."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QFormLayout, QHBoxLayout, QVBoxLayout, QWidget

from gui import settings
from gui.theme import metrics, themes
from gui.widgets.buttons import tool_button
from gui.widgets.choices import Check, Choice
from gui.widgets.number_field import NumberField, TextField


class SettingsDialog(QDialog):
    """One page. Every choice holds from the moment it is made."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.setMinimumWidth(520)
        form = QFormLayout()
        form.setHorizontalSpacing(metrics.panel_padding)
        form.setVerticalSpacing(metrics.grid)
        modes = [("system", self.tr("As the system")), ("dark", self.tr("Dark")), ("light", self.tr("Light"))]
        self.theme = Choice(modes, settings.theme.get())
        self.theme.committed.connect(self._set_theme)
        form.addRow(self.tr("Theme"), self.theme)
        motions = [
            ("system", self.tr("As the system")), ("reduced", self.tr("Reduced")), ("full", self.tr("Full")),
        ]  # fmt: skip
        self.motion = Choice(motions, settings.motion.get())
        self.motion.committed.connect(settings.motion.set)
        form.addRow(self.tr("Motion"), self.motion)
        self.data = self._folder_row(form, self.tr("Data folder"), settings.data_folder, self.tr("the system's own"))
        self.runs = self._folder_row(form, self.tr("Runs folder"), settings.runs_folder, self.tr("beside the project"))
        self.autosave = Check(self.tr("Keep unsaved changes in a recovery file"), settings.autosave.get())
        self.autosave.committed.connect(settings.autosave.set)
        form.addRow(self.tr("Autosave"), self.autosave)
        self.seconds = NumberField(
            settings.autosave_seconds.get(), minimum=5, maximum=3600, whole=True, unit=self.tr("seconds")
        )
        self.seconds.committed.connect(lambda value: settings.autosave_seconds.set(int(value)))
        form.addRow(self.tr("Every"), self.seconds)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.panel_padding, metrics.panel_padding, metrics.panel_padding, metrics.grid)
        layout.addLayout(form)
        layout.addStretch()
        layout.addWidget(buttons)

    def _folder_row(self, form: QFormLayout, title: str, choice: settings.Choice[str], otherwise: str) -> TextField:
        field = TextField(choice.get(), placeholder=otherwise)
        field.committed.connect(choice.set)
        button = tool_button("folder", self.tr("Choose a folder"))

        def ask() -> None:
            path = QFileDialog.getExistingDirectory(self, title, choice.get())
            if path:
                field.set_value(path)
                choice.set(path)

        button.clicked.connect(ask)
        row = QHBoxLayout()
        row.addWidget(field, 1)
        row.addWidget(button)
        form.addRow(title, row)
        return field

    def _set_theme(self, mode: str) -> None:
        settings.theme.set(mode)
        themes.set_mode(mode)  # type: ignore[arg-type]
