"""The menu bar, made from the table of commands, the catalogue, the examples and the recent files."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QMenuBar, QWidget

from engine.examples import load_example
from gui import settings
from gui.actions import MENUS, Actions, translated
from gui.document import Document
from gui.families import families, family_title
from gui.files import Files
from gui.icons import family_icon
from gui.theme import themes
from gui.workspaces import Docks


class MenuBar(QMenuBar):
    """Menus at the left; the project's name and whether it is saved at the right."""

    layer_chosen = Signal(str)

    def __init__(self, actions: Actions, document: Document, files: Files, docks: Docks, parent: QWidget) -> None:
        super().__init__(parent)
        self._document, self._files = document, files
        self._menus: dict[str, QMenu] = {}
        for name, title in MENUS:
            menu = self.addMenu(translated(title))
            menu.setToolTipsVisible(True)
            self._menus[name] = menu
        for command, action in actions.all():
            menu = self._menus[command.menu]
            if command.separated:
                menu.addSeparator()
            menu.addAction(action)
        self._add_file_menus(actions)
        self._add_view_menus(docks)
        self._add_insert_menus()
        self._state = QLabel()
        self._state.setProperty("role", "label")
        # Kept here: the corner does not own what stands in it.
        self._corner = QWidget(self)
        row = QHBoxLayout(self._corner)
        row.setContentsMargins(0, 0, 14, 0)
        # A width of its own: a menu bar does not make more room when the words grow.
        self._corner.setFixedSize(400, 28)
        self._state.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._state)
        self.setCornerWidget(self._corner, Qt.Corner.TopRightCorner)
        document.state_changed.connect(self.show_state)
        self._recovery_words = ""
        self.show_state()

    def show_state(self) -> None:
        """The project's name and whether its file has everything."""
        document = self._document
        name = document.path.name if document.path else document.project.name
        state = self.tr("Read only") if document.read_only else self.tr("Saved")
        if document.dirty:
            state = self._recovery_words or self.tr("Not saved")
        elif document.path is None:
            state = self.tr("Not saved yet")
        self._state.setText(f"<b>{name}</b>&nbsp;&nbsp; {state}")
        self.parentWidget().setWindowTitle(f"{name}{'*' if document.dirty else ''} · Layerwright")
        if not document.dirty:
            self._recovery_words = ""

    def show_autosaved(self, clock_time: str) -> None:
        """Says that the changes are in the recovery file."""
        self._recovery_words = self.tr("Autosaved {0}").format(clock_time)
        self.show_state()

    def _add_file_menus(self, actions: Actions) -> None:
        menu = self._menus["file"]
        recent = QMenu(self.tr("Open recent"), menu)
        recent.aboutToShow.connect(lambda: self._fill_recent(recent))
        examples = QMenu(self.tr("Examples"), menu)
        for name in self._files.examples():
            examples.addAction(name, lambda name=name: self._files.open_example(name))
        examples.addSeparator()
        chapter = examples.addMenu(self.tr("Textbook experiments"))
        chapter.setToolTipsVisible(True)
        chapter.aboutToShow.connect(lambda: self._fill_chapter(chapter))
        before = actions["save"]
        menu.insertMenu(before, recent)
        menu.insertMenu(before, examples)

    def _fill_chapter(self, menu: QMenu) -> None:
        """Once, when it is opened: reading forty notes takes longer than a window may."""
        if not menu.isEmpty():
            return
        for name in self._files.experiments():
            notes = load_example(name).notes
            title = f"{name.rpartition('/')[2]}  {notes.partition(':')[0].partition('. ')[0]}"
            action = menu.addAction(
                title if len(title) < 70 else title[:67] + "…", lambda name=name: self._files.open_example(name)
            )
            action.setToolTip(notes)

    def _fill_recent(self, menu: QMenu) -> None:
        menu.clear()
        for path in settings.recent_files.get():
            menu.addAction(Path(path).name, lambda path=path: self._files.open(Path(path))).setToolTip(path)
        if menu.isEmpty():
            menu.addAction(self.tr("None yet")).setEnabled(False)

    def _add_view_menus(self, docks: Docks) -> None:
        menu = self._menus["view"]
        menu.addSeparator()
        for dock in docks.by_name.values():
            action = dock.toggleViewAction()
            action.setToolTip(self.tr("Show or hide {0}").format(dock.windowTitle()))
            menu.addAction(action)
        menu.addSeparator()
        theme = menu.addMenu(self.tr("Theme"))
        for mode, words in (
            ("system", self.tr("As the system")), ("dark", self.tr("Dark")), ("light", self.tr("Light")),
        ):  # fmt: skip
            theme.addAction(words, lambda mode=mode: _set_theme(mode))

    def _add_insert_menus(self) -> None:
        menu = self._menus["insert"]
        menu.addSeparator()
        for family, layers in families().items():
            part = menu.addMenu(family_icon(family), family_title(family))
            part.setToolTipsVisible(True)
            for layer in layers:
                action = part.addAction(layer.title, lambda name=layer.type: self.layer_chosen.emit(name))
                action.setToolTip(layer.help)


def _set_theme(mode: str) -> None:
    settings.theme.set(mode)
    themes.set_mode(mode)  # type: ignore[arg-type]
