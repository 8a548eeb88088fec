"""The one table from the kind of a setting to the widget that edits it.

Every editor has `value()`, `set_value(value)` and a `committed` signal that carries a value the person entered.
Editors know a `Param` and nothing of the project.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from engine.param import Param
from engine.shared_settings import INHERITED
from gui.widgets.buttons import tool_button
from gui.widgets.choices import Check, Choice
from gui.widgets.field import Field
from gui.widgets.number_field import NumberField, SizeField, TextField


class ParsedField(Field):
    """A field whose text is read by the setting itself: paddings, lists of numbers, optional sizes."""

    def __init__(self, param: Param, *, placeholder: str = "") -> None:
        super().__init__(dense=True, mono=True, unit=param.unit)
        self._param = param
        self.entry.setPlaceholderText(placeholder)
        self.set_value(param.default)

    def parse(self, text: str) -> Any:
        """The value the text means; ValueError says what is allowed."""
        words = text.strip()
        if not words:
            if self._param.optional:
                return None
            if self._param.kind in ("ints", "floats"):
                return self._param.clean(())
        if self._param.kind == "padding" and words.lower() == "same":
            return "same"
        if self._param.kind == "floats":
            return self._param.clean([_real(part) for part in words.strip("()[] ").split(",") if part.strip()])
        numbers = [_whole(part) for part in words.replace("×", ",").replace("x", ",").strip("()[] ").split(",") if part]
        single = len(numbers) == 1 and self._param.kind != "ints"
        return self._param.clean(numbers[0] if single else tuple(numbers))

    def format(self, value: Any) -> str:
        """The text for a value."""
        if value is None:
            return ""
        if self._param.kind == "floats":
            return ", ".join(f"{item:.12g}" for item in value)
        return "×".join(str(item) for item in value) if isinstance(value, tuple | list) else str(value)


class PathField(QWidget):
    """A path with buttons to look for a file or a folder."""

    committed = Signal(object)

    def __init__(self, param: Param) -> None:
        super().__init__()
        self._field = TextField("", placeholder=_tr("File or folder"), dense=True)
        self._field.committed.connect(self.committed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._field, 1)
        for name, tip, ask in (
            ("open", _tr("Choose a file"), self._ask_file), ("folder", _tr("Choose a folder"), self._ask_folder),
        ):  # fmt: skip
            button = tool_button(name, tip, dense=True)
            button.clicked.connect(ask)
            row.addWidget(button)
        self.setFocusProxy(self._field)
        self.set_value(param.default)

    def value(self) -> Any:
        """The path as text."""
        return self._field.value()

    def set_value(self, value: Any) -> None:
        """Shows a path."""
        self._field.set_value(value or "")

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, _tr("Choose a file"), str(self.value() or ""))
        self._take(path)

    def _ask_folder(self) -> None:
        self._take(QFileDialog.getExistingDirectory(self, _tr("Choose a folder"), str(self.value() or "")))

    def _take(self, path: str) -> None:
        if path and path != self.value():
            self.set_value(path)
            self.committed.emit(path)


class OpenChoice(Choice):
    """A choice beside whose words others are allowed, such as cuda:1: one that a project brings along is listed too."""

    def set_value(self, value: Any) -> None:
        """Choose `value`; a word that is not offered yet is added."""
        if isinstance(value, str) and value and value not in self._values:
            self.add_option(value, value)
        super().set_value(value)


def make_editor(param: Param) -> QWidget:
    """The editor for a setting; tagged values and lists of them are edited by `gui.forms.tagged`."""
    return _MAKERS[param.kind](param)


def words_of(choice: str) -> str:
    """A choice as a person reads it: `last` stays, `one_cycle` becomes `one cycle`."""
    return choice.replace("_", " ")


def _number(param: Param) -> QWidget:
    return NumberField(
        param.default, minimum=param.min, maximum=param.max, whole=param.kind == "int", unit=param.unit,
        optional=param.optional, placeholder=_tr("none") if param.optional else "", dense=True,
    )  # fmt: skip


def _size(param: Param) -> QWidget:
    if param.optional:
        return ParsedField(param, placeholder=_tr("as it is"))
    low = None if param.min is None else int(param.min)
    high = None if param.max is None else int(param.max)
    return SizeField(param.default, minimum=low, maximum=high, unit=param.unit, dense=True)


def _choice(param: Param) -> QWidget:
    options = [(choice, words_of(choice)) for choice in param.choices]
    if param.optional:
        options.insert(0, (None, _tr("inherited") if param.name in INHERITED else _tr("none")))
    return (OpenChoice if param.also else Choice)(options, param.default, dense=True)


def _check(param: Param) -> QWidget:
    return Check("", bool(param.default))


def _text(param: Param) -> QWidget:
    return TextField(param.default or "", dense=True)


def _parsed(param: Param) -> QWidget:
    empty = _tr("none") if param.kind == "floats" else _tr("from the data")
    return ParsedField(param, placeholder=empty if param.default == () else "")


_MAKERS: dict[str, Callable[[Param], QWidget]] = {
    "int": _number,
    "float": _number,
    "bool": _check,
    "text": _text,
    "choice": _choice,
    "size": _size,
    "padding": _parsed,
    "ints": _parsed,
    "floats": _parsed,
    "path": PathField,
}


def _whole(part: str) -> int:
    try:
        return int(part)
    except ValueError:
        raise ValueError(_tr("Whole numbers, such as 3 or 3×5")) from None


def _real(part: str) -> float:
    try:
        return float(part)
    except ValueError:
        raise ValueError(_tr("Numbers, such as 5, 15")) from None


def _tr(text: str) -> str:
    return QCoreApplication.translate("Forms", text)
