"""The command box: every command and every layer behind one search field (Ctrl+Shift+P)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from gui.actions import Actions
from gui.families import families, matches
from gui.icons import family_icon
from gui.theme import color, metrics
from gui.widgets.box import paint_box
from gui.widgets.search_field import SearchField

_DO = Qt.ItemDataRole.UserRole
_MOST = 60


@dataclass(frozen=True)
class Entry:
    """One line: its words, what it does, whether it can be done now."""

    words: str
    do: Callable[[], object]
    icon: QIcon
    hint: str = ""
    enabled: bool = True


class CommandBox(QDialog):
    """A search field and what it finds; Enter does the chosen line, Esc leaves."""

    def __init__(self, actions: Actions, add_layer: Callable[[str], object], anchor: QWidget) -> None:
        super().__init__(anchor.window(), Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._actions, self._add_layer, self._anchor = actions, add_layer, anchor
        self.search = SearchField(self.tr("Search commands and layers"))
        self.list = QListWidget()
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setIconSize(QSize(16, 16))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.grid, metrics.grid, metrics.grid, metrics.grid)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        self.resize(460, 420)
        self.search.searched.connect(self.fill)
        self.search.moved.connect(self._move)
        self.search.returnPressed.connect(self._take)
        self.list.itemClicked.connect(lambda _item: self._take())
        self.fill("")

    def paintEvent(self, event: QPaintEvent) -> None:
        """A popup's fill and edge; Qt gives a frameless window neither."""
        painter = QPainter(self)
        paint_box(painter, QRectF(self.rect()), fill=color("raised"), edge=color("border2"), radius=0)
        painter.end()

    def open(self) -> None:
        """Shows the box under the field that opened it."""
        self.move(self._anchor.mapToGlobal(QPoint(0, self._anchor.height() + 4)))
        self.show()
        self.search.setFocus()

    def fill(self, words: str) -> None:
        """Lists what answers to every word."""
        self.list.clear()
        for entry in self._entries(words)[:_MOST]:
            item = QListWidgetItem(entry.icon, f"{entry.words}    {entry.hint}".rstrip())
            item.setData(_DO, entry.do)
            if not entry.enabled:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
        if not self.list.count():
            item = QListWidgetItem(self.tr("Nothing answers to {0}").format(words))
            item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(item)
        self._move(1)

    def _entries(self, words: str) -> list[Entry]:
        found = []
        for command, action in self._actions.all():
            text = action.text().rstrip("…")
            if command.id != "commands" and all(word in text.lower() for word in words.lower().split()):
                keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                found.append(Entry(text, action.trigger, action.icon(), keys, action.isEnabled()))
        if words.strip():
            for family, layers in families().items():
                found += [
                    Entry(
                        self.tr("Add {0}").format(layer.title), lambda name=layer.type: self._add_layer(name),  # type: ignore[misc]
                        family_icon(family),
                    )
                    for layer in layers
                    if matches(layer, words)
                ]  # fmt: skip
        return found

    def _move(self, steps: int) -> None:
        row, count = self.list.currentRow(), self.list.count()
        way = 1 if steps > 0 else -1
        for _ in range(abs(steps)):
            candidate = row + way
            while 0 <= candidate < count and not self.list.item(candidate).flags() & Qt.ItemFlag.ItemIsEnabled:
                candidate += way
            if not 0 <= candidate < count:
                break
            row = candidate
        self.list.setCurrentRow(row)

    def _take(self) -> None:
        item = self.list.currentItem()
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        do = item.data(_DO)
        self.close()
        do()
