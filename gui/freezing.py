"""Freezing from canvas, menu and inspector: what is selected, everything that leads to it, or nothing any more.

Owns what the commands mean; the engine owns which layers that is and how a recipe writes it.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMenu, QWidget

from engine.analysis import NodeFacts
from engine.freezing import below, with_frozen
from engine.strategies import STRATEGIES, apply_strategy
from gui.document import Document

NodeKey = tuple[str, str]


def chosen(document: Document) -> list[NodeKey]:
    """The selected nodes that hold weights, themselves or inside."""
    return [key for key in document.selection.nodes if _facts(document, key).parameters]


def are_frozen(document: Document) -> bool:
    """Whether nothing of what is selected trains."""
    found = [_facts(document, key) for key in chosen(document)]
    return bool(found) and all(facts.frozen[0] and facts.frozen[0] == facts.frozen[1] for facts in found)


def toggle(document: Document) -> None:
    """Freezes the selected layers and blocks; where all of them are frozen, lets them train again."""
    keys, still = chosen(document), are_frozen(document)
    places = [path for key in keys for path in _facts(document, key).paths]
    if places:
        words = document.tr("Unfreeze {0}") if still else document.tr("Freeze {0}")
        definition, node = keys[0]
        name = document.graph.level(definition).nodes[node].name
        what = name if len(keys) == 1 else document.tr("{0} layers").format(len(keys))
        analysis = document.analysis
        document.edit(words.format(what), lambda project: with_frozen(project, analysis, places, not still))


def freeze_below(document: Document) -> None:
    """Freezes the selected layers and all that leads to them; what comes after them trains."""
    places = [
        place
        for key in document.selection.nodes
        for path in _facts(document, key).paths[-1:]
        for place in below(document.graph, path)
    ]
    if places:
        analysis = document.analysis
        document.edit(document.tr("Freeze below"), lambda project: with_frozen(project, analysis, places, True))


def unfreeze_all(document: Document) -> None:
    """Lets every layer train."""
    analysis = document.analysis
    if analysis.frozen:
        words = document.tr("Unfreeze all")
        document.edit(words, lambda project: with_frozen(project, analysis, analysis.frozen, False))


def strategy_menu(document: Document, parent: QWidget) -> QMenu:
    """Ways to train; choosing one is one change that undo takes back."""
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    for strategy in STRATEGIES:
        title = QCoreApplication.translate("Strategies", strategy.title)
        action = menu.addAction(title)
        action.setToolTip(QCoreApplication.translate("Strategies", strategy.help))
        action.triggered.connect(
            lambda _checked=False, chosen=strategy, words=title: document.edit(
                words, lambda project: apply_strategy(project, document.analysis, chosen)
            )
        )
    return menu


def _facts(document: Document, key: NodeKey) -> NodeFacts:
    return document.analysis.nodes.get(key) or NodeFacts()
