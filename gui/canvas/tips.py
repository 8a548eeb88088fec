"""What the canvas says when the pointer rests: ports, shapes, problems, copies of a repeated layer.

Owns the words only.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPointF

from gui.canvas import measures as m
from gui.canvas.board import Board
from gui.canvas.boxes import Box, NodeKey, Socket
from gui.numbers import count, scientific

MOST_COPIES = 12


def tip_at(board: Board, place: QPointF) -> str:
    """The words for a point of the scene; empty when there is nothing to say."""
    scene = board.scene
    found = scene.socket_at(place, m.PORT_HIT / board.camera.zoom)
    if found is not None:
        return _port(board, *found)
    box = scene.box_at(place, margin=8)
    if box is not None:
        row = scene.row_at(box, place)
        if row >= 0:
            return _layer(board, box.rows[row].key, box.rows[row].words.name, box.rows[row].layers)
        if box.is_group and box.badge_rect().contains(place):
            return _tr("Repeated {0} times, one copy after the other. Click to change.").format(box.node.repeat)
        problems = board.shown.findings.problems(box.key)
        if problems:
            return "\n".join(problem.happened for problem in problems[:3])
        return _layer(board, box.key, box.words.name, box.layers)
    wire = scene.wire_at(place, m.WIRE_HIT / board.camera.zoom)
    if wire is None:
        return ""
    if wire.info is None:
        return _tr("Its shape is not known yet")
    return f"N×{wire.info}, {wire.info.dtype}"


def _port(board: Board, box: Box, socket: Socket) -> str:
    facts = board.shown.findings.facts(box.key)
    if socket.out:
        info = facts.outputs.get(socket.port) if facts else None
    else:
        entries = facts.inputs.get(socket.port, ()) if facts else ()
        info = entries[min(socket.slot, len(entries) - 1)] if entries else None
    name = f"{socket.port} {socket.slot + 1}" if socket.variadic else socket.port
    return f"{name}: {info}" if info is not None else name


def _layer(board: Board, key: NodeKey, name: str, layers: tuple[str, ...]) -> str:
    lines = [name]
    facts = board.shown.findings.facts(key)
    if facts is not None and facts.parameters:
        lines.append(_tr("{0} parameters").format(count(facts.parameters)))
    evidence = board.shown.evidence
    if evidence.on:
        for path in layers[:MOST_COPIES]:
            reading = evidence.reading((path,))
            if reading is not None:
                lines.append(f"{path}  {scientific(reading.value)}")
        if len(layers) > MOST_COPIES:
            lines.append(_tr("and {0} more").format(len(layers) - MOST_COPIES))
    return "\n".join(lines) if len(lines) > 1 else ""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Canvas", text)
