"""Which signal reaches which part. Long, flat and dull on purpose: the one place to look when something is not told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTime, QUrl
from PySide6.QtGui import QCursor, QDesktopServices

from engine.events import RunStarted
from engine.recipe import SETTINGS
from engine.timeline import Timeline
from gui import freezing
from gui.charts.kinds import kinds
from gui.dialogs.about import show_about
from gui.dialogs.commands import CommandBox
from gui.dialogs.evaluate import EvaluateDialog
from gui.dialogs.export import ExportDialog
from gui.dialogs.export_report import report_title, report_words
from gui.dialogs.help import show_help, show_layer_help, show_shortcuts
from gui.dialogs.preset import PresetDialog
from gui.dialogs.settings import SettingsDialog
from gui.numbers import count
from gui.onnxfiles import import_file
from gui.training import PAUSED
from gui.workspaces import BUILD, COMPARE, TRAIN

if TYPE_CHECKING:
    from gui.window import MainWindow

_DOCKS = {"show_runs": "runs", "predict": "predict"}
"""Commands that bring a dock to the front."""


def connect_parts(window: MainWindow) -> None:
    """Panels, canvas, charts and training tell each other what they need to know."""
    document, training, runflow = window.document, window.training, window.runflow
    document.refused.connect(lambda problem: window.toast("warn", problem.happened, problem.fix))
    document.opened.connect(window.project_opened)
    document.analyzed.connect(window.show_analysis)
    document.state_changed.connect(lambda: _show_history(window))
    window.canvas.previewer = window.checker
    window.checker.warmed.connect(window.status.set_device)
    window.checker.failed.connect(window.notifier.crash)
    window.jobs.broke.connect(window.notifier.crash)
    window.notifier.crashed.connect(lambda _report: window.recovery.write())
    window.recovery.saved.connect(lambda: window.menu_bar.show_autosaved(QTime.currentTime().toString("HH:mm")))
    window.recovery.failed.connect(window.notifier.problem)
    window.files.problem.connect(window.notifier.problem)
    window.files.run_opened.connect(runflow.open_run)
    window.files.data_dropped.connect(window.data.use_path)
    window.files.network_dropped.connect(partial(import_file, window, partial(_adopt_network, window)))
    window.files.weights_dropped.connect(lambda path: _open_weights(window, path))
    runflow.problem.connect(window.notifier.problem)
    runflow.said.connect(window.toast)
    runflow.runs_changed.connect(window.runs.refresh)
    runflow.began.connect(lambda: setattr(window, "shows_own_run", True))
    runflow.opened.connect(lambda _run: setattr(window, "shows_own_run", True))
    runflow.began.connect(window.show_training)
    runflow.opened.connect(lambda _run: window.show_dock("charts"))
    training.broke.connect(window.notifier.crash)
    training.alerted.connect(window.alerts.take)
    runflow.began.connect(window.alerts.begin)
    window.alerts.said.connect(lambda title, words: window.toast("warn", title, words))
    training.advanced.connect(lambda: _show_timeline(window))
    training.state_changed.connect(lambda: _show_state(window))
    _connect_panels(window)


def _connect_panels(window: MainWindow) -> None:
    runflow = window.runflow
    window.palette_panel.add_requested.connect(lambda name: window.canvas.add_layer(name, None))
    window.palette_panel.drag_started.connect(window.canvas.begin_palette_drag)
    window.menu_bar.layer_chosen.connect(lambda name: window.canvas.add_layer(name, None))
    window.canvas.example_chosen.connect(window.files.open_example)
    window.toolbar.workspace_chosen.connect(window.go_to)
    window.toolbar.problems_wanted.connect(lambda: window.show_dock("problems"))
    window.charts.train_requested.connect(runflow.train)
    window.charts.open_run_requested.connect(lambda: window.show_dock("runs"))
    for panel in (window.runs, window.compare, window.charts):
        panel.problem.connect(window.notifier.problem)
    window.charts.state.figures_wanted.connect(lambda definition: _define_figures(window, definition))
    window.runs.opened.connect(runflow.open_run)
    window.runs.overlaid.connect(lambda runs: _overlay(window, runs))
    window.runs.count_changed.connect(window.compare.set_count)
    window.runs.project_requested.connect(runflow.open_run_project)
    window.runs.continue_requested.connect(lambda run: (runflow.open_run(run), window.ask_continue()))
    window.runs.export_requested.connect(lambda run: _export(window, run))
    window.runs.evaluate_requested.connect(lambda run: _evaluate(window, run))
    window.runs.compress_requested.connect(lambda run: _compress(window, run))
    window.runs.predict_requested.connect(lambda run: (window.show_dock("predict"), window.predict.ask_run(run)))
    window.runs.listed.connect(window.predict.set_runs)
    window.predict.train_requested.connect(runflow.train)
    window.predict.problem.connect(window.notifier.problem)
    runflow.opened.connect(window.predict.follow)
    window.runs.count_changed.connect(window.status.set_runs)
    window.data.summary_changed.connect(window.status.set_data)
    window.data.problem.connect(window.notifier.problem)
    window.compare.problem.connect(window.notifier.problem)
    window.checker.warmed.connect(window.data.set_ready)
    # Loaded now, the charts stand at once when a training begins.
    window.checker.warmed.connect(lambda _device: kinds())
    window.recipe.data_wanted.connect(lambda: window.show_dock("data"))
    window.recipe.rate_wanted.connect(window.actions_["find_rate"].trigger)
    window.recipe.clipping_wanted.connect(window.actions_["show_clipping"].trigger)
    window.recipe.strategy_wanted.connect(lambda: freezing.strategy_menu(window.document, window).popup(QCursor.pos()))
    window.recipe.descent_wanted.connect(window.actions_["show_descent"].trigger)
    window.recipe.weights_wanted.connect(lambda: _open_weights(window))
    window.guide.show_requested.connect(lambda kind, name: _show_from_guide(window, kind, name))
    window.guide.preset_requested.connect(lambda name: PresetDialog(window.document, name, window).open())
    window.guide.unchanged.connect(lambda words: window.toast("ok", window.tr("Nothing to change"), words))
    window.problems.shown_on_canvas.connect(window.canvas.show_node)


def _freezing_slots(window: MainWindow) -> dict[str, Callable[[], None]]:
    document = window.document
    return {
        "freeze": lambda: freezing.toggle(document), "freeze_below": lambda: freezing.freeze_below(document),
        "unfreeze_all": lambda: freezing.unfreeze_all(document),
        "import_network": lambda: _import_network(window),
        "import_file": lambda: import_file(window, partial(_adopt_network, window)),
    }  # fmt: skip


def _dialog_slots(window: MainWindow) -> dict[str, Callable[[], None]]:
    return {
        "open_weights": lambda: _open_weights(window), "show_clipping": lambda: _show_clipping(window),
        "show_descent": lambda: _show_descent(window),
    }  # fmt: skip


def connect_actions(window: MainWindow) -> None:
    """Every command of the table gets its slot."""
    actions, canvas, training = window.actions_, window.canvas, window.training
    canvas_slots = (
        "cut", "copy", "paste", "duplicate", "delete", "delete_bridge", "select_all", "rename", "zoom_in", "zoom_out",
        "zoom_reset", "fit", "fit_selection", "group", "ungroup", "enter_group", "leave_group", "tidy", "search_layer",
    )  # fmt: skip
    actions.connect_all({name: getattr(canvas, name) for name in canvas_slots})
    actions.connect_all({name: lambda dock=dock: window.show_dock(dock) for name, dock in _DOCKS.items()})
    actions.connect_all(_freezing_slots(window) | _dialog_slots(window))
    actions.connect_all(
        {
            "new": window.files.new,
            "open": window.files.ask_open,
            "save": window.files.save,
            "save_as": window.files.save_as,
            "export": lambda: _export(window, window.runflow.shown),
            "settings": lambda: SettingsDialog(window).open(),
            "quit": window.close,
            "undo": window.document.undo,
            "redo": window.document.redo,
            "workspace_build": lambda: window.go_to(BUILD),
            "workspace_train": lambda: window.go_to(TRAIN),
            "workspace_compare": lambda: window.go_to(COMPARE),
            "hide_docks": window.hide_docks,
            "next_region": lambda: window.regions.move(1),
            "previous_region": lambda: window.regions.move(-1),
            "reset_arrangement": window.workspaces.reset,
            "train": window.runflow.train,
            "pause": lambda: training.go_on() if training.state == PAUSED else training.pause(),
            "step": training.step,
            "stop": training.stop,
            "continue_run": window.ask_continue,
            "halve_rate": lambda: training.scale("recipe.optimizer.lr", 0.5),
            "double_rate": lambda: training.scale("recipe.optimizer.lr", 2.0),
            "find_rate": lambda: _find_rate(window),
            "evaluate": lambda: _evaluate(window, window.runflow.shown),
            "open_runs_folder": lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(window.runflow.runs_folder))),
            "clear_overlay": window.runs.clear_overlay,
            "commands": lambda: CommandBox(
                actions, lambda name: canvas.add_layer(name, None), window.toolbar.command_box
            ).open(),
            "shortcuts": lambda: show_shortcuts(window, actions),
            "layer_help": lambda: show_layer_help(window, window.document),
            "about": lambda: show_about(window),
        }
    )
    actions.give_keys(canvas)


def _show_from_guide(window: MainWindow, kind: str, name: str) -> None:
    if kind == "recipe":
        window.show_dock("recipe")
    else:
        show_help(window, kind, name)


def _show_history(window: MainWindow) -> None:
    document, actions = window.document, window.actions_
    for name, label, verb in (
        ("undo", document.undo_label, window.tr("Undo")),
        ("redo", document.redo_label, window.tr("Redo")),
    ):
        action = actions[name]
        action.setEnabled(bool(label))
        action.setText(f"{verb} {label}".rstrip() if label else verb)


def _show_timeline(window: MainWindow) -> None:
    timeline = window.training.timeline
    window.feed.show_leading(timeline, window.training.run_path)
    # A training that goes on while another project is open says nothing about the layers of that one.
    belongs = window.shows_own_run and (timeline.run is not None or timeline.step > 0)
    window.canvas.show_timeline(timeline if belongs else None)
    window.inspector.show_timeline(timeline if belongs else Timeline())
    window.recipe.rates.show_timeline(timeline if belongs else None)


def _show_state(window: MainWindow) -> None:
    active = window.training.active
    run = window.training.timeline.run
    window.status.set_training_on(_device_words(window, run) if active and run else "")
    window.status.charts.set_dot("ok" if active else None)
    window.runs.set_live(window.training.run_path if active else None)
    window.predict.follow(window.training.run_path if active else None)


def _device_words(window: MainWindow, run: RunStarted) -> str:
    threads = window.tr("1 thread") if run.threads == 1 else window.tr("{0} threads").format(run.threads)
    device = window.tr("CPU, {0}").format(threads) if run.device == "cpu" else run.device.upper()
    return window.tr("training on {0}").format(device)


def _overlay(window: MainWindow, runs: list) -> None:  # type: ignore[type-arg]
    window.feed.show_over(runs)
    window.compare.show_runs(runs)


def _define_figures(window: MainWindow, definition: str) -> None:
    """What training figures are from the next run on, chosen in a chart's menu."""
    title = SETTINGS.by_name["train_figures"].title
    changed = window.document.edit(
        window.tr("Set {0}").format(title.lower()),
        lambda project: project.with_recipe(project.recipe.with_value("train_figures", definition)),
    )
    if changed:
        words = window.tr("From the next run on. Undo takes it back.")
        window.toast("ok", window.tr("{0}: {1}").format(title, definition), words)


