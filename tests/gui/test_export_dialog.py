"""The export dialog with real clicks on a small run: what it writes was read back, what fails leaves nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.examples import load_example
from engine.formats import FORMATS, ExportOptions
from engine.places import Places
from engine.project import Project
from engine.runfiles import read_info
from engine.settings import set_value
from gui.dialogs.export import ExportDialog
from gui.document import Document
from gui.jobs import Jobs

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Path]:
    """The first example, trained for one short epoch beside a project file."""
    from engine.runtime.session import run

    folder = tmp_path_factory.mktemp("project")
    project = load_example("digits-mlp")
    recipe = project.recipe.with_value("epochs", 1).with_value("data", {"type": "digits", "limit": 200})
    project = project.with_recipe(recipe)
    events = list(run(project, runs=folder / "runs", places=Places(folder=folder), device="cpu", threads=1))
    return project, Path(events[-1].run)


@pytest.fixture
def jobs(qapp: object) -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.cancel_all()


@pytest.fixture
def opened(
    trained: tuple[Project, Path], jobs: Jobs, shown: Callable[..., QWidget], qtbot: QtBot
) -> Callable[..., ExportDialog]:
    project, run = trained

    def open_dialog(*, with_runs: bool = True) -> ExportDialog:
        document = Document()
        # Beside the project file lie its runs; a project elsewhere has none.
        folder = run.parent.parent if with_runs else run
        document.adopt(project, folder / "digits.lwr")
        window = shown(QWidget())
        dialog = ExportDialog(document, jobs, None, window)
        document.setParent(dialog)
        dialog.open()
        dialog.activateWindow()
        qtbot.waitUntil(dialog.isActiveWindow, timeout=2000)
        return dialog

    return open_dialog


def export(qtbot: QtBot, dialog: ExportDialog, path: Path) -> None:
    dialog.path.entry.setFocus()
    dialog.path.entry.selectAll()
    qtbot.keyClicks(dialog.path.entry, str(path))
    qtbot.mouseClick(dialog.export, LEFT)
    qtbot.waitUntil(dialog.result.isVisible, timeout=90_000)


def test_a_run_becomes_a_python_file_that_runs_alone(
    opened: Callable[..., ExportDialog], qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = opened()
    told = []
    dialog.exported.connect(told.append)
    export(qtbot, dialog, tmp_path / "digits.py")
    assert dialog.result.title.text() == "Exported and read back. Largest difference on 16 samples: 0"
    assert dialog.show_folder.isVisible()
    assert told[0].largest_difference < 1e-5
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import digits; assert 'engine' not in sys.modules"
    subprocess.run([sys.executable, "-I", "-c", code], check=True, cwd=tmp_path, timeout=60)


@pytest.mark.parametrize(("name", "ending"), [("safetensors", ".safetensors"), ("state_dict", ".pt")])
def test_weights_are_chosen_by_a_card_and_get_its_ending(
    opened: Callable[..., ExportDialog], qtbot: QtBot, tmp_path: Path, name: str, ending: str
) -> None:
    dialog = opened()
    qtbot.mouseClick(dialog.formats.cards[name], LEFT)
    assert dialog.path.value().endswith(ending)
    export(qtbot, dialog, tmp_path / f"weights{ending}")
    assert (tmp_path / f"weights{ending}").stat().st_size > 1000
    assert "every class is the same" in dialog.result.text.text()


def test_without_a_run_only_code_can_be_exported_and_the_cards_say_why(
    opened: Callable[..., ExportDialog], qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = opened(with_runs=False)
    assert dialog.source.run is None
    assert not dialog.formats.cards["safetensors"].isEnabled()
    assert "train first" in dialog.formats.cards["safetensors"].toolTip()
    export(qtbot, dialog, tmp_path / "code.py")
    assert "class " in (tmp_path / "code.py").read_text("utf-8")


def test_the_run_of_the_project_is_offered_with_the_checkpoint_of_its_result(
    opened: Callable[..., ExportDialog], trained: tuple[Project, Path]
) -> None:
    dialog = opened()
    assert dialog.source.run == trained[1]
    assert dialog.source.checkpoint == read_info(trained[1]).result
    assert "1 epoch" in dialog.source.runs.currentText()


def test_every_checkpoint_of_a_run_can_be_exported(
    opened: Callable[..., ExportDialog], qtbot: QtBot, trained: tuple[Project, Path], tmp_path: Path
) -> None:
    folder = trained[1] / "checkpoints"
    shutil.copytree(folder / "last", folder / "mine")
    try:
        dialog = opened()
        assert [dialog.source.checkpoints.itemText(row) for row in range(dialog.source.checkpoints.count())][
            -1
        ] == "mine"
        dialog.source.checkpoints.set_value("mine")
        assert dialog.source.checkpoint == "mine"
        export(qtbot, dialog, tmp_path / "mine.py")
        assert dialog.result.title.text().startswith("Exported and read back")
    finally:
        shutil.rmtree(folder / "mine")


def test_a_folder_that_does_not_exist_is_told_and_nothing_is_left(
    opened: Callable[..., ExportDialog], qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = opened()
    export(qtbot, dialog, tmp_path / "nowhere" / "digits.py")
    assert not dialog.show_folder.isVisible()
    assert dialog.result.title.text()
    assert not list(tmp_path.rglob("*digits*"))
    assert dialog.export.isEnabled()


def test_a_file_that_is_there_is_announced_before_it_is_replaced(
    opened: Callable[..., ExportDialog], qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text("old")
    dialog = opened()
    dialog.path.entry.setFocus()
    dialog.path.entry.selectAll()
    qtbot.keyClicks(dialog.path.entry, str(tmp_path / "mine.py"))
    qtbot.keyClick(dialog.path.entry, Qt.Key.Key_Tab)
    assert "will be replaced" in dialog.path.message.text()
    assert (tmp_path / "mine.py").read_text() == "old"


def test_no_file_name_is_asked_for_in_words(opened: Callable[..., ExportDialog], qtbot: QtBot) -> None:
    dialog = opened()
    dialog.path.entry.setFocus()
    dialog.path.entry.selectAll()
    qtbot.keyClick(dialog.path.entry, Qt.Key.Key_Delete)
    qtbot.mouseClick(dialog.export, LEFT)
    assert dialog.path.message.text() == "Choose where the file goes"
    assert not dialog.result.isVisible()


def test_the_arrow_keys_move_between_the_cards(opened: Callable[..., ExportDialog], qtbot: QtBot) -> None:
    dialog = opened()
    first = dialog.formats.cards["python"]
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Down)
    assert dialog.formats.current() == "script"
    qtbot.keyClick(dialog.formats.cards["script"], Qt.Key.Key_Right)
    assert dialog.formats.current() == "state_dict"


def test_a_dialog_closed_while_it_works_still_tells_its_result(
    opened: Callable[..., ExportDialog], jobs: Jobs, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = opened()
    dialog.path.set_value(str(tmp_path / "late.py"))
    with qtbot.waitSignal(dialog.exported, timeout=90_000) as told:
        qtbot.mouseClick(dialog.export, LEFT)
        dialog.close()
    assert Path(told.args[0].path).is_file()
    qtbot.waitUntil(lambda: not jobs.busy, timeout=5000)


def test_baking_is_offered_for_computed_kernels_only(
    opened: Callable[..., ExportDialog], qtbot: QtBot, tmp_path: Path
) -> None:
    assert not opened().options.checks["bake"].isVisible()
    dialog = opened(with_runs=False)
    bake = dialog.options.checks["bake"]
    assert not bake.isVisible()
    changed = set_value(dialog._document.project, "nodes.hidden1.reparametrize", "weight_norm")
    dialog._document.edit("Set", lambda _project: changed)
    dialog._source_chosen()
    assert bake.isVisible()
    export(qtbot, dialog, tmp_path / "computed.py")
    assert "weight_norm(" in (tmp_path / "computed.py").read_text()
    dialog.result.hide()
    qtbot.mouseClick(bake, LEFT, pos=QPoint(8, bake.height() // 2))
    export(qtbot, dialog, tmp_path / "plain.py")
    assert "weight_norm(" not in (tmp_path / "plain.py").read_text()
    assert "baked in: hidden1" in dialog.result.text.text()


def test_each_format_shows_its_own_options(opened: Callable[..., ExportDialog], qtbot: QtBot) -> None:
    dialog = opened()
    for name, card in dialog.formats.cards.items():
        qtbot.mouseClick(card, LEFT)
        assert dialog.formats.current() == name
        shown = {option for option, check in dialog.options.checks.items() if check.isVisible()}
        assert shown == set(FORMATS[name].options) - {"bake"}  # nothing here computes its kernels
        assert dialog.path.value().endswith(FORMATS[name].suffix)
    qtbot.mouseClick(dialog.formats.cards["onnx"], LEFT)
    half, int8 = dialog.options.checks["half"], dialog.options.checks["int8"]
    for check in (half, int8):
        qtbot.mouseClick(check, LEFT, pos=QPoint(8, check.height() // 2))
    assert dialog.options.options() == ExportOptions(int8=True)
    qtbot.mouseClick(dialog.formats.cards["python"], LEFT)
    assert dialog.options.options() == ExportOptions()


def test_a_bundle_of_halves_tells_its_figures(
    opened: Callable[..., ExportDialog], qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = opened()
    qtbot.mouseClick(dialog.formats.cards["bundle"], LEFT)
    assert "becomes a folder" in dialog.path.message.text()
    half = dialog.options.checks["half"]
    qtbot.mouseClick(half, LEFT, pos=QPoint(8, half.height() // 2))
    export(qtbot, dialog, tmp_path / "digits")
    assert (tmp_path / "digits" / "predict.py").is_file()
    for words in ("ms per sample", "allowed", "every class is the same"):
        assert words in dialog.result.text.text()


def test_a_script_tells_that_it_repeats_the_run(
    opened: Callable[..., ExportDialog], qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = opened()
    qtbot.mouseClick(dialog.formats.cards["script"], LEFT)
    export(qtbot, dialog, tmp_path / "train.py")
    assert "the very losses of the run" in dialog.result.text.text()


def test_the_suggested_name_can_be_imported(opened: Callable[..., ExportDialog]) -> None:
    dialog = opened()
    dialog._document.edit("rename", lambda project: replace(project, name="3 x 100, wide"))
    dialog.path.set_value("")
    dialog._suggest_path()
    assert Path(dialog.path.value()).name == "model_3_x_100__wide.py"
