"""Icons: our own SVG drawings, coloured by the theme when they are drawn and sharp at every scale.

Owns reading `resources/icons` and the cache of finished pixmaps. Never decides which icon an action gets. A drawing
uses `currentColor` only, so one file serves both themes; QIcon objects ask for their colour at each paint and therefore
follow a change of theme without being made again.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

from gui.theme import themes

CACHE_KIB = 32 * 1024


def icon(name: str, color_token: str = "text2", *, on_token: str | None = None) -> QIcon:
    """An icon that follows the theme: `color_token` normally, `on_token` when checked, `text3` when disabled.

    Raises KeyError for a name without a drawing: that is a misspelling in our own code.
    """
    source(name)
    return _icon(name, color_token, on_token or color_token)


def family_icon(family: str) -> QIcon:
    """The glyph of a layer family in its colour; unknown families (from plug-ins) look like merge."""
    known = family if family in themes.current.family else "merge"
    return icon(f"family-{known}", f"family.{known}")


def pixmap(name: str, size: float, color: QColor, dpr: float = 1.0) -> QPixmap:
    """The drawing `size` pixels wide and high at 100 %, rendered for the device pixel ratio `dpr`, from the cache."""
    side = max(1, round(size * dpr))
    key = f"lw-icon/{name}/{side}/{color.name(QColor.NameFormat.HexArgb)}"
    made = QPixmap()
    if not QPixmapCache.find(key, made):
        made = _render(name, side, color)
        QPixmapCache.insert(key, made)
    made.setDevicePixelRatio(dpr)
    return made


def paint_icon(painter: QPainter, name: str, rect: QRectF | QRect, color: QColor) -> None:
    """Draw an icon into `rect`, in the coordinates of the painter, sharp at whatever scale the painter has now."""
    area = QRectF(rect)
    transform = painter.deviceTransform()
    scale = (transform.m11() ** 2 + transform.m12() ** 2) ** 0.5
    drawn = pixmap(name, min(area.width(), area.height()) * scale, color)
    smooth = painter.testRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
    side = min(area.width(), area.height())
    corner = area.center() - QPointF(side / 2, side / 2)
    painter.drawPixmap(QRectF(corner.x(), corner.y(), side, side), drawn, QRectF(drawn.rect()))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)


def icon_names() -> tuple[str, ...]:
    """The names of all drawings, sorted."""
    names = (entry.name for entry in files("resources").joinpath("icons").iterdir())
    return tuple(sorted(name.removesuffix(".svg") for name in names if name.endswith(".svg")))


@cache
def source(name: str) -> str:
    """The SVG text of one drawing; raises KeyError when there is none of that name."""
    drawing = files("resources").joinpath("icons", f"{name}.svg")
    if not drawing.is_file():
        raise KeyError(f"no icon named {name!r}")
    return drawing.read_text(encoding="utf-8")


def colored_source(name: str, color: QColor) -> str:
    """The SVG text of one drawing with `color` in place of the current colour."""
    return source(name).replace("currentColor", color.name())


def _render(name: str, side: int, color: QColor) -> QPixmap:
    QPixmapCache.setCacheLimit(max(QPixmapCache.cacheLimit(), CACHE_KIB))
    renderer = QSvgRenderer(QByteArray(colored_source(name, color).encode()))
    made = QPixmap(side, side)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(color.alphaF())
    renderer.render(painter, QRectF(0, 0, side, side))
    painter.end()
    return made


class _Engine(QIconEngine):
    """Draws one named icon in the colour that its token has at the moment of painting."""

    def __init__(self, name: str, token: str, on_token: str) -> None:
        super().__init__()
        self._name, self._token, self._on_token = name, token, on_token

    def _color(self, mode: QIcon.Mode, state: QIcon.State) -> QColor:
        if mode == QIcon.Mode.Disabled:
            return themes.current.color("text3", 0.6)
        return themes.current.color(self._on_token if state == QIcon.State.On else self._token)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        paint_icon(painter, self._name, QRectF(rect), self._color(mode, state))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        side = min(size.width(), size.height())
        drawn = pixmap(self._name, side, self._color(mode, state), scale)
        if size.width() == size.height():
            return drawn
        whole = QPixmap(size * scale)
        whole.setDevicePixelRatio(scale)
        whole.fill(Qt.GlobalColor.transparent)
        painter = QPainter(whole)
        painter.drawPixmap(QPoint((size.width() - side) // 2, (size.height() - side) // 2), drawn)
        painter.end()
        return whole

    def clone(self) -> QIconEngine:
        copy = _Engine(self._name, self._token, self._on_token)
        _kept.append(copy)
        return copy


_kept: list[QIconEngine] = []
"""Engines that Qt holds: Python must not collect them while an icon still draws with them."""


@cache
def _icon(name: str, token: str, on_token: str) -> QIcon:
    engine = _Engine(name, token, on_token)
    _kept.append(engine)
    return QIcon(engine)
