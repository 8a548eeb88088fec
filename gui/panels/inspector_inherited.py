"""Sections of the inspector for settings that layers inherit: from the block around them, else from the project.

A block has the same sections; what is set there holds for every layer inside that says nothing itself. Owns the forms
and the words that say what is inherited from whom. Never edits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.declare import find
from engine.defaults import DEFAULTS
from engine.inherit import Inherited
from engine.param import Param
from gui.forms.form import Form
from gui.numbers import number
from gui.panels.inspector_look import DrawsView
from gui.widgets.section import CollapsibleSection

SECTIONS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Activation and norm", (("activation", "Activation"), ("normalization", "Norm"), ("norm_place", "Norm place"))),
    ("Initial weights", (("initializer", "Weights"), ("bias_initializer", "Biases"))),
    ("Regularisation", (("regularizer", "Penalty"), ("max_norm", "Max-norm"))),
)
"""Title and, by setting, the one word of its row; the title says what it is of."""

NAMES = frozenset(name for _, rows in SECTIONS for name, _ in rows)
_OPENED = {"Activation and norm", "Initial weights"}
_KINDS = ("initializer", "regularizer", "activation", "normalization")


def shared_params(params: Mapping[str, Param]) -> dict[str, Param]:
    """Those of some settings that are inherited; a layer may have one of the same name with a meaning of its own."""
    wanted = DEFAULTS.by_name
    return {
        name: param
        for name, param in params.items()
        if name in NAMES and (param.kind, param.of) == (wanted[name].kind, wanted[name].of)
    }


class InheritedSections(QWidget):
    """The sections whose settings a layer or block has. `committed(name, value)`; None goes back to inheriting."""

    committed = Signal(str, object)

    def __init__(self, params: Mapping[str, Param], draws: DrawsView, function: QWidget | None = None) -> None:
        """`function` is a section with the curve of the activation; it stands behind that of the choice."""
        super().__init__()
        self.draws = draws
        """What would be drawn, below the choice of how."""
        self.forms: dict[str, Form] = {}
        self._sections: dict[str, CollapsibleSection] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for title, rows in SECTIONS:
            shown = [
                replace(params[name], default=None, optional=True, label=_tr(label))
                for name, label in rows
                if name in params
            ]
            if not shown:
                continue
            section = CollapsibleSection(_tr(title), opened=title in _OPENED)
            form = Form(tuple(shown))
            form.committed.connect(self.committed)
            section.content.addWidget(form)
            if form.has("initializer"):
                section.content.addWidget(draws)
            self.forms[title], self._sections[title] = form, section
            column.addWidget(section)
            if form.has("activation") and function is not None:
                column.addWidget(function)

    def fill(self, own: Mapping[str, Any], inherited: Mapping[str, Inherited]) -> None:
        """Shows what is set here, and in the head of each section what comes from around."""
        for title, rows in SECTIONS:
            if title not in self.forms:
                continue
            names = [name for name, _ in rows if self.forms[title].has(name)]
            self.forms[title].set_values({name: own.get(name) for name in names})
            set_here = [name for name in names if own.get(name) is not None]
            from_around = [name for name in names if name not in set_here and name in inherited]
            told = [_words(inherited[name].value) for name in from_around]
            section = self._sections[title]
            section.set_hint(", ".join(told))
            section.setToolTip("\n".join(_source(name, inherited[name]) for name in from_around))
            if self.forms[title].has("norm_place"):
                norm = own.get("normalization")
                if norm is None and "normalization" in inherited:
                    norm = inherited["normalization"].value
                self.forms[title].set_shown("norm_place", norm is not None and norm != {"type": "none"})

    def form_of(self, name: str) -> Form:
        """The form that has a setting."""
        return next(form for form in self.forms.values() if form.has(name))


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        for kind in _KINDS:
            declaration = find(kind, str(value.get("type")))
            if declaration is not None:
                return (declaration.detail(value) if kind == "regularizer" else "") or declaration.title
        return str(value.get("type"))
    return f"≤ {number(float(value))}" if isinstance(value, (int, float)) else str(value)


def _source(name: str, found: Inherited) -> str:
    plain = name.replace("_", " ")
    if found.block:
        return _tr("{0} as the block {1} says").format(plain, found.block)
    return _tr("{0} as the project says for all layers").format(plain)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Inherited", text)
