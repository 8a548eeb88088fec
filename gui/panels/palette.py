"""The palette: every layer by family, searchable, to be dragged or double-clicked onto the canvas."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QPainter, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from engine.declare import Declaration
from gui.families import families, family_title, matches
from gui.icons import paint_icon
from gui.theme import color, metrics, row_height, themes, ui_font
from gui.widgets.search_field import SearchField

_FEW = 3
"""Layers of a family shown before "more"."""
_TYPE, _FAMILY, _COUNT, _MORE = (Qt.ItemDataRole.UserRole + index for index in range(4))
_OPEN_AT_FIRST = ("convolution", "normalisation", "activation")


class PalettePanel(QWidget):
    """Search field and tree. `add_requested` for a double-click or Enter, `drag_started` when a layer is dragged."""

    add_requested = Signal(str)
    drag_started = Signal(str, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = SearchField(self.tr("Find a layer"), key="/")
        self.search.setToolTip(self.tr("Search by name, by PyTorch's or Keras' name, or by what it does"))
        self.tree = _Tree()
        self._full: set[str] = set()
        self._opened = set(_OPEN_AT_FIRST)
        self._searching = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(metrics.control_padding, metrics.control_padding, 4, 0)
        layout.setSpacing(metrics.grid)
        holder = QVBoxLayout()
        holder.setContentsMargins(0, 0, metrics.grid, 0)
        holder.addWidget(self.search)
        layout.addLayout(holder)
        layout.addWidget(self.tree)
        self.search.searched.connect(self.fill)
        self.search.moved.connect(self.tree.move)
        self.search.returnPressed.connect(self._take_current)
        self.tree.itemActivated.connect(self._activate)
        self.tree.itemClicked.connect(self._click)
        self.tree.itemExpanded.connect(lambda item: self._fold(item, True))
        self.tree.itemCollapsed.connect(lambda item: self._fold(item, False))
        self.tree.drag_started.connect(self.drag_started)
        shortcut = QShortcut(QKeySequence("/"), self.window())
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(self._focus_search)
        self.fill("")

    def fill(self, words: str) -> None:
        """Shows the layers that answer to a search; all of them, folded, for no words."""
        self._searching = bool(words.strip())
        self.tree.clear()
        for family, layers in families().items():
            found = [layer for layer in layers if matches(layer, words)] if words.strip() else layers
            if found:
                self._add_family(family, found, opened=self._searching or family in self._opened)
        if self._searching:
            self.tree.move(1)

    def _add_family(self, family: str, layers: list[Declaration], *, opened: bool) -> None:
        head = QTreeWidgetItem([family_title(family)])
        head.setData(0, _FAMILY, family)
        head.setData(0, _COUNT, len(layers))
        self.tree.addTopLevelItem(head)
        shown = layers if self._searching or family in self._full or len(layers) <= _FEW + 1 else layers[:_FEW]
        for layer in shown:
            item = QTreeWidgetItem([layer.title])
            item.setData(0, _TYPE, layer.type)
            item.setData(0, _FAMILY, family)
            item.setToolTip(0, f"{layer.title}\n{layer.help}")
            head.addChild(item)
        if len(shown) < len(layers):
            more = QTreeWidgetItem([self.tr("{0} more").format(len(layers) - len(shown))])
            more.setData(0, _MORE, family)
            more.setToolTip(0, self.tr("Show every layer of this family"))
            head.addChild(more)
        head.setExpanded(opened)

    def _fold(self, item: QTreeWidgetItem, opened: bool) -> None:
        """Remembers what the person folds; a search opens everything only for as long as it lasts."""
        if not self._searching:
            change = self._opened.add if opened else self._opened.discard
            change(str(item.data(0, _FAMILY)))

    def _click(self, item: QTreeWidgetItem, _column: int = 0) -> None:
        if item.data(0, _MORE):
            self._full.add(str(item.data(0, _MORE)))
            self.fill(self.search.text())
        elif item.childCount():
            item.setExpanded(not item.isExpanded())

    def _activate(self, item: QTreeWidgetItem, _column: int = 0) -> None:
        if item.data(0, _TYPE):
            self.add_requested.emit(str(item.data(0, _TYPE)))

    def _take_current(self) -> None:
        item = self.tree.currentItem()
        if item is not None:
            self._activate(item)

    def _focus_search(self) -> None:
        # A slash typed into a text field belongs to it.
        if not isinstance(QApplication.focusWidget(), SearchField) and self.isVisible():
            self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.search.selectAll()


class _Tree(QTreeWidget):
    drag_started = Signal(str, QPoint)

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setExpandsOnDoubleClick(False)
        self.setItemDelegate(_Delegate(self))
        self.setMouseTracking(True)
        self.setUniformRowHeights(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QTreeWidget.Shape.NoFrame)
        self._pressed: QPoint | None = None

    def move(self, steps: int) -> None:
        """Moves to the next layer, past families and "more"."""
        item = self.currentItem()
        while steps:
            item = (self.itemBelow(item) if steps > 0 else self.itemAbove(item)) if item else self.topLevelItem(0)
            if item is None:
                return
            if item.data(0, _TYPE):
                steps -= 1 if steps > 0 else -1
                self.setCurrentItem(item)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Remembers where a drag would begin."""
        self._pressed = event.position().toPoint() if event.button() == Qt.MouseButton.LeftButton else None
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Begins to drag a layer once the pointer has moved far enough."""
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        if (event.position().toPoint() - self._pressed).manhattanLength() < QApplication.startDragDistance():
            return
        item = self.itemAt(self._pressed)
        self._pressed = None
        if item is not None and item.data(0, _TYPE):
            self.drag_started.emit(str(item.data(0, _TYPE)), event.globalPosition().toPoint())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right fold families; the rest as usual."""
        item = self.currentItem()
        if item is not None and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            (item.parent() or item).setExpanded(event.key() == Qt.Key.Key_Right)
        else:
            super().keyPressEvent(event)


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """One height for all rows."""
        return QSize(100, row_height(13, metrics.row, 4))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """A family with chevron, tile and count; a layer; or "more" as a link."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect: QRect = option.rect  # type: ignore[attr-defined]
        state = option.state  # type: ignore[attr-defined]
        from PySide6.QtWidgets import QStyle

        if state & QStyle.StateFlag.State_Selected or state & QStyle.StateFlag.State_MouseOver:
            chosen = state & QStyle.StateFlag.State_Selected and index.data(_TYPE)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("selected" if chosen else "hover"))
            if index.data(_TYPE) or not chosen:
                painter.drawRoundedRect(QRectF(rect).adjusted(0, 1, -8, -1), 5, 5)
        if index.data(_COUNT):
            self._paint_family(painter, rect, index, bool(state & QStyle.StateFlag.State_Open))
        else:
            painter.setFont(ui_font(12, 600 if index.data(_MORE) else 400))
            painter.setPen(color("accent" if index.data(_MORE) else "text2"))
            room = rect.adjusted(42, 0, -10, 0)
            words = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()

    def _paint_family(
        self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex, opened: bool
    ) -> None:
        middle, family = rect.center().y(), str(index.data(_FAMILY))
        chevron = "chevron-down" if opened else "chevron-right"
        paint_icon(painter, chevron, QRectF(rect.left(), middle - 5, 12, 12), color("text3"))
        tile = QRectF(rect.left() + 16, middle - 9, 19, 19)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(themes.current.tile_color(family, "panel"))
        painter.drawRoundedRect(tile, 4, 4)
        paint_icon(painter, f"family-{family}", tile.adjusted(2, 2, -2, -2), themes.current.family_color(family))
        painter.setFont(ui_font(12, 600))
        painter.setPen(color("text"))
        words = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, rect.width() - 76)
        painter.drawText(rect.adjusted(42, 0, -30, 0), Qt.AlignmentFlag.AlignVCenter, words)
        painter.setFont(ui_font(11))
        painter.setPen(color("text3"))
        painter.drawText(
            rect.adjusted(0, 0, -14, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            str(index.data(_COUNT)),
        )  # fmt: skip
