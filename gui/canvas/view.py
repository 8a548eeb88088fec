"""The canvas of the window: mouse, wheel and keys become gestures and commands.

Owns the gesture under way, hovering, and the overlays. What commands do stands in the classes below it:
`Surface` (pixmap, camera) < `Board` (in step with the document) < `Editing`, `Clipping`, `Moving` < `Commands`.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QCursor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from gui.canvas import curves, keys, presses
from gui.canvas.commands import Commands, opens
from gui.canvas.gestures.base import Gesture
from gui.canvas.gestures.move import MoveGesture
from gui.canvas.gestures.palette import PaletteGesture
from gui.canvas.gestures.pan import PanGesture
from gui.canvas.gestures.wiring import WireGesture
from gui.canvas.measures import ANCHOR, WIRE_HIT
from gui.canvas.menus import menu_for
from gui.canvas.moving import STEP
from gui.canvas.overlays.place import Overlays
from gui.canvas.paint.wire import paint_drawn
from gui.canvas.tips import tip_at
from gui.document import Document

START = 4
"""Pixels that the pointer must move before a press becomes a drag."""


class CanvasView(Commands):
    """The canvas. Commands are methods; the keyboard works on it when it has the focus."""

    example_chosen = Signal(str)
    """A built-in project was pressed on the empty canvas."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("focusRing", False)
        self.setAccessibleName(self.tr("Network"))
        self.setMinimumSize(320, 200)
        self.gesture: Gesture | None = None
        self._pressed: QPointF | None = None
        self._dragging = False
        self._space = False
        self._space_used = False
        self.overlays = Overlays(self)
        self.overlays.empty.example_chosen.connect(self.example_chosen)

    def begin_palette_drag(self, type_name: str, global_pos: QPoint) -> None:
        """A layer is dragged from the palette: it is ours from now on, until the button is released."""
        self.close_search()
        self.inline.accept()
        self._begin(PaletteGesture(self, type_name), QPointF(self.mapFromGlobal(global_pos)))
        self._dragging = True
        self.grabMouse(QCursor(PaletteGesture.cursor))

    def cancel_gesture(self) -> None:
        """Ends the drag under way as if it had never begun."""
        gesture, self.gesture = self.gesture, None
        self._pressed = None
        if gesture is None:
            return
        if isinstance(gesture, PaletteGesture):
            self.releaseMouse()
        if self._dragging:
            gesture.cancel()
        self._dragging = False
        self.unsetCursor()
        self.update()

    def paint_over(self, painter: QPainter) -> None:
        """The drag under way, and the wire that waits for the search."""
        if self.gesture is not None and self._dragging:
            self.gesture.paint(painter)
        end = self.search.request.end if self.search is not None else None
        if end is not None and self.search is not None:
            start, stop = end[0].place(end[1]), self.to_scene(self.search.anchor())
            path = curves.curve(start, stop) if end[1].out else curves.curve(stop, start)
            painter.translate(self.camera.x, self.camera.y)
            painter.scale(self.camera.zoom, self.camera.zoom)
            paint_drawn(painter, path, fits=True)
            painter.resetTransform()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begins what a drag from here would be."""
        self.inline.accept()
        self.close_search()
        self.glide.finish()
        if self.gesture is not None or event.button() == Qt.MouseButton.RightButton:
            return
        self._forget_focus()
        gesture = presses.gesture_for(self, event.position(), event.button(), event.modifiers(), space=self._space)
        if gesture is not None:
            self._begin(gesture, event.position())
            self._press_keys = event.modifiers()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Goes on with the drag, or hovers."""
        point = event.position()
        if self.gesture is None:
            self._hover(point)
            return
        if not self._dragging:
            away = point - (self._pressed or point)
            if away.manhattanLength() < START:
                return
            self._dragging = True
            self.card.hide()
            self.setCursor(self.gesture.cursor)
            self.gesture.start(self._pressed or point, self._press_keys)
        self.gesture.move(point, event.modifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ends the drag; a press without one only selected."""
        gesture, dragging, pressed = self.gesture, self._dragging, self._pressed
        if gesture is None:
            return
        self.gesture, self._dragging, self._pressed = None, False, None
        self.unsetCursor()
        if isinstance(gesture, PaletteGesture):
            self.releaseMouse()
            gesture.finish(event.position(), event.modifiers())
            self._drop(gesture)
        elif dragging:
            released = isinstance(gesture, WireGesture) and self._move_and_ask(gesture, event)
            gesture.finish(event.position(), event.modifiers())
            if released and isinstance(gesture, WireGesture):
                self.search_from(gesture.box, gesture.socket, self.to_scene(event.position()))
        elif pressed is not None:
            self._clicked(pressed, event, unselects=isinstance(gesture, MoveGesture) and gesture.unselects)
        if isinstance(gesture, PanGesture):
            self._space_used = True
        self.settle_card()
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Opens a group, renames a layer, or opens the search."""
        place = self.to_scene(event.position())
        if event.button() != Qt.MouseButton.LeftButton or presses.badge_at(self, place) is not None:
            return
        box = self.scene.box_at(place)
        wire = self.scene.wire_at(place, WIRE_HIT / self.camera.zoom) if box is None else None
        if box is not None:
            row = self.scene.row_at(box, place)
            if row >= 0 and box.rows[row].node.is_group:
                self.enter(box.key)
                self.enter(box.rows[row].key)
            elif opens(box):
                self.toggle_open(box)
            else:
                self.inline.rename(box)
        elif wire is not None:
            self.search_into(wire, place)
        else:
            self.search_at(place)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooms at the pointer; Shift moves sideways."""
        notches = event.angleDelta().y() / 120 or event.angleDelta().x() / 120
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.pan(notches * 60, 0)
        else:
            self.zoom_at(event.position(), STEP ** max(min(notches, 8.0), -8.0))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of the canvas."""
        key = event.key()
        if key == Qt.Key.Key_Space and not event.modifiers():
            if not event.isAutoRepeat():
                self._space, self._space_used = True, self.gesture is not None
        elif key == Qt.Key.Key_Escape:
            self._escape()
        elif key == Qt.Key.Key_Alt:
            self._show_labels(True)
        elif not keys.press(self, event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Space opens the search, unless it was held to pan."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self._space:
            self._space = False
            if not self._space_used and self.gesture is None:
                self.search_layer()
        elif event.key() == Qt.Key.Key_Alt:
            self._show_labels(False)
        else:
            super().keyReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        """Tab walks the layers; tips come from what is under the pointer."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab) and self.scene.boxes:
                self.walk(-1 if event.key() == Qt.Key.Key_Backtab else 1)
                return True
        elif event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = tip_at(self, self.to_scene(QPointF(event.pos()))) if self.gesture is None else ""
            if words:
                QToolTip.showText(event.globalPos(), words, self)
            else:
                QToolTip.hideText()
            return True
        elif event.type() == QEvent.Type.Leave:
            self._hover(QPointF(-1e9, -1e9))
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of what lies there."""
        self.cancel_gesture()
        place = QPointF(event.pos())
        key = self.document.selection.node
        if event.reason() == QContextMenuEvent.Reason.Keyboard and key is not None:
            place = self.to_view(self.scene.bounds([key]).center())
        menu = menu_for(self, self.to_scene(place))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.mapToGlobal(place.toPoint()))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keys that are held elsewhere now count as released."""
        self._space = False
        self._show_labels(False)
        super().focusOutEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Overlays keep to their edges."""
        super().resizeEvent(event)
        self.overlays.arrange()

    def _begin(self, gesture: Gesture, point: QPointF) -> None:
        self.gesture, self._pressed, self._dragging = gesture, point, False

    def _move_and_ask(self, gesture: WireGesture, event: QMouseEvent) -> bool:
        gesture.move(event.position(), event.modifiers())
        return gesture.on_empty()

    def _clicked(self, point: QPointF, event: QMouseEvent, *, unselects: bool) -> None:
        """A press without a drag: on one of several selected it leaves that one, on nothing it clears."""
        place = self.to_scene(point)
        box = self.scene.box_at(place)
        if unselects and box is not None:
            self.document.selection.toggle([presses.pressed_key(self, box, place)])
        if event.modifiers() or event.button() != Qt.MouseButton.LeftButton or self._space:
            return
        if box is not None:
            self.document.selection.select([presses.pressed_key(self, box, place)])
        elif self.scene.wire_at(place, WIRE_HIT / self.camera.zoom) is None and self.scene.frame_at(place) is None:
            self.document.selection.clear()

    def _drop(self, gesture: PaletteGesture) -> None:
        if gesture.place is None:
            return
        self.setFocus()
        if gesture.wire is None:
            self.add_layer(gesture.type_name, gesture.place)
            return
        middle = self.scene.to_level(gesture.wire.path, gesture.place)
        corner = QPointF(middle.x() - gesture.wide / 2, middle.y() - ANCHOR)
        self.add(gesture.wire.definition, gesture.type_name, corner, wire=gesture.wire)

    def _hover(self, point: QPointF) -> None:
        place = self.to_scene(point)
        shown, scene = self.shown, self.scene
        badge = presses.badge_at(self, place)
        box = badge or scene.box_at(place)
        wire = scene.wire_at(place, WIRE_HIT / self.camera.zoom) if box is None else None
        now = (box.item if box else None, badge is not None, wire.key if wire else None)
        before = (shown.hovered, shown.hovered_badge, shown.hovered_wire)
        if now == before:
            return
        shown.hovered, shown.hovered_badge, shown.hovered_wire = now
        self.invalidate(scene.boxes[item].bounds() for item in (before[0], now[0]) if item in scene.boxes)
        self.invalidate(scene.wires[key].bounds for key in (before[2], now[2]) if key in scene.wires)

    def _escape(self) -> None:
        if self.gesture is not None:
            self.cancel_gesture()
        elif self.card.isVisible():
            self.card.hide()
            self._dismiss()
        else:
            self.document.selection.clear()

    def _show_labels(self, shown: bool) -> None:
        if shown != self.shown.all_labels:
            self.shown.all_labels = shown
            self.invalidate_all()

    def _forget_focus(self) -> None:
        focus, self.shown.focus = self.shown.focus, None
        if focus is not None:
            self.invalidate(box.bounds() for box in self.scene.of(focus))
