"""Freezing from canvas, menu and inspector: what is selected, everything that leads to it, or nothing any more.

Owns what the commands mean; the engine owns which layers that is and how a recipe writes it.
"""

from __future__ import annotations

from engine.analysis import NodeFacts
from engine.freezing import below, with_frozen
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
    if document.project.recipe.get("frozen"):
        document.edit(
            document.tr("Unfreeze all"), lambda project: project.with_recipe(project.recipe.with_value("frozen", ""))
        )


def _facts(document: Document, key: NodeKey) -> NodeFacts:
    return document.analysis.nodes.get(key) or NodeFacts()
