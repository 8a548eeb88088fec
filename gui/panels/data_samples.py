"""Middle and right of the data panel: the balance of the classes, and samples with the switches that choose them.

Owns which kind of view shows which kind of data. Reads nothing: another choice is a signal.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from gui.panels.data_balance import BalanceChart, SpreadChart, balance_words, split_words, spread_words
from gui.panels.data_gallery import Gallery
from gui.panels.data_look import Balance, Histogram, Look, Pictures, Points, Rows
from gui.panels.data_rows import RowsView
from gui.panels.data_scatter import Scatter
from gui.theme import metrics
from gui.widgets.buttons import tool_button
from gui.widgets.labels import ElidedLabel
from gui.widgets.segmented import SegmentedSwitch

LOW = 190
BOTH_FROM = 560
"""From this width on, points and their rows stand side by side."""


class BalancePart(QWidget):
    """Title, a sentence and the bars."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel("", role="section")
        self.words = ElidedLabel("", role="hint")
        self.bars = BalanceChart()
        self.spread = SpreadChart()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        scroll.setWidget(self.bars)
        self._stack = QStackedWidget()
        self._stack.addWidget(scroll)
        self._stack.addWidget(self.spread)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.title)
        column.addWidget(self.words)
        column.addWidget(self._stack, 1)

    def show_balance(self, balance: Balance | Histogram | None) -> None:
        """Shows counts or values; nothing where there are no answers."""
        self._stack.setVisible(balance is not None)
        if isinstance(balance, Balance):
            self.title.setText(self.tr("Class balance"))
            self.words.setText(balance_words(balance))
            self.title.setToolTip(balance_words(balance))
            self.bars.show_balance(balance)
            self._stack.setCurrentIndex(0)
        elif isinstance(balance, Histogram):
            self.title.setText(self.tr("Spread of the answer"))
            self.words.setText(spread_words(balance))
            self.spread.show_spread(balance)
            self._stack.setCurrentIndex(1)
        else:
            self.title.setText(self.tr("No answers"))
            self.words.setText(self.tr("The data says nothing to predict"))

    def resizeEvent(self, event: object) -> None:
        """In a low dock the bars need the line of words, which their tip says too."""
        self.words.setVisible(self.height() >= LOW)

    def set_stale(self, stale: bool) -> None:
        """Pales what is shown while something newer is on its way."""
        self.bars.set_stale(stale)
        self.spread.set_stale(stale)


class SamplesPart(QWidget):
    """Samples of one split, as they are or augmented."""

    split_wanted = Signal(str)
    augmented_wanted = Signal(bool)
    others_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._splits: tuple[str, ...] = ()
        self._total = ""
        self._kind: type = Pictures
        self._updating = False
        self.title = ElidedLabel(self.tr("Samples"), role="section")
        self.hint = ElidedLabel("", role="hint")
        self.augment = SegmentedSwitch([self.tr("Original"), self.tr("Augmented")], dense=True)
        self.augment.segment(0).setToolTip(self.tr("Samples as they are in the data"))
        self.augment.segment(1).setToolTip(self.tr("Training images, each followed by what augmentation makes of it"))
        self.augment.currentChanged.connect(self._augment_switched)
        self.others = tool_button("refresh", self.tr("Other samples"), dense=True)
        self.others.clicked.connect(self.others_wanted)
        self.split = SegmentedSwitch([split_words("train")], dense=True)
        self._head = QHBoxLayout()
        self._head.setSpacing(metrics.grid)
        self._head.addWidget(self.title)
        self._head.addWidget(self.hint, 1)
        self._head.addStretch()
        self._head.addWidget(self.split)
        self._head.addWidget(self.augment)
        self._head.addWidget(self.others)
        self.augment.hide()
        self.gallery, self.rows, self.scatter = Gallery(), RowsView(), Scatter()
        self._body = body = QHBoxLayout()
        body.setSpacing(metrics.panel_padding)
        self.gallery.arranged.connect(lambda _num: self._say_amount())
        for view, share in ((self.gallery, 1), (self.scatter, 0), (self.rows, 1)):
            body.addWidget(view, share)
            view.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(self._head)
        column.addLayout(body, 1)

    def show_look(self, look: Look, changed: Pictures | None, *, can_augment: bool) -> None:
        """Shows samples; `changed` are images with their augmented forms in place of those of the split."""
        self._show_splits(look.readout.splits, look.split)
        self.augment.setVisible(can_augment)
        self.split.setEnabled(changed is None)
        self.split.setToolTip("" if changed is None else self.tr("Only training samples are augmented"))
        samples = changed or look.samples
        self._kind = type(samples)
        if isinstance(samples, Pictures):
            self.gallery.show_pictures(samples)
        elif isinstance(samples, Points):
            self.scatter.show_points(samples)
        if (rows := samples if isinstance(samples, Rows) else look.rows) is not None:
            self.rows.show_rows(rows)
        self._place()
        self._total = f"{look.readout.num_samples(look.split):,}"
        self._say_amount()

    def set_stale(self, stale: bool) -> None:
        """Pales what is shown while something newer is on its way."""
        for view in (self.gallery, self.scatter, self.rows):
            view.set_stale(stale)

    def resizeEvent(self, event: object) -> None:
        """A narrow part shows the more telling view only, and drops the words of its head."""
        self._place()
        self.hint.setVisible(self.width() >= 420)

    def _place(self) -> None:
        self.gallery.setVisible(self._kind is Pictures)
        self.scatter.setVisible(self._kind is Points)
        both = self._kind is Points and self.width() >= BOTH_FROM
        self.rows.setVisible(self._kind is Rows or both)
        self._body.setStretch(1, 0 if both else 1)
        wide = min(self.width() // 2, max(240, self.height() + 110))
        self.scatter.setMinimumWidth(wide if both else 120)
        self.scatter.setMaximumWidth(wide if both else 16_777_215)

    def _say_amount(self) -> None:
        if self._kind is Rows:
            self.hint.setText(self.tr("some of {0}, columns as the network gets them").format(self._total))
        elif self._kind is Points:
            self.hint.setText(self.tr("of {0}").format(self._total))
        else:
            self.hint.setText(self.tr("{0} of {1}").format(self.gallery.num_visible, self._total))

    def _show_splits(self, splits: tuple[str, ...], current: str) -> None:
        self._updating = True
        if splits != self._splits:
            self._splits = splits
            made = SegmentedSwitch([split_words(name).capitalize() for name in splits], dense=True)
            for place, name in enumerate(splits):
                made.segment(place).setToolTip(self.tr("Samples of the {0} split").format(split_words(name)))
            made.currentChanged.connect(self._split_switched)
            self._head.replaceWidget(self.split, made)
            self.split.hide()
            self.split.deleteLater()
            self.split = made
            made.show()
        self.split.set_current(splits.index(current))
        self._updating = False

    def _split_switched(self, place: int) -> None:
        if not self._updating:
            self.split_wanted.emit(self._splits[place])

    def _augment_switched(self, place: int) -> None:
        if not self._updating:
            self.augmented_wanted.emit(place == 1)
