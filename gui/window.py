"""The main window: docks, menus and the wiring between them. Decides nothing itself.

Each part stands in a module of its own and knows only the document, the selection or the training; whatever two parts
have to say to each other passes through here.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow, QStackedWidget, QTabWidget, QWidget

from engine.analysis import Analysis
from gui import settings
from gui.actions import Actions
from gui.alerts import Alerts
from gui.canvas.view import CanvasView
from gui.chartfeed import ChartFeed
from gui.charts.panel import ChartPanel
from gui.checker import Checker
from gui.closing import may_close
from gui.dockcorner import DockCorner
from gui.document import Document
from gui.files import Files
from gui.jobs import Jobs
from gui.menus import MenuBar
from gui.notify import Notifier, install_hooks
from gui.panels.code import CodePanel
from gui.panels.compare import ComparePage
from gui.panels.data import DataPanel
from gui.panels.guide import GuidePanel
from gui.panels.inspector import InspectorPanel
from gui.panels.outline import OutlinePanel
from gui.panels.palette import PalettePanel
from gui.panels.predict import PredictPanel
from gui.panels.problems import ProblemsPanel
from gui.panels.recipe import RecipePanel
from gui.panels.runs import RunsPanel
from gui.questions import ask_download, ask_epochs
from gui.recovery import Recovery
from gui.regions import Regions
from gui.runflow import RunFlow
from gui.statusbar import StatusBar
from gui.toolbar import ToolBar
from gui.training import Training
from gui.widgets.focus import FocusRing
from gui.widgets.toast import ToastHost
from gui.wiring import connect_actions, connect_parts
from gui.workspaces import BOTTOM, COMPARE, TRAIN, Docks, Workspaces


class MainWindow(QMainWindow):
    """One project, its canvas, its panels and its training."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setMinimumSize(1024, 640)
        self.setDockNestingEnabled(True)
        self.setAcceptDrops(True)
        self.document = Document(self)
        self.training = Training(self)
        self.alerts = Alerts(self)
        self.jobs = Jobs(self)
        self.checker = Checker(self.document)
        self.recovery = Recovery(self.document)
        self.notifier = Notifier(self)
        self.files = Files(self.document, self)
        self.runflow = RunFlow(self.document, self.training, self.jobs, self._ask_download)
        self.actions_ = Actions(self)
        self._trained_once = False
        self._started = False
        self.shows_own_run = False
        """The curves on show belong to the project that is open."""
        self._make_centre()
        self._make_panels()
        self._make_frame()
        self.workspaces = Workspaces(self, self.docks)
        connect_parts(self)
        connect_actions(self)
        install_hooks(self.notifier.crash_later)

    def _make_centre(self) -> None:
        self.canvas = CanvasView(self.document, self)
        self.compare = ComparePage(self, self.jobs)
        self.centre = QStackedWidget(self)
        self.centre.addWidget(self.canvas)
        self.centre.addWidget(self.compare)
        self.setCentralWidget(self.centre)
        self.toasts = ToastHost(self.centre, lift=100)
        self.centre.currentChanged.connect(self.toasts.raise_)

    def _make_panels(self) -> None:
        for corner, area in (
            (Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.BottomDockWidgetArea),
            (Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea),
        ):
            self.setCorner(corner, area)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.palette_panel = PalettePanel(self)
        self.outline = OutlinePanel(self.document, self)
        self.inspector = InspectorPanel(self.document, self, self.jobs)
        self.recipe = RecipePanel(self.document, self)
        self.code = CodePanel(self.document, self)
        self.guide = GuidePanel(self.document, self)
        self.charts = ChartPanel(self)
        self.feed = ChartFeed(self.charts, self.document)
        self.problems = ProblemsPanel(self.document, self)
        self.runs = RunsPanel(self)
        self.data = DataPanel(self.document, self.jobs, lambda: self.runflow.places, self)
        self.predict = PredictPanel(self.document, self.jobs, lambda: self.runflow.places, self)
        self.docks = Docks(self)
        left, right, bottom = (
            Qt.DockWidgetArea.LeftDockWidgetArea,
            Qt.DockWidgetArea.RightDockWidgetArea,
            Qt.DockWidgetArea.BottomDockWidgetArea,
        )
        for name, title, panel, area in (
            ("palette", self.tr("Palette"), self.palette_panel, left),
            ("outline", self.tr("Outline"), self.outline, left),
            ("inspector", self.tr("Inspector"), self.inspector, right),
            ("recipe", self.tr("Recipe"), self.recipe, right),
            ("code", self.tr("Code"), self.code, right),
            ("guide", self.tr("Guide"), self.guide, right),
            ("charts", self.tr("Charts"), self.charts, bottom),
            ("problems", self.tr("Problems"), self.problems, bottom),
            ("runs", self.tr("Runs"), self.runs, bottom),
            ("data", self.tr("Data"), self.data, bottom),
            ("predict", self.tr("Predict"), self.predict, bottom),
        ):
            self.docks.add(name, _dock(title, panel), area)

    def _make_frame(self) -> None:
        self.toolbar = ToolBar(self.actions_, self.training, self)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, self.toolbar)
        self.menu_bar = MenuBar(self.actions_, self.document, self.files, self.docks, self)
        self.setMenuBar(self.menu_bar)
        self.status = StatusBar(self)
        self.setStatusBar(self.status)
        for name in BOTTOM:
            self.status.attach(name, self.docks)
        bottom = [self.docks.by_name[name] for name in BOTTOM]
        self.corner = DockCorner(self, self.charts, bottom)
        self.focus_ring = FocusRing(self)
        self.regions = Regions(self, self.toolbar, self.docks.shows)

    def show_first(self) -> None:
        """Shows the window where it was last, or at a size that suits the screen."""
        geometry = settings.geometry()
        if geometry is None or not self.restoreGeometry(geometry):
            available = self.screen().availableGeometry()
            self.resize(min(1600, available.width()), min(1000, available.height()))
        self.workspaces.open_project(self._project_key())
        self.show()

    def start(self, path: Path | None = None) -> None:
        """What happens once the window is visible: opening a file, offering recovered work, warming torch up."""
        self._started = True
        # One turn of the event loop first, so that the window is painted before torch begins to load.
        QTimer.singleShot(0, self, lambda: self._after_show(path))

    def _after_show(self, path: Path | None) -> None:
        self.checker.start()
        if path is not None:
            self.files.open(path)
        self.files.offer_recovery()
        self.recovery.write()
        self.runs.set_folder(self.runflow.runs_folder)

    def go_to(self, workspace: int) -> None:
        """Shows a workspace; the network keeps its zoom and the point at its centre."""
        # The canvas is hidden while the docks around it move to and fro, so that it never notices.
        if workspace == COMPARE:
            self.centre.setCurrentWidget(self.compare)
        self.workspaces.show(workspace)
        self.toolbar.switch.set_current(workspace)
        if workspace != COMPARE:
            self.centre.setCurrentWidget(self.canvas)

    def show_training(self) -> None:
        """Pressing Train goes to the Train workspace once per project; later the person's choice holds."""
        if not self._trained_once and self.workspaces.current != COMPARE:
            self._trained_once = True
            self.go_to(TRAIN)

    def project_opened(self) -> None:
        """Another project stands in the document."""
        self._trained_once = False
        self.shows_own_run = False
        self.runflow.shown = None
        self.training.forget()
        if self._started:
            self.workspaces.open_project(self._project_key())
            self.runs.set_folder(self.runflow.runs_folder)
        self.toolbar.switch.set_current(0)
        self.centre.setCurrentWidget(self.canvas)
        QTimer.singleShot(0, self.canvas, self.canvas.fit_first)

    def show_analysis(self, analysis: Analysis) -> None:
        """Totals and problems of the last check, wherever the frame of the window shows them."""
        self.toolbar.run_controls.show_analysis(analysis)
        self.status.show_analysis(analysis)

    def show_dock(self, name: str) -> None:
        """Brings a dock to the front, because the person asked for it."""
        self.docks.reveal(name)

    def toast(self, tone: str, title: str, words: str = "") -> None:
        """Good news, or news that asks for nothing."""
        icon, token = {"ok": ("check", "ok"), "warn": ("warning", "warn")}.get(tone, ("info", "accent"))
        self.toasts.show(title, words, icon_name=icon, token=token)

    def hide_docks(self) -> None:
        """Shows only the canvas, or everything that was open before."""
        docks = self.docks.by_name.values()
        if self.actions_["hide_docks"].isChecked():
            self._hidden = [dock for dock in docks if dock.isVisible()]
            for dock in self._hidden:
                dock.hide()
        else:
            for dock in getattr(self, "_hidden", []):
                dock.show()

    def ask_continue(self) -> None:
        """Asks for how many epochs the run that is shown should go on."""
        run = self.runflow.shown
        if run is None or self.training.active:
            self.show_dock("runs")
            return
        epochs = ask_epochs(self, run)
        if epochs:
            self.runflow.continue_run(run, epochs)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Asks about a running training and unsaved changes, then ends every thread."""
        if not may_close(self, self.training, self.files):
            event.ignore()
            return
        self.workspaces.remember()
        settings.set_geometry(self.saveGeometry())
        self.jobs.close()
        self.checker.stop()
        self.recovery.close()
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow window shortens the toolbar."""
        super().resizeEvent(event)
        self.toolbar.set_compact(self.width() < 1400)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Opens what was dropped: a project, a run folder, or data."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.files.open(Path(url.toLocalFile()))
                event.acceptProposedAction()
                return

    def _ask_download(self, words: str, size: int | None, folder: str) -> bool:
        return ask_download(self, words, size, folder)

    def _project_key(self) -> str:
        path = self.document.path
        return str(path) if path else self.document.project.name


def _dock(title: str, panel: QWidget) -> QDockWidget:
    dock = QDockWidget(title)
    dock.setWidget(panel)
    dock.setFeatures(
        QDockWidget.DockWidgetFeature.DockWidgetClosable
        | QDockWidget.DockWidgetFeature.DockWidgetMovable
        | QDockWidget.DockWidgetFeature.DockWidgetFloatable
    )
    # The tab says the title; a bar above the panel would say it twice.
    dock.setTitleBarWidget(QWidget())
    return dock
