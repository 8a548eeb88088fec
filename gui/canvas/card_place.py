"""Where the problem card stands: below its node, else above, right, left; never over the wires it speaks of.

Owns the choice only.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF

MARGIN, AWAY = 12.0, 14.0


def place(
    node: QRectF, card: QSizeF, canvas: QRectF, keep_clear: Sequence[QRectF], neighbours: Sequence[QRectF] = ()
) -> tuple[QPointF, bool]:
    """The card's corner, and whether an arrow from it can point to the node; all in view pixels.

    `neighbours` are boxes that it should leave free too, where there is a place for that.
    """
    inner = canvas.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
    across = _within(node.center().x() - card.width() / 2, inner.left(), inner.right() - card.width())
    down = _within(node.center().y() - card.height() / 2, inner.top(), inner.bottom() - card.height())
    below = max([node.bottom(), *(one.bottom() for one in keep_clear if _overlaps(one, across, card.width()))])
    above = min([node.top(), *(one.top() for one in keep_clear if _overlaps(one, across, card.width()))])
    # Beginning or ending at the node, it may leave free what a card in the middle would cover.
    sides = [across, *(_within(x, inner.left(), inner.right() - card.width()) for x in _sides(node, card))]
    wanted = (
        *((QPointF(x, node.bottom() + AWAY), True) for x in sides),
        *((QPointF(x, node.top() - AWAY - card.height()), True) for x in sides),
        (QPointF(across, below + AWAY), False),
        (QPointF(across, _foot(neighbours, below) + AWAY), False),
        (QPointF(across, above - AWAY - card.height()), False),
        (QPointF(node.right() + AWAY, down), False),
        (QPointF(node.left() - AWAY - card.width(), down), False),
    )
    for avoided in ((*keep_clear, node, *neighbours), (*keep_clear, node)):
        for corner, pointing in wanted:
            area = QRectF(corner, card)
            if inner.contains(area) and not any(area.intersects(one) for one in avoided):
                return corner, pointing
    best = max(wanted, key=lambda one: _room(QRectF(one[0], card) & inner, keep_clear))[0]
    x = _within(best.x(), inner.left(), inner.right() - card.width())
    return QPointF(x, _within(best.y(), inner.top(), inner.bottom() - card.height())), False


def _foot(neighbours: Sequence[QRectF], least: float) -> float:
    return max([least, *(one.bottom() for one in neighbours)])


def _sides(node: QRectF, card: QSizeF) -> tuple[float, float]:
    return node.left() - 20, node.right() + 20 - card.width()


def _overlaps(one: QRectF, left: float, wide: float) -> bool:
    return one.right() > left and one.left() < left + wide


def _room(area: QRectF, keep_clear: Sequence[QRectF]) -> float:
    covered = sum((area & one).width() * (area & one).height() for one in keep_clear)
    return area.width() * area.height() - 4 * covered


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), max(low, high))