def _evaluate(window: MainWindow, run: Path | None) -> None:
    if run is None:
        window.show_dock("runs")
        return
    EvaluateDialog(window.jobs, run, window.runflow.places, window).open()


def _compress(window: MainWindow, run: Path) -> None:
    from gui.dialogs.compress import CompressDialog  # rarely wanted: the first frame need not wait for it

    CompressDialog(window.jobs, run, window.runflow.places, window).open()


def _open_weights(window: MainWindow, path: Path | None = None) -> None:
    from gui.dialogs.weights import WeightsDialog, ask_weights  # rarely wanted, as above

    chosen = path or ask_weights(window)
    if chosen is not None:
        dialog = WeightsDialog(window.document, window.jobs, chosen, window)
        dialog.loaded.connect(lambda match: _tell_weights(window, chosen, len(match.taken)))
        dialog.open()


def _tell_weights(window: MainWindow, path: Path, tensors: int) -> None:
    words = window.tr("{0} tensors of {1}: training starts from them").format(count(tensors), path.name)
    window.toast("ok", window.tr("Weights loaded"), words)


def _show_clipping(window: MainWindow) -> None:
    """Opens the demonstration with the recipe's own limit, where it has one that compares."""
    from gui.dialogs.clip_demo import ClipDialog  # brings pyqtgraph along, as above

    chosen = window.document.project.recipe.get("clip")
    made = chosen.get("type") in ("value", "norm", "norm_each")
    ClipDialog(float(chosen.get("limit", 1.0)) if made else 1.0, window).open()


