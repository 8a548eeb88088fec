"""What a press of the mouse begins, by where it is and which keys are held.

Owns the decision only; each drag is a gesture of its own.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt

from gui.canvas import measures as m
from gui.canvas.boxes import Box, NodeKey, Socket
from gui.canvas.commands import Commands
from gui.canvas.gestures.base import Gesture
from gui.canvas.gestures.cut import CutGesture
from gui.canvas.gestures.marquee import ADDING, MarqueeGesture
from gui.canvas.gestures.move import MoveGesture
from gui.canvas.gestures.pan import PanGesture
from gui.canvas.gestures.wiring import WireGesture
from gui.canvas.measures import Detail
from gui.canvas.wires import Wire

_ALT, _SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier


def gesture_for(
    board: Commands, point: QPointF, button: Qt.MouseButton, keys: Qt.KeyboardModifier, *, space: bool
) -> Gesture | None:
    """The gesture that a drag from here would be; selects what was pressed. None when the press itself did it all."""
    if button == Qt.MouseButton.MiddleButton or space:
        return PanGesture(board)
    if keys & _ALT:
        return CutGesture(board) if keys & _SHIFT else PanGesture(board)
    place = board.to_scene(point)
    box = board.scene.box_at(place)
    badge = badge_at(board, place)
    if badge is not None:
        board.inline.repeat(badge)
        return None
    if board.camera.detail is not Detail.DOT:
        found = board.scene.socket_at(place, m.PORT_HIT / board.camera.zoom)
        # Small boxes are nearly all port: their middle must still be the box.
        if found is not None and not _well_inside(board, box, place):
            return _wire_from(board, *found)
    if box is not None:
        return _press_box(board, box, place, keys)
    wire = board.scene.wire_at(place, m.WIRE_HIT / board.camera.zoom)
    if wire is not None:
        return _press_wire(board, wire, place)
    frame = board.scene.frame_at(place)
    if frame is not None and not keys & ADDING:
        board.document.selection.select([frame.key])
    return MarqueeGesture(board, frame.inside if frame is not None else ())


def badge_at(board: Commands, place: QPointF) -> Box | None:
    """The group whose repeat badge is under a point; a group that is not repeated has one while hovered."""
    if board.camera.detail is Detail.DOT:
        return None
    for box in reversed(board.scene.boxes.values()):
        shown = box.is_group and (box.node.repeat > 1 or board.shown.hovered == box.item)
        if shown and box.badge_rect().contains(place):
            return box
    return None


def pressed_key(board: Commands, box: Box, place: QPointF) -> NodeKey:
    """The node that a press on a box means: a row of a stack, or the box itself."""
    row = board.scene.row_at(box, place)
    return box.rows[row].key if row >= 0 else box.key


def _press_box(board: Commands, box: Box, place: QPointF, keys: Qt.KeyboardModifier) -> Gesture | None:
    selection = board.document.selection
    key = pressed_key(board, box, place)
    held = key in selection.nodes
    if not held:
        selection.select(selection.nodes | {key} if keys & ADDING else [key])
    # One that is selected already may be about to be dragged: only a plain click takes it out.
    return MoveGesture(board, box, unselects=held and bool(keys & ADDING))


def _press_wire(board: Commands, wire: Wire, place: QPointF) -> Gesture:
    board.document.selection.select((), [(wire.definition, wire.edge)])
    to_start, to_end = place - wire.start, place - wire.end
    at_end = to_end.x() ** 2 + to_end.y() ** 2 <= to_start.x() ** 2 + to_start.y() ** 2
    if at_end:
        return WireGesture(board, wire.source, wire.output, taken=wire)
    return WireGesture(board, wire.target, wire.input, taken=wire)


def _wire_from(board: Commands, box: Box, socket: Socket) -> Gesture:
    if not socket.out and socket.wired:
        for wire in board.scene.wires_at(box):
            if wire.target is box and wire.input is socket:
                return WireGesture(board, wire.source, wire.output, taken=wire)
    return WireGesture(board, box, socket)


def _well_inside(board: Commands, box: Box | None, place: QPointF) -> bool:
    if box is None:
        return False
    reach = min(m.PORT_RADIUS + 2, box.rect.width() / 4)
    return box.rect.adjusted(reach, 0, -reach, 0).contains(place)
