"""The recipe: data, preprocessing, loss, optimizer, schedule and the rest, as one form in sections.

Writes through the document only. The form derives from the declarations; only the sections are told here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from engine.defaults import DEFAULTS
from engine.graph import Graph
from engine.param import Param
from engine.problem import ProblemError, error
from engine.project import Project
from engine.recipe import SETTINGS
from gui.document import Document
from gui.forms.form import Form
from gui.panels.recipe_rates import RatePreview
from gui.panels.recipe_weights import WeightsRow
from gui.widgets.buttons import Button, tool_button
from gui.widgets.section import CollapsibleSection

_SECTIONS = (
    ("Data", ("data",)),
    ("Preprocessing", ("preprocess", "augment")),
    ("Length", ("epochs", "batch_size", "accumulate", "sampler", "seed")),
    ("Device", ("device", "precision")),
    ("Loss and metrics", ("loss", "metrics")),
    ("Optimiser", ("optimizer", "decay_exempt", "groups", "schedule", "momentum_rescale", "clip")),
    ("Freezing and phases", ("frozen", "frozen_norms", "phases")),
    ("Averaged weights", ("ema",)),
    ("Early stopping", ("early_stopping",)),
    ("Callbacks", ("callbacks",)),
    ("Recording", ("train_figures", "gradient_flow", "activations")),
)

_DEFAULT_WEIGHTS = Param(
    name="initializer", kind="tagged", of="initializer", default={"type": "torch"}, label="Weights",
    help="How the weights of every layer are drawn that does not say otherwise",
)  # fmt: skip
_NONE = {"type": "none"}


def _or_none(name: str, label: str) -> Param:
    """A default that nobody above can say: to say nothing is to have none."""
    return replace(DEFAULTS.by_name[name], label=label, default=_NONE, optional=False)


_DEFAULTS = (
    _or_none("activation", "Activation"),
    _or_none("normalization", "Norm"),
    replace(DEFAULTS.by_name["norm_place"], default="before", optional=False),
    _DEFAULT_WEIGHTS,
    replace(DEFAULTS.by_name["bias_initializer"], label="Biases"),
    _or_none("regularizer", "Penalty"),
    DEFAULTS.by_name["max_norm"],
)
"""What holds for every layer that says nothing itself."""
_UNSAID = {param.name: param.default for param in _DEFAULTS if param.default is not None}


class RecipePanel(QScrollArea):
    """Settings of the whole, in the same kind of form as those of a layer."""

    data_wanted = Signal()
    rate_wanted = Signal()
    clipping_wanted = Signal()
    """Show what clipping does."""

    strategy_wanted = Signal()
    """Choose how layers are frozen and let go."""
    weights_wanted = Signal()
    """Open a file of weights."""

    descent_wanted = Signal()
    """Show how optimizers run down a landscape."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._forms: list[Form] = []
        self.rates = RatePreview()
        self.weights = WeightsRow(document)
        self.weights.wanted.connect(self.weights_wanted)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for index, (title, names) in enumerate(_SECTIONS):
            layout.addWidget(self._section(title, names, line=index > 0))
        start = CollapsibleSection(self.tr("Starting weights"))
        start.content.addWidget(self.weights)
        layout.addWidget(start)
        layout.addWidget(self._weights_section())
        layout.addStretch()
        self.setWidget(content)
        document.opened.connect(self.fill)
        document.changed.connect(self._changed)
        self.fill()

    def sizeHint(self) -> QSize:
        """The right column's width, whatever stands in it: a dock that opens elsewhere must not make it wider."""
        return QSize(264, 400)

    def fill(self) -> None:
        """Shows the project's recipe."""
        values = {param.name: self._document.project.recipe.get(param.name) for param in SETTINGS.params}
        for form in self._forms:
            form.set_values(values)
        said = self._document.graph.defaults
        self._weights.set_values({**_UNSAID, **said})
        self._weights.set_shown("norm_place", said.get("normalization", _NONE) != _NONE)
        self.rates.show_project(self._document.project)
        self.weights.show_project(self._document.project)

    def form_for(self, name: str) -> Form:
        """The form that holds a setting."""
        return next(form for form in self._forms if form.has(name))

    def _section(self, title: str, names: tuple[str, ...], *, line: bool) -> CollapsibleSection:
        section = CollapsibleSection(QCoreApplication.translate("RecipePanel", title), line=line)
        params = tuple(SETTINGS.by_name[name] for name in names)
        form = Form(params)
        form.committed.connect(self._commit)
        self._forms.append(form)
        section.content.addWidget(form)
        if "clip" in names:
            tip = self.tr("Show on a gradient of two numbers what clipping by value and by norm does")
            show = tool_button("eye", tip, dense=True)
            show.clicked.connect(self.clipping_wanted)
            form.editor("clip").add_button(show)  # type: ignore[attr-defined]
            self.show_clipping = show
        if "optimizer" in names:
            tip = self.tr("Watch this optimizer and others run down a landscape of two numbers")
            watch = tool_button("eye", tip, dense=True)
            watch.clicked.connect(self.descent_wanted)
            form.editor("optimizer").add_button(watch)  # type: ignore[attr-defined]
            self.show_descent = watch
        if "phases" in names:
            tip = self.tr("Ways to train what was trained before: freeze, then unfreeze")
            section.content.addLayout(_row(self.tr("Choose a strategy"), "snowflake", tip, self.strategy_wanted))
        if "schedule" in names:
            section.content.addWidget(self.rates)
        if "data" in names:
            tip = self.tr("Samples, classes and the split")
            section.content.addLayout(_row(self.tr("Look at the data"), "table", tip, self.data_wanted))
        if "optimizer" in names:
            tip = self.tr("Grow the rate on a copy until the loss shoots up, and propose one below")
            section.content.addLayout(_row(self.tr("Find a learning rate"), "target", tip, self.rate_wanted))
        return section

    def _weights_section(self) -> CollapsibleSection:
        section = CollapsibleSection(self.tr("Defaults"), self.tr("of all layers"))
        self._weights = Form(_DEFAULTS)
        self._weights.committed.connect(self._commit_weights)
        section.content.addWidget(self._weights)
        return section

    def _commit(self, name: str, value: Any) -> None:
        title = SETTINGS.by_name[name].title.lower()

        def change(project: Project) -> Project:
            try:
                return project.with_recipe(project.recipe.with_value(name, value))
            except ValueError as fault:
                happened = self.tr("{0} cannot be {1}.").format(SETTINGS.by_name[name].title, value)
                raise ProblemError(error("recipe", happened, str(fault))) from None

        if not self._document.edit(self.tr("Set {0}").format(title), change):
            self.fill()

    def _commit_weights(self, name: str, value: Any) -> None:
        def change(graph: Graph) -> Graph:
            defaults = {key: item for key, item in graph.defaults.items() if key != name}
            if value is not None and value != _UNSAID.get(name):
                defaults[name] = dict(value) if isinstance(value, Mapping) else value
            return replace(graph, defaults=defaults)

        self._document.edit_graph(self.tr("Set a default of all layers"), change)

    def _changed(self, delta: object) -> None:
        if getattr(delta, "recipe", ()) or getattr(delta, "defaults", False):
            self.fill()
        else:
            self.rates.show_project(self._document.project)  # the data may be known by now
            self.weights.show_project(self._document.project)


def _row(words: str, icon_name: str, tip: str, wanted: SignalInstance) -> QHBoxLayout:
    """A button at the right end of a section."""
    button = Button(words, icon_name=icon_name, tip=tip)
    button.clicked.connect(wanted)
    row = QHBoxLayout()
    row.addStretch()
    row.addWidget(button)
    return row
