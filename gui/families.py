"""The families of layers in the order of the palette, with their titles. Everything else about a layer is declared."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from engine.declare import Declaration, catalogue

_TITLES = {
    "io": "Input and output",
    "linear": "Linear",
    "convolution": "Convolution",
    "pooling": "Pooling",
    "normalisation": "Normalisation",
    "activation": "Activation",
    "regularisation": "Regularisation",
    "merge": "Merge and shape",
    "recurrent": "Recurrent",
    "attention": "Attention",
}


def family_title(family: str) -> str:
    """The family's name in the chosen language; a family of a plug-in keeps its own."""
    return QCoreApplication.translate("Families", _TITLES.get(family, family.capitalize()))


def families() -> dict[str, list[Declaration]]:
    """Layers by family, both in the order in which the palette shows them."""
    found: dict[str, list[Declaration]] = {family: [] for family in _TITLES}
    for declaration in catalogue().all("layer").values():
        found.setdefault(declaration.family, []).append(declaration)
    return {family: layers for family, layers in found.items() if layers}


def matches(declaration: Declaration, words: str) -> bool:
    """Whether a layer answers to every word of a search, by title, type, former name or search word."""
    known = " ".join((declaration.title, declaration.type, *declaration.was, *declaration.search)).lower()
    # Code is pasted with its module: nn.Linear is Linear.
    return all(word.removeprefix("torch.").removeprefix("nn.") in known for word in words.lower().split())
