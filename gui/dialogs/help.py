"""Help pages made from the tables they describe: the keyboard from the commands, a layer from its declaration."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from engine.accept import ACCEPTED
from engine.declare import Declaration, find
from gui.actions import MENUS, Actions, translated
from gui.document import Document
from gui.theme import metrics


class Page(QDialog):
    """A page of text to read."""

    def __init__(self, title: str, html: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(560, 620)
        self.text = QTextBrowser()
        self.text.setOpenExternalLinks(True)
        self.text.setHtml(html)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.panel_padding, metrics.panel_padding, metrics.panel_padding, metrics.grid)
        layout.addWidget(self.text)
        layout.addWidget(buttons)


def show_shortcuts(parent: QWidget, actions: Actions) -> Page:
    """Every key of the program by menu, and those of the canvas."""
    parts = []
    for menu, title in MENUS:
        rows = [
            (translated(command.text).rstrip("…"), ", ".join(_native(key) for key in command.keys), command.tip)
            for command, _ in actions.all()
            if command.menu == menu and command.keys
        ]
        if rows:
            parts.append(f"<h3>{escape(translated(title))}</h3>{_table(rows)}")
    parts.append(f"<h3>{_tr('On the canvas')}</h3>{_table(_canvas_rows())}")
    return _open(Page(_tr("Keyboard and mouse"), "".join(parts), parent))


def show_layer_help(parent: QWidget, document: Document) -> Page | None:
    """What the selected layer does, its settings and their bounds; None when no layer is selected."""
    key = document.selection.node
    if key is None:
        return None
    graph = document.graph
    level = graph.definitions.get(key[0]) if key[0] else graph
    node = level.nodes.get(key[1]) if level else None
    declaration = find("layer", node.type) if node else None
    if declaration is None:
        return None
    return _open(Page(declaration.title, layer_html(declaration), parent))


def show_help(parent: QWidget, kind: str, name: str) -> Page | None:
    """What a declaration of any kind does; None when there is none of that name."""
    declaration = find(kind, name)
    return None if declaration is None else _open(Page(declaration.title, layer_html(declaration), parent))


def layer_html(declaration: Declaration) -> str:
    """The help page of a declaration."""
    accepted = ACCEPTED.get(declaration.accepts)
    parts = [f"<h2>{escape(declaration.title)}</h2>", *(f"<p>{escape(p)}</p>" for p in declaration.help.split("\n\n"))]
    if accepted is not None:
        parts.append(f"<p><b>{_tr('Takes')}</b> {escape(accepted.words)}</p>")
    if declaration.params:
        rows = [(param.title, param.domain, param.help) for param in declaration.params]
        parts.append(f"<h3>{_tr('Settings')}</h3>{_table(rows)}")
    return "".join(parts)


def _table(rows: list[tuple[str, str, str]]) -> str:
    cells = "".join(
        f"<tr><td><b>{escape(a)}</b>&nbsp;&nbsp;</td><td>{escape(b)}&nbsp;&nbsp;</td><td>{escape(c)}</td></tr>"
        for a, b, c in rows
    )
    return f"<table cellpadding='4'>{cells}</table>"


def _canvas_rows() -> list[tuple[str, str, str]]:
    return [
        (_tr("Space, double-click"), "", _tr("Search for a layer and add it here")),
        (_tr("Drag from a port"), "", _tr("Draw a wire; release on nothing to search for a layer that fits")),
        (_tr("Wheel"), "", _tr("Zoom at the pointer")),
        (_tr("Middle button, Alt+drag"), "", _tr("Pan")),
        (_tr("Drag on nothing"), "", _tr("Select with a rectangle; Ctrl or Shift adds")),
        (_tr("Drag onto a wire"), "", _tr("Insert the layer into it")),
        (_tr("Double-click a block"), "", _tr("Open it in place; Enter goes inside")),
        (_tr("Arrow keys"), "", _tr("Nudge the selected layers")),
        (_tr("Alt"), "", _tr("Show every shape")),
        ("Esc", "", _tr("Give up what is being done")),
    ]


def _open(page: Page) -> Page:
    page.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    page.open()
    return page


def _native(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Help", text)
