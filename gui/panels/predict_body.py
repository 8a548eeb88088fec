"""The parts of the Predict panel and the question between them: one at a time, the newest wins, the window stays free.

Asks in jobs only. A run under way is asked again when it has saved newer weights.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from engine.askable import Askable, askable
from engine.asked import LAYER, SALIENCY, Desk, FromData, Question, Reply, Source
from engine.places import Places
from engine.problem import Problem, ProblemError
from gui.jobs import Jobs, ask, predict_to_csv
from gui.panels.predict_answer import AnswerPart
from gui.panels.predict_folder import FolderPart
from gui.panels.predict_input import InputPart
from gui.panels.predict_inside import InsidePart
from gui.theme import metrics
from gui.widgets.progress import ProgressLine

LOOK_AGAIN_MS = 2_000
"""How often a run under way is looked at for newer weights."""


class PredictBody(QWidget):
    """Input, answer and what lies between, for one run."""

    problem = Signal(object)

    def __init__(self, jobs: Jobs, places: Callable[[], Places], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._places = jobs, places
        self._run: Askable | None = None
        self._checkpoint = ""
        self._desk = Desk()
        self._busy = self._again = self._fills = False
        self._stamp = 0.0
        self.input, self.answer, self.inside, self.folder = InputPart(), AnswerPart(), InsidePart(), FolderPart()
        self.line = ProgressLine()
        self._watch = QTimer(self)
        self._watch.setInterval(LOOK_AGAIN_MS)
        self._watch.timeout.connect(self._look_again)
        self._lay_out()
        for part in (self.input.changed, self.answer.asked, self.inside.asked):
            part.connect(self.ask)
        self.input.folder_given.connect(self.ask_folder)
        self.input.random_row_wanted.connect(self._ask_row)
        self.input.problem.connect(self.problem)
        self.folder.closed.connect(lambda: self._middle.setCurrentWidget(self.answer))

    def set_run(self, run: Path, checkpoint: str = "") -> Askable | None:
        """Asks another run, or another of its checkpoints ("": its result), from now on."""
        try:
            found = askable(run)
        except ProblemError as fault:
            self.answer.show_problem(fault.problem)
            return None
        other = self._run is None or self._run.info.path != run
        self._run, self._checkpoint = found, checkpoint
        if other:
            self._desk = Desk()
            self.answer.clear()
            self.inside.clear(layers=True)
            self.input.set_run(found)
        self._middle.setCurrentWidget(self.answer)
        self.ask()
        return found

    def ask(self) -> None:
        """Puts the sample to the run; while an older question is at work, once that is answered."""
        source = self.input.source()
        if source is None or self._run is None:
            self._again = False
            self.answer.clear()
            self.inside.clear()
            return
        self._put(source)

    def ask_folder(self, folder: Path) -> None:
        """Asks where to write, then about every file of a folder."""
        if self._run is None:
            return
        proposed = str(folder.parent / f"{folder.name} predicted.csv")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Write the answers as CSV"), proposed, "CSV (*.csv)")
        if chosen:
            self.write_folder(folder, Path(chosen))

    def write_folder(self, folder: Path, file: Path) -> None:
        """Answers every file of a folder into a CSV file, in a job."""
        if self._run is None:
            return
        source = self.input.file.source()
        if source is None or not self.input.file.drawn.value():
            source = FromData("", 0)
        question = Question(self._run.info.path, source, self._checkpoint, self.answer.num_passes)
        self._middle.setCurrentWidget(self.folder)
        job = self._jobs.start(
            "predict-folder", self.tr("Predicting"), predict_to_csv(question, folder, file),
            done=lambda found: self.folder.show_written(
                found.file, found.samples, found.files, (*found.problems, *found.remarks)
            ),
            failed=self.folder.show_problem, cancelled=self.folder.show_cancelled,
        )  # fmt: skip
        self.folder.follow(job, folder)

    def _put(self, source: Source) -> None:
        if self._busy:
            self._again = True
            return
        assert self._run is not None
        look, path = self.inside.look, self.inside.path
        method = str(self.inside.method.value())
        question = Question(
            self._run.info.path, source, self._checkpoint, self.answer.num_passes, look=look,
            layer=path if look == LAYER or (look == SALIENCY and self.inside.layer_is_chosen) else "", method=method,
            output=str(self.answer.output.value() or ""), answer=self.answer.rows.picked,
        )  # fmt: skip
        self._busy = True
        self._stamp = self._written()
        self.line.begin()
        self._jobs.start(
            "predict", self.tr("Predicting"), ask(question, self._desk, self._places()),
            done=self._show, failed=self._fail, cancelled=self._finish,
        )  # fmt: skip

    def _show(self, reply: Reply) -> None:
        # Shown even when a newer question waits: while somebody draws, there is always one.
        if self._fills:
            self._fills = False
            self.input.cells.fill(reply)
        self._middle.setCurrentWidget(self.answer)
        self.input.show_reply(reply)
        self.answer.show_reply(reply)
        self.inside.show_reply(reply)
        self._watch.start() if reply.weights.running else self._watch.stop()
        self._finish()

    def _fail(self, problem: Problem) -> None:
        if not self._finish():
            self.answer.show_problem(problem)
            self.inside.clear()
        self._fills = False

    def _finish(self) -> bool:
        """A question is answered; True when a newer one follows at once."""
        self._busy = False
        self.line.finish()
        again, self._again = self._again, False
        if again:
            self.ask()
        return again and self._busy

    def _ask_row(self) -> None:
        """Fills a row of the data into the cells."""
        self.input.sample.draw_quietly()
        source = self.input.sample.source()
        if source is not None:
            self._fills = True
            self._put(source)

    def _look_again(self) -> None:
        # Behind the tab of another dock nobody sees the answer.
        if not self.visibleRegion().isEmpty() and not self._busy and self._written() != self._stamp:
            self.ask()

    def _written(self) -> float:
        """When the newest checkpoint of the run was written."""
        if self._run is None:
            return 0.0
        folder = self._run.info.path / "checkpoints"
        try:
            return max((item.stat().st_mtime for item in folder.iterdir()), default=0.0)
        except OSError:  # it is being replaced at this moment
            return self._stamp

    def _lay_out(self) -> None:
        self._middle = QStackedWidget()
        self._middle.addWidget(self.answer)
        self._middle.addWidget(self.folder)
        body = QHBoxLayout()
        body.setContentsMargins(metrics.control_padding, 6, metrics.control_padding, metrics.grid)
        body.setSpacing(metrics.panel_padding)
        for place, (part, share) in enumerate(((self.input, 27), (self._middle, 36), (self.inside, 37))):
            if place:
                line = QFrame()
                line.setFrameShape(QFrame.Shape.VLine)
                body.addWidget(line)
            body.addWidget(part, share)
        self.input.setMinimumWidth(236)
        self.input.setMaximumWidth(420)
        self._middle.setMinimumWidth(220)
        self.inside.setMinimumWidth(240)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.line)
        outer.addLayout(body, 1)
