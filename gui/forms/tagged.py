"""Editors of choices among declarations: one of a kind with its settings, or a list of them.

The value is {"type": name, settings that differ from the defaults}. A type that is not known is kept and shown by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QPoint, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from engine.declare import Declaration, catalogue, find
from engine.param import Param
from gui.theme import metrics
from gui.widgets.buttons import Button, tool_button
from gui.widgets.choices import Choice

if TYPE_CHECKING:
    from gui.forms.form import Form


class TaggedEditor(QWidget):
    """A list to choose from, and the settings of what is chosen below it."""

    committed = Signal(object)

    def __init__(self, param: Param, form: type[Form]) -> None:
        super().__init__()
        self._param, self._form_class = param, form
        self._value: Mapping[str, Any] | None = None
        self._form: Form | None = None
        self._shown_type: str | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self._head = QHBoxLayout()
        self._head.setSpacing(metrics.grid)
        self._layout.addLayout(self._head)
        self._choice: Choice | None = None
        if param.of != "record":
            self._choice = Choice(self._options(), dense=True)
            self._choice.committed.connect(self._choose)
            self._head.addWidget(self._choice, 1)
            self.setFocusProxy(self._choice)
        self.set_value(param.default)

    def add_label(self, label: QWidget) -> None:
        """Puts the form's label before the list of choices; a set of settings without a choice needs none."""
        if self._choice is not None:
            label.setFixedWidth(metrics.label_column)
        self._head.insertWidget(0, label)
        label.setVisible(self._choice is not None)

    def add_button(self, button: QWidget) -> None:
        """Puts a button behind the list of choices, for more about what can be chosen."""
        self._head.addWidget(button)

    def value(self) -> Any:
        """The tagged value, or None for `inherit`."""
        return self._value

    def set_value(self, value: Any) -> None:
        """Shows a tagged value."""
        self._value = value
        type_name = value.get("type") if value else None
        if self._choice is not None:
            if type_name is not None and find(self._param.of, type_name) is None:
                self._choice.set_options([*self._options(), (type_name, f"{type_name} (?)")])
            self._choice.set_value(type_name)
        self._show_form(type_name)
        if self._form is not None:
            self._form.set_values(value or {})

    def _options(self) -> list[tuple[Any, str]]:
        declared = [(item.type, item.title) for item in catalogue().all(self._param.of).values()]
        return [(None, _tr("inherited")), *declared] if self._param.optional else declared

    def _show_form(self, type_name: str | None) -> None:
        if type_name == self._shown_type and self._form is not None:
            return
        if self._form is not None:
            self._layout.removeWidget(self._form)
            self._form.hide()
            self._form.deleteLater()
            self._form = None
        self._shown_type = type_name
        declaration = find(self._param.of, type_name) if type_name else None
        if declaration is not None and self._choice is not None:
            self._choice.setToolTip(declaration.help)
        if declaration is not None and declaration.params:
            self._form = self._form_class(declaration.params)
            self._form.committed.connect(self._edit)
            indent = metrics.grid if self._choice is not None else 0
            self._form.setContentsMargins(indent, 0, 0, 0)
            self._layout.addWidget(self._form)

    def _choose(self, type_name: str | None) -> None:
        self._commit(None if type_name is None else {"type": type_name})

    def _edit(self, name: str, value: Any) -> None:
        self._commit(with_setting(self._value or {}, self._param.of, name, value))

    def _commit(self, value: Any) -> None:
        self.set_value(value)
        self.committed.emit(value)


class ListEditor(QWidget):
    """Several declarations in order: each with its settings and a button that takes it away; a button that adds one."""

    committed = Signal(object)

    def __init__(self, param: Param, form: type[Form]) -> None:
        super().__init__()
        self._param, self._form_class = param, form
        self._value: tuple[Mapping[str, Any], ...] = ()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self._rows: list[_Row] = []
        self._add = Button(_tr("Add"), icon_name="add", tip=_tr("Choose what to add"))
        self._add.clicked.connect(self._ask)
        self._head = QHBoxLayout()
        self._head.addStretch()
        self._head.addWidget(self._add)
        self._layout.addLayout(self._head)
        self.set_value(param.default)

    def add_label(self, label: QWidget) -> None:
        """Puts the form's label into the first line, before the button that adds."""
        label.setFixedWidth(metrics.label_column)
        self._head.insertWidget(0, label)

    def value(self) -> Any:
        """The tagged values, in order."""
        return self._value

    def set_value(self, value: Any) -> None:
        """Shows tagged values; rows of the same types in the same order are kept, so that focus stays."""
        value = tuple(value or ())
        if [item.get("type") for item in value] != [row.type_name for row in self._rows]:
            for row in self._rows:
                self._layout.removeWidget(row)
                row.hide()
                row.deleteLater()
            self._rows = [_Row(str(item.get("type")), self._param.of, self._form_class) for item in value]
            for index, row in enumerate(self._rows):
                row.removed.connect(lambda index=index: self._remove(index))
                row.edited.connect(lambda name, new, index=index: self._edit(index, name, new))
                self._layout.insertWidget(index + 1, row)
        self._value = value
        for row, item in zip(self._rows, value, strict=True):
            row.set_values(item)

    def _ask(self) -> None:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for declaration in catalogue().all(self._param.of).values():
            action = menu.addAction(declaration.title, lambda name=declaration.type: self._append(name))
            action.setToolTip(declaration.help)
        menu.popup(self._add.mapToGlobal(QPoint(0, self._add.height())))

    def _append(self, type_name: str) -> None:
        self._commit((*self._value, {"type": type_name}))

    def _remove(self, index: int) -> None:
        self._commit(self._value[:index] + self._value[index + 1 :])

    def _edit(self, index: int, name: str, new: Any) -> None:
        changed = with_setting(self._value[index], self._param.of, name, new)
        self._commit((*self._value[:index], changed, *self._value[index + 1 :]))

    def _commit(self, value: tuple[Mapping[str, Any], ...]) -> None:
        self.set_value(value)
        self.committed.emit(value)


class _Row(QWidget):
    """One entry of a list."""

    removed = Signal()
    edited = Signal(str, object)

    def __init__(self, type_name: str, kind: str, form: type[Form]) -> None:
        super().__init__()
        self.type_name = type_name
        declaration: Declaration | None = find(kind, type_name)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        line = QHBoxLayout()
        title = QLabel(declaration.title if declaration else f"{type_name} (?)")
        if declaration:
            title.setToolTip(declaration.help)
        remove = tool_button("close", _tr("Take it away"), dense=True)
        remove.clicked.connect(self.removed)
        line.addWidget(title, 1)
        line.addWidget(remove)
        layout.addLayout(line)
        self._form = form(declaration.params) if declaration and declaration.params else None
        if self._form is not None:
            self._form.committed.connect(self.edited)
            layout.addWidget(self._form)

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Shows the settings."""
        if self._form is not None:
            self._form.set_values(values)


def with_setting(tagged: Mapping[str, Any], kind: str, name: str, value: Any) -> dict[str, Any]:
    """A tagged value with one setting changed; a setting at its default is left out."""
    changed = {**tagged, name: value}
    declaration = find(kind, str(tagged.get("type")))
    if declaration is not None and name in declaration.defaults and declaration.defaults[name] == value:
        del changed[name]
    return changed


def _tr(text: str) -> str:
    return QCoreApplication.translate("Forms", text)
