"""Switches, sections, toasts, progress, the focus ring, the clock and remembered choices."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QByteArray, QPointF, QRectF, Qt
from PySide6.QtWidgets import QGraphicsOpacityEffect, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gui import settings
from gui.clock import Clock
from gui.theme import metrics
from gui.widgets.focus import FocusRing
from gui.widgets.labels import ElidedLabel
from gui.widgets.progress import ProgressLine, ProgressRow
from gui.widgets.section import CollapsibleSection
from gui.widgets.segmented import SegmentedSwitch
from gui.widgets.sparkline import sparkline_path
from gui.widgets.status_button import StatusButton
from gui.widgets.toast import ToastHost

from .conftest import Show


def test_a_segment_is_chosen_by_mouse_and_by_arrow_keys(shown: Show, qtbot: QtBot) -> None:
    switch = SegmentedSwitch(["Build", "Train", "Compare"])
    shown(switch)
    heard: list[int] = []
    switch.currentChanged.connect(heard.append)
    qtbot.mouseClick(switch.segment(1), Qt.MouseButton.LeftButton)
    switch.segment(1).setFocus()
    qtbot.keyClick(switch.segment(1), Qt.Key.Key_Right)
    qtbot.mouseClick(switch.segment(2), Qt.MouseButton.LeftButton)
    assert (heard, switch.current) == ([1, 2], 2)


def test_choosing_a_segment_never_moves_its_neighbours(shown: Show) -> None:
    switch = SegmentedSwitch(["sd", "standard error", "95 %"])
    shown(switch)
    before = [switch.segment(index).sizeHint() for index in range(3)]
    switch.set_current(1)
    assert [switch.segment(index).sizeHint() for index in range(3)] == before


def test_the_ring_follows_keys_and_gives_way_to_the_mouse(shown: Show, qtbot: QtBot) -> None:
    first, second, third = (QPushButton(name) for name in ("a", "b", "c"))
    window = shown(first, second, third)
    ring = FocusRing(window)
    first.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not ring.isVisible()
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    assert ring.target is second
    assert ring.geometry() == second.geometry().adjusted(-3, -3, 3, 3)
    qtbot.mouseClick(third, Qt.MouseButton.LeftButton)
    assert ring.target is None
    assert not ring.isVisible()


def test_the_ring_moves_with_its_widget(shown: Show, qtbot: QtBot) -> None:
    first, second = QPushButton("a"), QPushButton("b")
    window = shown(first, second)
    ring = FocusRing(window)
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    second.move(second.x() + 5, second.y() + 7)
    assert ring.geometry() == second.geometry().adjusted(-3, -3, 3, 3)


def test_a_section_folds_with_the_keyboard(shown: Show, qtbot: QtBot) -> None:
    section = CollapsibleSection("Settings", "from project")
    section.content.addWidget(QPushButton("inside"))
    shown(section)
    heard: list[bool] = []
    section.toggled.connect(heard.append)
    section.header.setFocus()
    qtbot.keyClick(section.header, Qt.Key.Key_Left)
    assert (section.opened, section.body.isVisible()) == (False, False)
    qtbot.keyClick(section.header, Qt.Key.Key_Return)
    assert (heard, section.body.isVisible()) == ([False, True], True)


def test_only_one_toast_at_a_time_and_its_action_closes_it(shown: Show, qtbot: QtBot) -> None:
    area = QWidget()
    area.setMinimumSize(600, 300)
    shown(area)
    host = ToastHost(area, lift=96)
    done: list[str] = []
    host.show("First")
    first = host.toast
    host.show("Second", "with more", action=("Undo", lambda: done.append("undone")))
    assert host.toast is not None
    assert host.toast is not first
    assert host.toast.geometry().bottom() <= area.height() + 8
    assert host.toast.action is not None
    qtbot.mouseClick(host.toast.action, Qt.MouseButton.LeftButton)
    assert (done, host.toast) == (["undone"], None)


@pytest.mark.parametrize("motion", ["full", "reduced"])
def test_a_toast_comes_into_sight_and_with_reduced_motion_is_just_there(shown: Show, qtbot: QtBot, motion: str) -> None:
    settings.motion.set(motion)
    area = QWidget()
    area.setMinimumSize(600, 300)
    shown(area)
    host = ToastHost(area)
    host.show("First")
    toast = host.toast
    assert toast is not None
    effect = toast.graphicsEffect()
    if motion == "reduced":
        assert effect is None
        return
    assert isinstance(effect, QGraphicsOpacityEffect)
    assert effect.opacity() < 0.5
    qtbot.waitUntil(lambda: toast.graphicsEffect() is None, timeout=3000)
    host.show("Second")
    host.show("Third")  # one that goes while it comes
    qtbot.wait(metrics.popup_ms * 2)
    assert host.toast is not None
    assert host.toast.graphicsEffect() is None


def test_short_work_shows_no_progress(shown: Show, qtbot: QtBot) -> None:
    line = ProgressLine()
    shown(line)
    line.begin(0.1)
    line.finish()
    qtbot.wait(metrics.quiet_ms + 100)
    assert not line.isVisible()
    line.begin(0.1)
    qtbot.waitUntil(line.isVisible, timeout=2000)
    line.finish()
    assert not line.isVisible()


def test_cancel_is_asked_for_once(shown: Show, qtbot: QtBot) -> None:
    row = ProgressRow("Getting Fashion-MNIST")
    shown(row)
    heard: list[str] = []
    row.cancelled.connect(lambda: heard.append("stop"))
    for _ in range(2):
        qtbot.mouseClick(row.cancel, Qt.MouseButton.LeftButton)
    assert heard == ["stop"]


def test_an_elided_label_shows_everything_in_its_tip(shown: Show) -> None:
    label = ElidedLabel("a very long name of a layer that does not fit")
    shown(label)
    label.setFixedWidth(60)
    label.grab()
    assert label.toolTip() == label.text()
    label.setFixedWidth(600)
    label.grab()
    assert label.toolTip() == ""


def test_a_status_button_takes_the_room_its_badge_needs(shown: Show) -> None:
    button = StatusButton("runs", "Runs")
    shown(button)
    bare = button.sizeHint().width()
    button.set_count(12)
    assert button.sizeHint().width() > bare
    button.set_count(0)
    assert button.sizeHint().width() == bare


def test_a_sparkline_is_logarithmic_and_ends_where_it_stops_being_finite() -> None:
    area = QRectF(0, 0, 100, 14)
    path, end, broken = sparkline_path(area, [1e-3, 1e-2, 1e-1])
    assert (end, broken) == (QPointF(100, 0), False)
    assert path.elementAt(1).y == 7
    _, end, _ = sparkline_path(area, [0.5, 0.5])
    assert end is not None
    assert round(end.y(), 6) == 7
    _, end, broken = sparkline_path(area, [1.0, 10.0, math.nan])
    assert (end, broken) == (QPointF(50, 0), True)
    assert sparkline_path(area, [])[1] is None


def test_the_clock_ticks_only_for_what_can_be_seen(shown: Show, qtbot: QtBot) -> None:
    clock, widget = Clock(), QWidget()
    window = shown(widget)
    ticks: list[int] = []
    clock.subscribe(widget, lambda: ticks.append(1))
    qtbot.waitUntil(lambda: len(ticks) >= 2, timeout=3000)
    window.hide()
    qtbot.waitUntil(lambda: not clock.running, timeout=3000)
    seen = len(ticks)
    qtbot.wait(250)
    assert len(ticks) == seen
    window.show()
    qtbot.waitUntil(lambda: len(ticks) > seen, timeout=3000)
    clock.unsubscribe(widget)
    assert not clock.running


def test_choices_are_remembered_with_their_type(own_settings: object) -> None:
    assert settings.autosave.get() is True
    settings.autosave.set(False)
    settings.add_recent("a.lwr")
    settings.add_recent("b.lwr")
    settings.add_recent("a.lwr")
    settings.set_arrangement("p/1", "train", QByteArray(b"state"))
    assert settings.autosave.get() is False
    assert settings.recent_files.get() == ["a.lwr", "b.lwr"]
    assert settings.arrangement("p/1", "train") == QByteArray(b"state")
    assert settings.arrangement("p/1", "build") is None


def test_a_damaged_choice_counts_as_never_made(own_settings: object) -> None:
    settings.store().setValue(settings.autosave.key, '"yes"')
    assert settings.autosave.get() is True
    settings.store().setValue(settings.autosave.key, "{")
    assert settings.autosave.get() is True
