"""The part of the style sheet for lists, tables, tabs and scroll bars. Owns selectors; `gui.sheet` fills in colours."""

from __future__ import annotations

from string import Template

VIEWS = Template("""
QTabWidget::pane { border: none; }
QTabBar { background: $window; border: none; }
QTabBar::tab { background: transparent; color: $text2; padding: 0 10px; border: none; border-top: 2px solid transparent;
    min-height: ${tab_inner}px; font-weight: 500; }
QTabBar::tab:hover { color: $text; background: $hover; }
QTabBar::tab:selected { background: $panel; color: $text; border-top-color: $accent; font-weight: 600; }
QTabBar::tab:disabled { color: $text3; }
QTabBar::close-button { image: url($close); width: 14px; height: 14px; }
QTabBar::close-button:hover { image: url($close_on); }
QTabBar::scroller { width: 22px; }
QTabBar QToolButton { background: $window; border: none; min-width: 18px; }
QTabBar QToolButton::left-arrow { image: url($left); width: 12px; height: 12px; }
QTabBar QToolButton::right-arrow { image: url($right); width: 12px; height: 12px; }
QAbstractScrollArea { background: $panel; border: none; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QAbstractItemView { background: $panel; border: none; outline: none; alternate-background-color: $panel;
    show-decoration-selected: 1; }
QTreeView::item, QListView::item, QTableView::item { min-height: ${row}px; height: ${row}px; padding: 0 4px; }
QTreeView::item:hover, QListView::item:hover, QTableView::item:hover { background: $hover; }
QTreeView::item:selected, QListView::item:selected, QTableView::item:selected { background: $selected; color: $text; }
QTreeView::item:disabled, QListView::item:disabled { color: $text3; }
QTreeView::branch { background: transparent; }
QTreeView::branch:hover { background: $hover; }
QTreeView::branch:selected { background: $selected; }
QTreeView::branch:has-children:closed { image: url($right); padding: 4px; }
QTreeView::branch:has-children:open { image: url($down); padding: 4px; }
QTableView { gridline-color: $border; }
QTableCornerButton::section { background: $window; border: none; }
QHeaderView { background: $panel; border: none; }
QHeaderView::section { background: $panel; color: $text2; border: none; border-bottom: 1px solid $border2;
    padding: 0 8px; min-height: ${row}px; font-weight: 600; font-size: 11px; text-align: left; }
QHeaderView::section:hover { color: $text; }
QHeaderView::up-arrow { image: url($up); width: 10px; height: 10px; }
QHeaderView::down-arrow { image: url($down); width: 10px; height: 10px; }
QScrollBar { background: transparent; border: none; margin: 0; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: $border2; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover, QScrollBar::handle:pressed { background: $control; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; border: none; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QCalendarWidget QWidget { background: $raised; }
""")
