"""Context menus of canvas, node, group and wire. Every entry calls a command that also has a key or a button."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QPointF
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from engine import edits
from gui import freezing
from gui.canvas.boxes import Box, Kind
from gui.canvas.commands import Commands
from gui.canvas.wires import Wire
from gui.canvas.words import chain
from gui.icons import icon


def menu_for(view: Commands, place: QPointF) -> QMenu:
    """The menu of what lies under a point of the scene; selects it first."""
    menu = QMenu(view)
    box = view.scene.box_at(place)
    wire = view.scene.wire_at(place, 8.0 / view.camera.zoom) if box is None else None
    selection = view.document.selection
    if box is not None:
        if box.key not in selection.nodes:
            selection.select([box.key])
        _node_entries(menu, view, box)
    elif wire is not None:
        selection.select((), [(wire.definition, wire.edge)])
        _wire_entries(menu, view, wire, place)
    else:
        _canvas_entries(menu, view, place)
    return menu


def _node_entries(menu: QMenu, view: Commands, box: Box) -> None:
    if box.is_group:
        _group_entries(menu, view, box)
        menu.addSeparator()
    _entry(menu, _tr("Rename"), view.rename, "F2", "pencil")
    _entry(menu, _tr("Group"), view.group, "Ctrl+G", "group")
    if freezing.chosen(view.document):
        menu.addSeparator()
        words = _tr("Unfreeze") if freezing.are_frozen(view.document) else _tr("Freeze")
        _entry(menu, words, lambda: freezing.toggle(view.document), "Ctrl+Shift+K", "snowflake")
        _entry(menu, _tr("Freeze everything below"), lambda: freezing.freeze_below(view.document), "Ctrl+Alt+K")
    menu.addSeparator()
    _entry(menu, _tr("Cut"), view.cut, "Ctrl+X", "cut")
    _entry(menu, _tr("Copy"), view.copy, "Ctrl+C", "copy")
    _entry(menu, _tr("Duplicate"), view.duplicate, "Ctrl+D", "duplicate")
    menu.addSeparator()
    _entry(menu, _tr("Delete"), view.delete, "Del", "remove")
    _entry(menu, _tr("Delete and join"), view.delete_bridge, "Ctrl+Del")


def _group_entries(menu: QMenu, view: Commands, box: Box) -> None:
    opened = box.kind is Kind.FRAME
    text = _tr("Close") if opened else _tr("Open here")
    _entry(menu, text, lambda: view.toggle_open(box), "", "collapse" if opened else "expand")
    _entry(menu, _tr("Go inside"), view.enter_group, "Alt+Return", "arrow-right")
    if not opened:
        inside = view.document.graph.definitions.get(box.node.definition)
        if box.kind is Kind.STACK:
            _entry(menu, _tr("Show as card"), lambda: view.set_look(box, Kind.CARD))
        elif inside is not None and chain(inside):
            _entry(menu, _tr("Show its layers"), lambda: view.set_look(box, Kind.STACK))
    _entry(menu, _tr("Repeat…"), lambda: view.inline.repeat(box), "", "repeat")
    _entry(menu, _tr("Ungroup"), view.ungroup, "Ctrl+Shift+G", "ungroup")


def _wire_entries(menu: QMenu, view: Commands, wire: Wire, place: QPointF) -> None:
    _entry(menu, _tr("Insert a layer…"), lambda: view.search_into(wire, place), "", "add")
    _entry(
        menu,
        _tr("Delete wire"),
        lambda: view.document.edit_graph(
            _tr("Delete wire"), lambda graph: edits.disconnect(graph, wire.definition, wire.edge)
        ),
        "Del",
        "remove",
    )


def _canvas_entries(menu: QMenu, view: Commands, place: QPointF) -> None:
    _entry(menu, _tr("Add a layer…"), lambda: view.search_at(place), "Space", "search")
    _entry(menu, _tr("Paste"), view.paste, "Ctrl+V", "paste")
    menu.addSeparator()
    _entry(menu, _tr("Select all"), view.select_all, "Ctrl+A")
    _entry(menu, _tr("Tidy"), view.tidy, "Ctrl+Shift+F", "tidy")
    _entry(menu, _tr("Fit"), view.fit, "Ctrl+0", "fit")
    if view.document.selection.trail:
        _entry(menu, _tr("Leave the block"), view.leave_group, "Alt+Up")


def _entry(menu: QMenu, text: str, command: Callable[[], object], keys: str = "", icon_name: str = "") -> None:
    shown = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText) if keys else ""
    # The key is written, not bound: the window's own actions have it already.
    action = menu.addAction(f"{text}\t{shown}" if shown else text)
    if icon_name:
        action.setIcon(icon(icon_name))
    action.triggered.connect(lambda _checked=False: command())


def _tr(text: str) -> str:
    return QCoreApplication.translate("Canvas", text)
