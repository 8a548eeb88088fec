"""The text of the style sheet, made from the theme: every standard control in all its states.

Owns selectors and sizes. Never applies the sheet (`gui.style` does) and holds no colour of its own: colours are tokens.
Controls say what they are by properties: `kind` of a button, `role` of a label, `invalid` and `dense` of a field.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

from gui.fonts import mono_families
from gui.sheet_views import VIEWS
from gui.theme import Theme, metrics, row_height, tint

MARKS: Mapping[str, tuple[str, str]] = {
    "check": ("check", "on_accent"),
    "check_off": ("check", "text3"),
    "dash": ("minus", "on_accent"),
    "radio": ("dot", "on_accent"),
    "down": ("chevron-down", "text2"),
    "down_off": ("chevron-down", "border2"),
    "up": ("chevron-up", "text2"),
    "up_off": ("chevron-up", "border2"),
    "right": ("chevron-right", "text2"),
    "left": ("chevron-left", "text2"),
    "tick": ("check", "accent"),
    "close": ("close", "text3"),
    "close_on": ("close", "text"),
    "more": ("more", "text2"),
}
"""The marks a sheet needs as files: mark -> drawing and colour token."""

WINDOW = Template("""
QMainWindow, QDialog { background: $panel; }
QMainWindow::separator { background: $border; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: $accent; }
QSplitter::handle { background: $border; }
QSplitter::handle:hover { background: $accent; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QMenuBar { background: $window; border: none; border-bottom: 1px solid $border; padding: 0 4px; }
QMenuBar::item { background: transparent; padding: 5px 9px 6px 9px; border-radius: 5px; margin: 1px 0; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: $hover; }
QMenu { background: $raised; border: 1px solid $border2; padding: 5px; }
QMenu::item { padding: 5px 28px 5px 10px; border-radius: 5px; margin: 0; min-height: ${menu_row}px; }
QMenu::item:selected { background: $selected; }
QMenu::item:disabled { color: $text3; background: transparent; }
QMenu::icon { padding-left: 8px; }
QMenu::indicator { width: 14px; height: 14px; left: 6px; }
QMenu::indicator:checked { image: url($tick); }
QMenu::right-arrow { image: url($right); width: 12px; height: 12px; right: 8px; }
QMenu::separator { height: 1px; background: $border; margin: 5px 6px; }
QToolBar { background: $panel; border: none; border-bottom: 1px solid $border; spacing: 4px; padding: 0 10px;
    min-height: ${toolbar}px; max-height: ${toolbar}px; qproperty-iconSize: 16px 16px; }
QToolBar::separator { background: $border2; width: 1px; margin: 4px 7px; }
QStatusBar { background: $window; border-top: 1px solid $border; color: $text2; min-height: ${status_bar}px; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: $text2; }
QDockWidget { titlebar-close-icon: url($close); }
QDockWidget::title { background: $window; padding: 6px 12px; text-align: left; }
QToolTip { background: $raised; color: $text; border: 1px solid $border2; padding: 5px 8px; }
QFrame[frameShape="4"], QFrame[frameShape="5"] { color: $border; background: $border; border: none; }
QFrame[frameShape="4"] { max-height: 1px; }
QFrame[frameShape="5"] { max-width: 1px; }
QFrame[role="card"] { background: $panel; border: 1px solid $border; border-radius: 8px; }
QFrame[role="overlay"] { background: $raised; border: 1px solid $border; border-radius: 8px; }
QFrame[role="popup"] { background: $raised; border: 1px solid $border2; border-radius: 10px; }
QGroupBox { border: 1px solid $border; border-radius: 8px; margin-top: 20px; padding: 12px; font-weight: 600; }
QGroupBox::title { subcontrol-origin: margin; left: 2px; padding: 0; }
""")

LABELS = Template("""
QLabel { background: transparent; }
QLabel:disabled { color: $text3; }
QLabel[role="page"] { font-size: 20px; font-weight: 600; }
QLabel[role="title"] { font-size: 15px; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="body"] { font-size: 13px; }
QLabel[role="label"] { color: $text2; }
QLabel[role="hint"] { font-size: 11px; color: $text3; }
QLabel[role="error"] { font-size: 11px; color: $error; }
QLabel[role="warn"] { font-size: 11px; color: $warn; }
QLabel[role="mono"] { font-family: $mono; font-size: 11px; }
QLabel[role="section"] { font-weight: 600; }
QLabel[role="accent"] { color: $accent; font-weight: 600; }
QLabel[role="badge"] { background: $selected; color: $text; border-radius: 8px; padding: 0 6px; min-height: 16px;
    font-size: 11px; font-weight: 600; }
QLabel[role="badge-error"] { background: $error_badge; color: $error; border-radius: 8px; padding: 0 6px;
    min-height: 16px; font-size: 11px; font-weight: 600; }
QLabel[role="key"] { background: $hover; color: $text2; border: 1px solid $border; border-radius: 4px; padding: 0 5px;
    font-size: 11px; }
""")

BUTTONS = Template("""
QPushButton { background: $raised; border: 1px solid $border2; border-radius: 6px; padding: 0 12px; font-weight: 500;
    min-height: ${field_inner}px; color: $text; }
QPushButton:hover { background: $hover; border-color: $control; }
QPushButton:pressed { background: $selected; }
QPushButton:checked { background: $selected; border-color: $accent; font-weight: 600; }
QPushButton:disabled { background: $panel; border-color: $border; color: $text3; }
QPushButton::menu-indicator { image: url($down); width: 12px; height: 12px; subcontrol-position: right center;
    right: 8px; }
QPushButton[kind="primary"] { background: $accent_fill; border-color: $accent_fill; color: $on_accent;
    font-weight: 600; }
QPushButton[kind="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[kind="primary"]:pressed { background: $accent_press; border-color: $accent_press; }
QPushButton[kind="primary"]:disabled { background: $panel; border-color: $border; color: $text3; }
QPushButton[kind="quiet"] { background: transparent; border-color: transparent; padding: 0 8px; }
QPushButton[kind="quiet"]:hover { background: $hover; }
QPushButton[kind="quiet"]:pressed, QPushButton[kind="quiet"]:checked { background: $selected; }
QPushButton[kind="quiet"]:disabled { color: $text3; background: transparent; }
QPushButton[kind="link"] { background: transparent; border: none; padding: 0; color: $accent; font-weight: 600;
    min-height: 20px; text-align: left; }
QPushButton[kind="link"]:hover { color: $text; }
QPushButton[kind="danger"] { color: $error; }
QPushButton[kind="danger"]:hover { background: $error_tint; border-color: $error; }
QPushButton[kind="danger"]:disabled { color: $text3; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 0; color: $text2;
    min-width: ${field_inner}px; min-height: ${field_inner}px; }
QToolButton:hover { background: $hover; color: $text; }
QToolButton:pressed { background: $selected; }
QToolButton:checked { background: $selected; color: $text; }
QToolButton:disabled { color: $text3; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton[popupMode="1"] { padding-right: 14px; }
QToolButton::menu-button { border: none; width: 14px; }
QToolButton::menu-arrow { image: url($down); width: 10px; height: 10px; }
QToolButton[dense="true"] { min-width: 20px; min-height: 20px; }
QPushButton:focus, QToolButton:focus, QCheckBox:focus, QRadioButton:focus, QSlider:focus, QTabBar:focus {
    outline: none; }
QToolButton#qt_toolbar_ext_button { qproperty-icon: url($more); }
""")

FIELDS = Template("""
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox, QPlainTextEdit, QTextEdit, QAbstractSpinBox {
    background: $sunken; border: 1px solid $control; border-radius: 5px; color: $text;
    selection-background-color: $select_text; selection-color: $text; }
QLineEdit, QAbstractSpinBox, QComboBox { padding: 0 6px; min-height: ${field_inner}px; }
QLineEdit { placeholder-text-color: $text3; }
QLineEdit[dense="true"], QAbstractSpinBox[dense="true"], QComboBox[dense="true"] { min-height: ${dense_inner}px; }
QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover, QPlainTextEdit:hover { border-color: $text3; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
    border-color: $accent; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled, QPlainTextEdit:disabled {
    background: $panel; border-color: $border; color: $text3; }
QLineEdit[readOnly="true"] { background: $panel; border-color: $border; }
QLineEdit[invalid="true"], QAbstractSpinBox[invalid="true"], QComboBox[invalid="true"],
QPlainTextEdit[invalid="true"] { border-color: $error; }
QLineEdit[mono="true"], QPlainTextEdit[mono="true"] { font-family: $mono; }
QLineEdit[bare="true"] { border: none; background: transparent; padding: 0; min-height: 20px; }
QPlainTextEdit, QTextEdit { padding: 4px; }
QAbstractSpinBox { padding: 0 20px 0 6px; }
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { border: none; background: transparent;
    padding: 0; min-height: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border; width: 18px; border: none;
    background: transparent; }
QAbstractSpinBox::up-button { subcontrol-position: top right; margin-top: 2px; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; margin-bottom: 2px; }
QAbstractSpinBox::up-arrow { image: url($up); width: 10px; height: 10px; }
QAbstractSpinBox::down-arrow { image: url($down); width: 10px; height: 10px; }
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::up-arrow:off { image: url($up_off); }
QAbstractSpinBox::down-arrow:disabled, QAbstractSpinBox::down-arrow:off { image: url($down_off); }
QComboBox { padding: 0 2px 0 8px; }
QComboBox::drop-down { subcontrol-origin: border; subcontrol-position: center right; width: 24px; border: none; }
QComboBox::down-arrow { image: url($down); width: 12px; height: 12px; }
QComboBox::down-arrow:disabled { image: url($down_off); }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $border2; padding: 4px; outline: none; }
QComboBox QAbstractItemView::item { min-height: ${row}px; padding: 0 8px; border-radius: 5px; }
QComboBox QAbstractItemView::item:selected, QComboBox QAbstractItemView::item:hover { background: $selected;
    color: $text; }
QDialogButtonBox, QMessageBox { dialogbuttonbox-buttons-have-icons: 0; }
QCheckBox, QRadioButton { spacing: 8px; min-height: 20px; background: transparent; }
QCheckBox:disabled, QRadioButton:disabled { color: $text3; }
QCheckBox::indicator, QRadioButton::indicator, QTreeView::indicator { width: 14px; height: 14px;
    border: 1px solid $control; background: $sunken; }
QCheckBox::indicator, QTreeView::indicator { border-radius: 4px; }
QTreeView::indicator:hover { border-color: $text2; }
QTreeView::indicator:checked { image: url($check); background: $accent_fill; border-color: $accent_fill; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: $text2; }
QCheckBox::indicator:checked, QCheckBox::indicator:indeterminate, QRadioButton::indicator:checked {
    background: $accent_fill; border-color: $accent_fill; }
QCheckBox::indicator:checked { image: url($check); }
QCheckBox::indicator:indeterminate { image: url($dash); }
QRadioButton::indicator:checked { image: url($radio); }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { background: $panel; border-color: $border; }
QCheckBox::indicator:checked:disabled { image: url($check_off); }
QSlider { min-height: 20px; }
QSlider::groove:horizontal { height: 3px; background: $track_line; border-radius: 1px; }
QSlider::sub-page:horizontal { background: $accent_fill; border-radius: 1px; }
QSlider::handle:horizontal { width: 12px; height: 12px; margin: -5px 0; border-radius: 6px; background: $raised;
    border: 1px solid $control; }
QSlider::handle:horizontal:hover { border-color: $accent; }
QSlider::sub-page:horizontal:disabled { background: $border2; }
QProgressBar { background: $track_line; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
""")


def sheet(theme: Theme, marks: Mapping[str, str]) -> str:
    """The whole style sheet for `theme`; `marks` are the addresses of the drawings named in `MARKS`."""
    names = {name: getattr(theme, name) for name in theme.__dataclass_fields__ if _is_color(getattr(theme, name))}
    names |= marks
    names |= {
        "mono": ", ".join(f'"{family}"' for family in mono_families()),
        "select_text": tint(theme.color("accent"), theme.color("sunken"), 0.35).name(),
        "accent_hover": tint(theme.color("text" if theme.dark else "canvas"), theme.color("accent_fill"), 0.12).name(),
        "accent_press": tint(theme.color("canvas" if theme.dark else "text"), theme.color("accent_fill"), 0.18).name(),
        "error_tint": tint(theme.color("error"), theme.color("panel"), theme.tint_share).name(),
        "error_badge": tint(theme.color("error"), theme.color("window"), 0.2).name(),
        "tab_inner": str(row_height(12, metrics.tab_bar, 8) - 2),
        "track_line": theme.border2,
        "row": str(row_height(12, metrics.row, 4)),
        "menu_row": str(row_height(12, 16, 0)),
        "field_inner": str(row_height(12, metrics.field, 6) - 2),
        "dense_inner": str(row_height(12, metrics.field_dense, 4) - 2),
    }
    # Heights in a sheet leave the line at the edge out.
    names |= {name: str(getattr(metrics, name) - 1) for name in ("menu_bar", "toolbar", "status_bar")}
    return "".join(part.substitute(names) for part in (WINDOW, LABELS, BUTTONS, FIELDS, VIEWS))


def _is_color(value: object) -> bool:
    return isinstance(value, str) and value.startswith("#")
