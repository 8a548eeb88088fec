"""How the window is arranged for building, training and comparing, at three screen sizes; remembered per project.

Owns sizes and what is open. Build and Train differ in the bottom dock only; Compare swaps the centre page. Nothing here
reacts to what happens in a training: only a person changes the arrangement.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from gui import settings

VERSION = 2
BUILD, TRAIN, COMPARE = 0, 1, 2
NAMES = ("build", "train", "compare")
LEFT = ("palette", "outline")
RIGHT = ("inspector", "recipe", "code", "guide")
BOTTOM = ("charts", "problems", "runs", "data", "predict")


@dataclass(frozen=True)
class Sizes:
    """Widths and heights of the docks, in pixels."""

    palette: int
    inspector: int
    bottom: int
    compare_runs: int
    code_below: bool
    """The right column shows Code under the Inspector instead of behind it."""


def sizes_for(width: int) -> Sizes:
    """The arrangement that suits a window of this width."""
    if width >= 1860:
        return Sizes(232, 360, 300, 236, code_below=True)
    if width >= 1500:
        return Sizes(208, 288, 274, 236, code_below=False)
    return Sizes(200, 264, 216, 220, code_below=False)


class Docks:
    """The docks of a window by name, in their areas."""

    def __init__(self, window: QMainWindow) -> None:
        self._window = window
        self.by_name: dict[str, QDockWidget] = {}

    def add(self, name: str, dock: QDockWidget, area: Qt.DockWidgetArea) -> None:
        """Puts a dock into an area, behind those already there."""
        dock.setObjectName(f"dock-{name}")
        self._window.addDockWidget(area, dock)
        self.by_name[name] = dock

    def arrange(self, workspace: int, width: int) -> None:
        """The arrangement of the design for a workspace at this window width."""
        sizes, docks = sizes_for(width), self.by_name
        left = [docks[name] for name in LEFT]
        bottom = [docks[name] for name in BOTTOM]
        places = ((Qt.DockWidgetArea.LeftDockWidgetArea, left), (Qt.DockWidgetArea.BottomDockWidgetArea, bottom))
        for area, group in places:
            for dock in group:
                dock.setFloating(False)
                self._window.addDockWidget(area, dock)
                self._window.tabifyDockWidget(group[0], dock) if dock is not group[0] else None
        self._arrange_right(sizes)
        compare = workspace == COMPARE
        for dock in left:
            dock.setVisible(not compare)
        for dock in bottom:
            dock.setVisible(workspace == TRAIN)
        for name in RIGHT:
            docks[name].setVisible(not compare)
        if compare:
            self._window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks["runs"])
            docks["runs"].show()
            self._resize([docks["runs"]], [sizes.compare_runs], Qt.Orientation.Horizontal)
            return
        docks["palette"].raise_()
        docks["inspector"].raise_()
        docks["charts"].raise_()
        self._resize(
            [docks["palette"], docks["inspector"]], [sizes.palette, sizes.inspector], Qt.Orientation.Horizontal
        )
        if workspace == TRAIN:
            self._resize([docks["charts"]], [sizes.bottom], Qt.Orientation.Vertical)

    def reveal(self, name: str) -> None:
        """Brings a dock to the front. Its row opens as a whole, so that the tabs of its neighbours are there too."""
        dock = self.by_name[name]
        row = self._row(dock)
        if dock.isFloating() or all(item.isHidden() for item in row):
            sizes = sizes_for(self._window.width())
            sides = self._sides()
            widths = [item.width() for item in sides]
            for item in row or [dock]:
                item.show()
            if name in BOTTOM and not dock.isFloating():
                self._resize([dock], [sizes.bottom], Qt.Orientation.Vertical)
                # A row that opens makes Qt share out the width anew; the columns keep theirs.
                self._resize(sides, widths, Qt.Orientation.Horizontal)
        dock.show()
        dock.raise_()

    def conceal(self, name: str) -> None:
        """Closes a dock with its row, or only the dock when it floats."""
        dock = self.by_name[name]
        for item in [dock] if dock.isFloating() else self._row(dock):
            item.hide()

    def in_front(self, name: str) -> bool:
        """Whether a dock can be seen now."""
        return self.shows(self.by_name[name])

    def shows(self, dock: QDockWidget) -> bool:
        """Whether a dock is open and no other tab covers it."""
        return dock.isVisible() and not dock.visibleRegion().isEmpty()

    def _row(self, dock: QDockWidget) -> list[QDockWidget]:
        """The docks that share the bottom row with one, itself included; only itself elsewhere."""
        bottom = Qt.DockWidgetArea.BottomDockWidgetArea
        if dock.isFloating() or self._window.dockWidgetArea(dock) != bottom:
            return [dock]
        docks = [self.by_name[name] for name in BOTTOM]
        return [item for item in docks if not item.isFloating() and self._window.dockWidgetArea(item) == bottom]

    def _sides(self) -> list[QDockWidget]:
        # Docks behind a tab keep a width of long ago: only the one in front knows.
        return [self.by_name[name] for name in (*LEFT, *RIGHT) if self.in_front(name)]

    def _arrange_right(self, sizes: Sizes) -> None:
        inspector, recipe, code, guide = (self.by_name[name] for name in RIGHT)
        for dock in (inspector, recipe, code, guide):
            dock.setFloating(False)
            self._window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        self._window.tabifyDockWidget(inspector, recipe)
        if sizes.code_below:
            self._window.splitDockWidget(inspector, code, Qt.Orientation.Vertical)
        else:
            self._window.tabifyDockWidget(recipe, code)
        self._window.tabifyDockWidget(recipe if sizes.code_below else code, guide)

    def _resize(self, docks: list[QDockWidget], sizes: list[int], way: Qt.Orientation) -> None:
        self._window.resizeDocks(docks, sizes, way)


class Workspaces:
    """Remembers each workspace's arrangement per project, and brings it back."""

    def __init__(self, window: QMainWindow, docks: Docks) -> None:
        self._window, self._docks = window, docks
        self.current = BUILD
        self.project = ""
        self._seen: dict[int, QByteArray] = {}

    def show(self, workspace: int) -> None:
        """Leaves the current workspace as it is and shows another as it was left."""
        if workspace == self.current:
            return
        self.remember()
        self.current = workspace
        self._restore()

    def remember(self) -> None:
        """Keeps the arrangement of the current workspace for this project."""
        state = self._window.saveState(VERSION)
        self._seen[self.current] = state
        settings.set_arrangement(self.project, NAMES[self.current], state)

    def open_project(self, project: str) -> None:
        """Another project: its own arrangements, or those of the design."""
        self._seen.clear()
        self.project, self.current = project, BUILD
        self._restore()

    def reset(self) -> None:
        """Forgets what was remembered for this project and arranges afresh."""
        self._seen.clear()
        for name in NAMES:
            settings.set_arrangement(self.project, name, None)
        self._docks.arrange(self.current, self._window.width())

    def _restore(self) -> None:
        state = self._seen.get(self.current) or settings.arrangement(self.project, NAMES[self.current])
        if state is None or not self._window.restoreState(state, VERSION):
            self._docks.arrange(self.current, self._window.width())
