"""The inspector: what the selected layer is, its shapes and cost, its settings, and how it fares while training.

Writes through the document only. The form derives from the declaration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from engine import edits
from engine.analysis import Analysis, NodeFacts
from engine.declare import Declaration, find
from engine.defaults import DEFAULTS
from engine.expand import activated, inside
from engine.graph import Graph, Node
from engine.inherit import inherited
from engine.param import Param
from engine.timeline import Timeline
from gui import freezing
from gui.document import Document
from gui.forms.form import Form
from gui.jobs import Jobs
from gui.numbers import count
from gui.panels.inspector_flow import FlowSection
from gui.panels.inspector_frozen import FrozenRow
from gui.panels.inspector_head import Head, ShapeRows
from gui.panels.inspector_inherited import NAMES, InheritedSections, shared_params
from gui.panels.inspector_look import DrawsView, FunctionSection, is_activation
from gui.panels.inspector_many import ManyLayers
from gui.selection import NodeKey
from gui.theme import metrics
from gui.widgets.number_field import NumberField, TextField
from gui.widgets.section import CollapsibleSection
from gui.widgets.states import Banner, EmptyState

NOTED = {"normalisation": frozenset({"momentum"})}
"""By family the numbers that have words below them."""


class InspectorPanel(QScrollArea):
    """One selected layer or block in full; several or none: what can be said about them together."""

    def __init__(self, document: Document, parent: QWidget | None = None, jobs: Jobs | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._jobs = jobs if jobs is not None else Jobs(self)
        self.function: FunctionSection | None = None
        self.many: ManyLayers | None = None
        """What stands there while several layers are selected."""
        self._many_for: list[str] = []
        self._key: tuple[str, str] | None = None
        self._built_for: object = None
        self._form: Form | None = None
        self.shared: InheritedSections | None = None
        """Settings that the selected layer or block shares with those around it."""
        self._flow: FlowSection | None = None
        self._timeline: Timeline | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        document.selection.changed.connect(self.refresh)
        document.opened.connect(self.refresh)
        document.changed.connect(lambda _delta: self.refresh())
        document.analyzed.connect(self._show_analysis)
        self.refresh()

    def sizeHint(self) -> QSize:
        """The right column's width, whatever stands in it: a dock that opens elsewhere must not make it wider."""
        return QSize(264, 400)

    @property
    def form(self) -> Form | None:
        """The settings' form of the selected layer."""
        return self._form

    def refresh(self) -> None:
        """Shows what is selected now."""
        self._key = self._document.selection.node
        node = self._node()
        if node is None:
            self._build_empty()
            return
        wanted = (self._key, node.type, node.is_group)
        if self._built_for != wanted:
            self._built_for = wanted
            self._build(node)
        self._fill(node)

    def show_timeline(self, timeline: Timeline) -> None:
        """While training: gradient, update and weight norms of the selected layer."""
        self._timeline = timeline
        if self._built_for is not None and self._flow is not None:
            facts = self._facts()
            self._flow.follow(timeline, facts.paths if facts else ())

    def _node(self) -> Node | None:
        if self._key is None:
            return None
        definition, id_ = self._key
        graph = self._document.graph
        level = graph.definitions.get(definition) if definition else graph
        return level.nodes.get(id_) if level else None

    def _facts(self) -> NodeFacts | None:
        return self._document.analysis.nodes.get(self._key) if self._key else None

    def _build_empty(self) -> None:
        self._built_for, self._form, self._flow, self.function = None, None, None, None
        keys = self._chosen()
        if len(keys) > 1:
            self._show_many(keys)
            return
        self.many = None
        state = EmptyState(
            "inspector", self.tr("Nothing selected"), self.tr("Click a layer to see its settings and shapes.")
        )
        self.setWidget(_framed(state))

    def _chosen(self) -> list[NodeKey]:
        """The selected layers that are there, in order of their creation."""
        chosen = self._document.selection.nodes
        return [
            (definition, node.id)
            for definition, level in self._document.graph.levels()
            for node in level.nodes.values()
            if (definition, node.id) in chosen
        ]

    def _show_many(self, keys: list[NodeKey]) -> None:
        """What several layers have in common; the forms stay while layers of the same types are selected."""
        graph = self._document.graph
        types = list(dict.fromkeys(graph.level(definition).nodes[key].type for definition, key in keys))
        if self.many is None or self._many_for != types:
            self.many, self._many_for = ManyLayers(types, self._jobs), types
            self.many.committed.connect(self._commit_many)
            self.setWidget(self.many)
        facts = [self._document.analysis.nodes.get(key) for key in keys]
        self.many.fill(graph, keys, sum(fact.parameters * fact.copies for fact in facts if fact))

    def _commit_many(self, name: str, value: Any) -> None:
        keys = self._chosen()

        def change(graph: Graph) -> Graph:
            for definition, key in keys:
                graph = edits.set_param(graph, definition, key, name, value)
            return graph

        self._document.edit_graph(self.tr("Set {0} of {1} layers").format(name.replace("_", " "), len(keys)), change)

    def _build(self, node: Node) -> None:
        self.many = None
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        declaration = find("layer", node.type)
        self._head = Head()
        self._head.renamed.connect(self._rename)
        self._shapes = ShapeRows()
        self._banner = Banner("error", "", "")
        top = QVBoxLayout()
        top.setContentsMargins(metrics.control_padding, metrics.control_padding, metrics.control_padding, metrics.grid)
        top.setSpacing(metrics.grid)
        self._frozen = FrozenRow()
        self._frozen.wanted.connect(lambda: freezing.toggle(self._document))
        for widget in (self._head, self._shapes, self._frozen, self._banner):
            top.addWidget(widget)
        layout.addLayout(top)
        self._form = self.shared = self.function = None
        if node.is_group:
            layout.addWidget(self._group_section())
            self._add_shared(layout, DEFAULTS.by_name)
        elif declaration is not None:
            self._add_settings(layout, declaration)
        self._flow = FlowSection()
        layout.addWidget(self._flow)
        layout.addWidget(self._note_section())
        layout.addStretch()
        self.setWidget(content)

    def _add_settings(self, layout: QVBoxLayout, declaration: Declaration) -> None:
        shared = shared_params(declaration.by_name)
        params = tuple(param for param in declaration.params if param.name not in shared)
        section = CollapsibleSection(self.tr("Settings"))
        if params:
            self._form = Form(params, noted=NOTED.get(declaration.family, frozenset()))
            self._form.committed.connect(self._commit)
            section.content.addWidget(self._form)
        else:
            section.content.addWidget(_hint(self.tr("No settings: {0}").format(declaration.help.split(". ")[0] + ".")))
        layout.addWidget(section)
        if is_activation(declaration.type) or activated(declaration.type) is not None:
            self.function = FunctionSection(self._jobs)
        if shared:
            self._add_shared(layout, shared, self.function)
        elif self.function is not None:
            layout.addWidget(self.function)

    def _add_shared(
        self, layout: QVBoxLayout, params: Mapping[str, Param], function: FunctionSection | None = None
    ) -> None:
        self.shared = InheritedSections(params, DrawsView(self._jobs), function)
        self.shared.committed.connect(self._commit)
        layout.addWidget(self.shared)

    def _group_section(self) -> CollapsibleSection:
        section = CollapsibleSection(self.tr("Block"))
        self._repeat = NumberField(1, minimum=1, maximum=1000, whole=True, unit=self.tr("copies"), dense=True)
        self._repeat.setToolTip(self.tr("How many copies stand one after the other, each with weights of its own"))
        self._repeat.committed.connect(self._set_repeat)
        row = QHBoxLayout()
        label = QLabel(self.tr("Repeat"))
        label.setProperty("role", "label")
        label.setFixedWidth(metrics.label_column)
        label.setBuddy(self._repeat)
        row.addWidget(label)
        row.addWidget(self._repeat, 1)
        section.content.addLayout(row)
        return section

    def _note_section(self) -> CollapsibleSection:
        section = CollapsibleSection(self.tr("Note"), opened=False)
        self._note = TextField("", placeholder=self.tr("Words for yourself and others"), dense=True)
        self._note.committed.connect(self._set_note)
        section.content.addWidget(self._note)
        return section

    def _fill(self, node: Node) -> None:
        declaration = find("layer", node.type)
        self._head.show_node(node, declaration)
        if self._form is not None:
            self._form.set_values(node.params, self._notes())
        if self.shared is not None and self._key is not None:
            found = {name: inherited(self._document.graph, self._key[0], name) for name in NAMES}
            self.shared.fill(node.params, {name: value for name, value in found.items() if value is not None})
        if node.is_group:
            self._repeat.set_value(node.repeat)
        self._note.set_value(node.note)
        self._show_analysis(self._document.analysis)

    def _show_analysis(self, analysis: Analysis) -> None:
        node = self._node()
        if self.many is not None:
            self._show_many(self._chosen())
        if node is None or self._built_for is None:
            return
        facts = self._facts()
        self._shapes.show_facts(facts, node)
        self._frozen.show_facts(facts)
        found = [problem for problem in analysis.problems if problem.where.node == node.id]
        self._banner.setVisible(bool(found))
        if found:
            tone = {"error": "error", "warning": "warn", "advice": "accent"}[found[0].severity.value]
            self._banner.set_state(tone, found[0].happened, found[0].fix or found[0].expected)
        if self._form is not None:
            self._form.set_values(node.params, self._notes())
        if self._flow is not None and self._timeline is not None:
            self._flow.follow(self._timeline, facts.paths if facts else ())
        if self.shared is not None and self._key is not None:
            around = inherited(self._document.graph, self._key[0], "initializer")
            drawn = node.params.get("initializer") or (around.value if around else None) or {"type": "torch"}
            self.shared.draws.show_layer(facts, drawn)
        if self.function is not None:
            self._show_function(node)

    def _show_function(self, node: Node) -> None:
        """The curve of an activation, or of the one that a layer holds; hidden while it holds none."""
        if self.function is None or self._key is None:
            return
        parts = [node] if is_activation(node.type) else inside(self._document.graph).get(self._key, ())
        drawn = next((part for part in parts if is_activation(part.type)), None)
        self.function.setVisible(drawn is not None)
        if drawn is not None:
            self.function.show_layer(drawn.type, drawn.params)

    def _notes(self) -> dict[str, str]:
        facts = self._facts()
        node = self._node()
        output = facts.output if facts else None
        if node is None:
            return {}
        declaration = find("layer", node.type)
        if declaration is not None and declaration.family == "normalisation" and "momentum" in declaration.by_name:
            # One convention is the other's complement: what the new batch weighs, or what the old ones do.
            own = node.params.get("momentum", declaration.defaults["momentum"])
            return {"momentum": self.tr("{0} in Keras").format(f"{1.0 - own:.6g}") if isinstance(own, float) else ""}
        if output is None or not node.params.get("bias", True):
            return {}
        size = output.channels if output.rank == 3 else output.features
        return {"bias": self.tr("{0} parameters").format(count(size))}

    def _commit(self, name: str, value: Any) -> None:
        key = self._key
        if key is not None:
            self._document.edit_graph(
                self.tr("Set {0}").format(name.replace("_", " ")),
                lambda graph: edits.set_param(graph, key[0], key[1], name, value),
            )

    def _rename(self, name: str) -> None:
        key = self._key
        if key is not None and not self._document.edit_graph(
            self.tr("Rename"), lambda graph: edits.rename(graph, key[0], key[1], name)
        ):
            self.refresh()

    def _set_repeat(self, repeat: int) -> None:
        key = self._key
        if key is not None:
            self._document.edit_graph(
                self.tr("Set repeat"), lambda graph: edits.set_repeat(graph, key[0], key[1], int(repeat))
            )

    def _set_note(self, note: str) -> None:
        key = self._key
        if key is not None:
            self._document.edit_graph(
                self.tr("Write a note"), lambda graph: edits.set_note(graph, key[0], key[1], note)
            )


def _framed(widget: QWidget) -> QWidget:
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(metrics.control_padding, metrics.control_padding, metrics.control_padding, 0)
    layout.addWidget(widget)
    layout.addStretch()
    return holder


def _hint(words: str) -> QLabel:
    label = QLabel(words)
    label.setProperty("role", "hint")
    label.setWordWrap(True)
    return label
