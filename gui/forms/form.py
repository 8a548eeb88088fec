"""A declaration as a form: a row per setting, label left, editor right; the label goes above where room is short.

Owns rows, what is shown under which condition, and the question mark's words. Writes nothing: it says what the person
entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from engine.param import Param
from gui.forms.editors import make_editor
from gui.forms.tagged import ListEditor, TaggedEditor
from gui.theme import metrics
from gui.widgets.labels import ElidedLabel


class Form(QWidget):
    """Rows for settings. `committed(name, value)` once per value entered; `noted` numbers have words below them."""

    committed = Signal(str, object)

    def __init__(
        self, params: tuple[Param, ...], parent: QWidget | None = None, *, skip: frozenset[str] = frozenset(),
        noted: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._noted = noted
        self._params = {param.name: param for param in params if param.name not in skip}
        self._editors: dict[str, QWidget] = {}
        self._labels: dict[str, ElidedLabel] = {}
        self._notes: dict[str, ElidedLabel] = {}
        self._values: dict[str, Any] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(metrics.grid)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, metrics.label_column)
        self._grid.setColumnStretch(1, 1)
        for row, param in enumerate(self._params.values()):
            self._add_row(row, param)

    def set_values(self, values: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> None:
        """Shows values (defaults where absent); `notes` are words beside a check box ("32 parameters") or below
        a noted number.
        """
        self._values = {name: values.get(name, param.default) for name, param in self._params.items()}
        for name, editor in self._editors.items():
            editor.set_value(self._values[name])  # type: ignore[attr-defined]
            if name in self._notes:
                self._notes[name].setText((notes or {}).get(name, ""))
        self._show_fitting()

    def has(self, name: str) -> bool:
        """Whether a setting has a row here."""
        return name in self._params

    def editor(self, name: str) -> QWidget:
        """The editor of a setting, for tests and to give it the keyboard."""
        return self._editors[name]

    def set_shown(self, name: str, shown: bool) -> None:
        """Shows or hides the row of a setting."""
        self._labels[name].setVisible(shown)
        self._editors[name].setVisible(shown)

    def note(self, name: str) -> str:
        """The words beside a check box or below a noted number."""
        return self._notes[name].text()

    def set_fault(self, name: str, words: str) -> None:
        """Says below a setting what is wrong with it; empty words take it back."""
        editor = self._editors.get(name)
        if editor is not None and hasattr(editor, "set_error"):
            editor.set_error(words)

    def _add_row(self, row: int, param: Param) -> None:
        wide = param.kind in ("tagged", "list")
        editor = _editor(param)
        tip = f"{param.help}\n{param.domain}" if param.help else param.domain
        editor.setToolTip(tip)
        label = ElidedLabel(QCoreApplication.translate("Settings", param.title), role="label")
        label.setToolTip(tip)
        label.setBuddy(editor)
        editor.setAccessibleName(label.text())
        high = wide or param.name in self._noted
        top = Qt.AlignmentFlag.AlignTop if high else Qt.AlignmentFlag.AlignVCenter
        label.setMinimumHeight(metrics.field_dense)
        if isinstance(editor, TaggedEditor | ListEditor):
            # Their own settings need the whole width; the label stands in their first line.
            editor.add_label(label)
            self._grid.addWidget(editor, row, 0, 1, 2)
        else:
            self._grid.addWidget(label, row, 0, top)
        if param.kind == "bool":
            holder = QWidget()
            line = QHBoxLayout(holder)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(metrics.half)
            self._notes[param.name] = ElidedLabel(role="label")
            line.addWidget(editor)
            line.addWidget(self._notes[param.name], 1)
            self._grid.addWidget(holder, row, 1)
        elif param.name in self._noted and not wide:
            self._grid.addWidget(self._with_note(param.name, editor), row, 1, top)
        elif not wide:
            self._grid.addWidget(editor, row, 1, top)
        self._editors[param.name] = editor
        self._labels[param.name] = label
        editor.committed.connect(lambda value, name=param.name: self._commit(name, value))  # type: ignore[attr-defined]

    def _with_note(self, name: str, editor: QWidget) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self._notes[name] = ElidedLabel(role="hint")
        column.addWidget(editor)
        column.addWidget(self._notes[name])
        return holder

    def _commit(self, name: str, value: Any) -> None:
        self._values[name] = value
        self._show_fitting()
        self.committed.emit(name, value)

    def _show_fitting(self) -> None:
        for name, param in self._params.items():
            if param.shown_if is None:
                continue
            other, wanted = param.shown_if
            self.set_shown(name, self._values.get(other) in wanted)


def _editor(param: Param) -> QWidget:
    if param.kind == "tagged":
        return TaggedEditor(param, Form)
    if param.kind == "list":
        return ListEditor(param, Form)
    return make_editor(param)
