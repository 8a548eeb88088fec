"""The inspector of several layers: the settings that all of them have; what is entered holds for every one of them.

Owns which settings are common and whether their values differ. Never edits: it says which layers are meant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from engine.declare import find
from engine.defaults import DEFAULTS
from engine.graph import GROUP, Graph
from engine.inherit import inherited
from engine.param import Param
from gui.forms.form import Form
from gui.jobs import Jobs
from gui.numbers import count
from gui.panels.inspector_inherited import NAMES, InheritedSections, shared_params
from gui.panels.inspector_look import DrawsView
from gui.selection import NodeKey
from gui.theme import metrics
from gui.widgets.section import CollapsibleSection


class ManyLayers(QWidget):
    """Forms for the common settings of some layers. `committed(name, value)` is meant for all of them."""

    committed = Signal(str, object)

    def __init__(self, types: Collection[str], jobs: Jobs) -> None:
        super().__init__()
        self.params = common_params(types)
        self.title, self.words, self.differ = QLabel(), QLabel(), QLabel()
        self.title.setProperty("role", "strong")
        top = QVBoxLayout()
        top.setContentsMargins(metrics.control_padding, metrics.control_padding, metrics.control_padding, metrics.grid)
        top.setSpacing(metrics.half)
        for label in (self.title, self.words, self.differ):
            label.setWordWrap(True)
            top.addWidget(label)
        for label in (self.words, self.differ):
            label.setProperty("role", "hint")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        self.form: Form | None = None
        self.shared: InheritedSections | None = None
        shared = shared_params(self.params)
        own = tuple(param for name, param in self.params.items() if name not in shared)
        if own:
            section = CollapsibleSection(self.tr("Settings of all of them"))
            self.form = Form(own)
            self.form.committed.connect(self.committed)
            section.content.addWidget(self.form)
            column.addWidget(section)
        if shared:
            self.shared = InheritedSections(shared, DrawsView(jobs))
            self.shared.committed.connect(self.committed)
            column.addWidget(self.shared)
        column.addStretch()

    def fill(self, graph: Graph, keys: Sequence[NodeKey], parameters: int) -> None:
        """Shows the values of the first layer, and says which of them the others do not share."""
        self.title.setText(self.tr("{0} layers selected").format(len(keys)))
        together = self.tr("{0} parameters together.").format(count(parameters))
        advice = self.tr("What is entered here holds for all of them. Ctrl+G puts them into a block.")
        if not self.params:
            advice = self.tr("They have no setting in common. Ctrl+G puts them into a block.")
        self.words.setText(f"{together} {advice}")
        nodes = [graph.level(definition).nodes[key] for definition, key in keys]
        values = {name: nodes[0].params.get(name, param.default) for name, param in self.params.items()}
        different = [
            param.title.lower()
            for name, param in self.params.items()
            if any(node.params.get(name, param.default) != values[name] for node in nodes)
        ]
        self.differ.setText(self.tr("Not the same in all: {0}").format(", ".join(different)) if different else "")
        self.differ.setVisible(bool(different))
        if self.form is not None:
            self.form.set_values(values)
        if self.shared is not None:
            found = {name: inherited(graph, keys[0][0], name) for name in NAMES}
            self.shared.fill(nodes[0].params, {name: value for name, value in found.items() if value is not None})


def common_params(types: Collection[str]) -> dict[str, Param]:
    """The settings that all these types have, with the same meaning; a block has those that layers inherit."""
    tables = [_params_of(type_) for type_ in types]
    first = tables[0] if tables else {}
    return {
        name: param
        for name, param in first.items()
        if all(name in table and _alike(param, table[name]) for table in tables)
    }


def _params_of(type_: str) -> Mapping[str, Param]:
    if type_ == GROUP:
        return DEFAULTS.by_name
    declaration = find("layer", type_)
    return declaration.by_name if declaration is not None else {}


def _alike(one: Param, other: Param) -> bool:
    """Whether any value of one means the same for the other."""
    return all(getattr(one, name) == getattr(other, name) for name in ("kind", "of", "choices", "min", "max"))
