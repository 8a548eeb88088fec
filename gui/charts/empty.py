"""What the charts panel shows before the first run: what is missing, what to do, and the buttons that do it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.icons import icon, paint_icon
from gui.theme import color

ICON = 24


class _Picture(QWidget):
    """The icon of the charts, in the quiet colour of the theme."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(ICON, ICON)

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        paint_icon(painter, "charts", QRectF(0, 0, ICON, ICON), color("text3"))


class EmptyCharts(QWidget):
    """Asks to train or to open a finished run."""

    train_requested = Signal()
    open_run_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._title, self._hint = QLabel(), QLabel()
        self._train, self._open = QPushButton(), QPushButton()
        self._train.setIcon(icon("play", "on_accent"))
        self._train.setDefault(True)
        self._train.setProperty("kind", "primary")
        self._open.setIcon(icon("runs"))
        for button in (self._train, self._open):
            button.setIconSize(QSize(14, 14))
        self._train.clicked.connect(self.train_requested)
        self._open.clicked.connect(self.open_run_requested)
        buttons = QHBoxLayout()
        buttons.setSpacing(12)
        buttons.addWidget(self._train)
        buttons.addWidget(self._open)
        buttons.addStretch()
        words = QVBoxLayout()
        words.setSpacing(6)
        words.addWidget(self._title)
        words.addWidget(self._hint)
        words.addSpacing(8)
        words.addLayout(buttons)
        inner = QHBoxLayout()
        inner.setSpacing(20)
        inner.addWidget(_Picture(), alignment=Qt.AlignmentFlag.AlignTop)
        inner.addLayout(words)
        middle = QHBoxLayout()
        middle.addStretch()
        middle.addLayout(inner)
        middle.addStretch()
        outer = QVBoxLayout(self)
        outer.addStretch()
        outer.addLayout(middle)
        outer.addStretch()
        self._title.setProperty("role", "title")
        self._hint.setProperty("role", "label")
        self.retranslate()

    def retranslate(self) -> None:
        """Write the words in the language of now."""
        self._title.setText(self.tr("No runs yet"))
        self._hint.setText(self.tr("Train this network and its loss, rate and gradients appear here."))
        self._train.setText(self.tr("Train"))
        self._train.setToolTip(self.tr("Train this network (Ctrl+Enter)"))
        self._open.setText(self.tr("Open a finished run"))
        self._open.setToolTip(self.tr("Choose a finished run and replay its charts"))

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def paintEvent(self, event: object) -> None:
        """Fill with the panel's colour."""
        QPainter(self).fillRect(self.rect(), color("panel"))