def _show_descent(window: MainWindow) -> None:
    """Opens the landscapes, with the recipe's own optimizer among those that run."""
    from gui.dialogs.descent import DescentDialog

    DescentDialog(window.jobs, window.document.project.recipe.get("optimizer"), window).open()


def _find_rate(window: MainWindow) -> None:
    """Opens the range test, once there is nothing to mend and the data is there."""
    from gui.dialogs.range_test import RangeTestDialog  # with the charts, which the first frame need not wait for

    errors = window.document.analysis.errors
    if errors:
        window.notifier.problem(errors[0])
        return
    window.runflow.with_data(
        lambda: RangeTestDialog(window.document, window.jobs, window.runflow.places, window).open()
    )


def _export(window: MainWindow, run: Path | None) -> None:
    """Opens the export dialog; one that was closed while it worked tells its result by a toast."""
    dialog = ExportDialog(window.document, window.jobs, run, window)
    dialog.exported.connect(lambda report: dialog.isVisible() or _tell_export(window, report))
    dialog.open()


def _tell_export(window: MainWindow, report: Any) -> None:
    window.toast("ok", report_title(window, report), report_words(window, report))


def _import_network(window: MainWindow) -> None:
    from gui.dialogs.gallery import GalleryDialog  # rarely wanted, as above

    dialog = GalleryDialog(window.jobs, window)
    dialog.brought.connect(lambda brought: _adopt_network(window, brought))
    dialog.open()


def _adopt_network(window: MainWindow, brought: Any) -> None:
    """The imported network becomes the open project, unsaved; what was open is asked about first."""
    if not window.files.may_leave():
        return
    project = brought.project
    window.document.adopt(project, saved=False, problems=brought.problems)
    weights = brought.weights or window.tr("weights drawn from the seed")
    words = window.tr("{0} parameters, {1}").format(count(brought.analysis.parameters), weights)
    window.toast("ok", window.tr("{0} imported").format(project.name), words)
