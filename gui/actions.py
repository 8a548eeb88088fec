"""One table of commands, from which menus, toolbar, shortcuts, the command box and the help page are made.

Owns words, tips, keys and icons. What a command does is connected by the window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from gui.icons import icon


def tr_noop(text: str) -> str:
    """Marks text for translation; `lupdate` finds the call, the table keeps the English."""
    return text


@dataclass(frozen=True)
class Command:
    """One thing a person can do. `menu` is where it stands; `keys` the first is shown, all work."""

    id: str
    menu: str
    text: str
    tip: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    separated: bool = False
    """A line stands above it in its menu."""
    canvas: bool = False
    """Its keys work only while the canvas has the keyboard, so that text fields keep theirs."""


def _c(id_: str, menu: str, text: str, tip: str, *keys: str, **more: object) -> Command:
    return Command(id_, menu, tr_noop(text), tr_noop(tip), keys, **more)  # type: ignore[arg-type]


COMMANDS: tuple[Command, ...] = (
    _c("new", "file", "New", "Start with an empty project", "Ctrl+N", icon="new"),
    _c("open", "file", "Open…", "Open a project", "Ctrl+O", icon="open"),
    _c("import_network", "file", "Import a network…", "Open one of torchvision's classifiers as a project, with or "
       "without its trained weights", "Ctrl+I", icon="import"),
    _c("import_file", "file", "Import a file…", "Open the network of an ONNX file as a project, with its weights",
       "Ctrl+Alt+I", icon="import"),
    _c("open_weights", "file", "Open weights…", "Let this network start from the weights of a file, as far as they fit",
       "Ctrl+Alt+O", icon="import"),
    _c("save", "file", "Save", "Save the project", "Ctrl+S", icon="save", separated=True),
    _c("save_as", "file", "Save as…", "Save the project under another name", "Ctrl+Shift+S"),
    _c("export", "file", "Export…", "Write the model as Python code or its weights as a file, and prove it by reading "
       "it back", "Ctrl+E", icon="export", separated=True),
    _c("settings", "file", "Settings…", "Theme, folders, autosave", "Ctrl+,", icon="settings", separated=True),
    _c("quit", "file", "Quit", "Close Layerwright", "Ctrl+Q", separated=True),
    _c("undo", "edit", "Undo", "Take back the last change", "Ctrl+Z", icon="undo"),
    _c("redo", "edit", "Redo", "Bring back what was undone", "Ctrl+Y", "Ctrl+Shift+Z", icon="redo"),
    _c("cut", "edit", "Cut", "Cut the selected layers", "Ctrl+X", icon="cut", separated=True, canvas=True),
    _c("copy", "edit", "Copy", "Copy the selected layers", "Ctrl+C", icon="copy", canvas=True),
    _c("paste", "edit", "Paste", "Paste layers", "Ctrl+V", icon="paste", canvas=True),
    _c("duplicate", "edit", "Duplicate", "Copy the selected layers beside themselves", "Ctrl+D", icon="duplicate",
       canvas=True),
    _c("delete", "edit", "Delete", "Delete the selected layers and wires", "Del", "Backspace", icon="remove",
       canvas=True),
    _c("delete_bridge", "edit", "Delete and join", "Delete the selected layers and join what stood around them",
       "Ctrl+Del", canvas=True),
    _c("select_all", "edit", "Select all", "Select every layer of this level", "Ctrl+A", separated=True, canvas=True),
    _c("rename", "edit", "Rename", "Rename the selected layer", "F2", icon="pencil", canvas=True),
    _c("workspace_build", "view", "Build", "Arrange the window for building", "Ctrl+Alt+1"),
    _c("workspace_train", "view", "Train", "Arrange the window for training", "Ctrl+Alt+2"),
    _c("workspace_compare", "view", "Compare", "Compare runs side by side", "Ctrl+Alt+3"),
    _c("zoom_in", "view", "Zoom in", "Show the network larger", "Ctrl++", "Ctrl+=", icon="zoom-in", separated=True),
    _c("zoom_out", "view", "Zoom out", "Show the network smaller", "Ctrl+-", icon="zoom-out"),
    _c("zoom_reset", "view", "Zoom to 100 %", "Show the network at its own size", "Ctrl+1"),
    _c("fit", "view", "Fit", "Show the whole network", "Ctrl+0", icon="fit"),
    _c("fit_selection", "view", "Fit the selection", "Show the selected layers as large as possible", "F", canvas=True),
    _c("hide_docks", "view", "Only the canvas", "Hide all panels, or show them again", "F11", checkable=True,
       separated=True),
    _c("next_region", "view", "Next region", "Give the keyboard to the next part of the window", "F6", separated=True),
    _c("previous_region", "view", "Region before", "Give the keyboard to the part of the window before", "Shift+F6"),
    _c("reset_arrangement", "view", "Reset arrangement", "Put every panel back where it belongs"),
    _c("search_layer", "insert", "Find a layer…", "Search for a layer and add it", "Ctrl+Space", icon="search"),
    _c("group", "model", "Group", "Put the selected layers into a block", "Ctrl+G", icon="group"),
    _c("ungroup", "model", "Ungroup", "Take the layers out of the selected block", "Ctrl+Shift+G", icon="ungroup"),
    _c("enter_group", "model", "Enter the block", "Show what is inside the selected block", "Alt+Return"),
    _c("leave_group", "model", "Leave the block", "Go back to the level above", "Alt+Up"),
    _c("freeze", "model", "Freeze", "Keep the selected layers as they are while the others train; press again to let "
       "them train", "Ctrl+Shift+K", icon="snowflake", separated=True),
    _c("freeze_below", "model", "Freeze everything below", "Freeze the selected layers and all that leads to them",
       "Ctrl+Alt+K"),
    _c("unfreeze_all", "model", "Unfreeze all", "Let every layer train"),
    _c("tidy", "model", "Tidy", "Arrange the layers from left to right", "Ctrl+Shift+F", icon="tidy", separated=True),
    _c("train", "train", "Train", "Train this network from the start", "Ctrl+Return", "Ctrl+Enter", icon="play"),
    _c("pause", "train", "Pause", "Hold before the next step; press again to continue", "Ctrl+Shift+Return",
       icon="pause"),
    _c("step", "train", "Step", "Make one optimizer step", "Ctrl+.", icon="step"),
    _c("stop", "train", "Stop", "Save a checkpoint and end the training", "Ctrl+Alt+Return", icon="stop"),
    _c("continue_run", "train", "Continue a run…", "Go on with the run that is open", icon="continue", separated=True),
    _c("halve_rate", "train", "Halve the learning rate", "Multiply the rate of the running training by 0.5",
       "Ctrl+Alt+Down", separated=True),
    _c("double_rate", "train", "Double the learning rate", "Multiply the rate of the running training by 2",
       "Ctrl+Alt+Up"),
    _c("find_rate", "train", "Find a learning rate…", "Grow the rate on a copy until the loss shoots up, and propose "
       "one below", "Ctrl+Alt+L", icon="target", separated=True),
    _c("show_runs", "runs", "Show runs", "Open the list of runs", "Ctrl+Shift+R", icon="runs"),
    _c("evaluate", "runs", "Evaluate…", "Figures and confusion matrix of the run that is open", "Ctrl+Shift+E",
       icon="target"),
    _c("predict", "runs", "Predict", "Ask a trained run about a drawing, a file, a sample or a row, and see why it "
       "answers so", "Ctrl+Shift+I", icon="sample"),
    _c("open_runs_folder", "runs", "Open the runs folder", "Show the files of the runs", icon="folder"),
    _c("clear_overlay", "runs", "Clear the overlay", "Show one run in the charts again"),
    _c("commands", "help", "Do anything…", "Search every command and every layer", "Ctrl+Shift+P", icon="search"),
    _c("shortcuts", "help", "Keyboard", "Every key of the program", "Shift+F1", icon="keyboard"),
    _c("layer_help", "help", "About this layer", "What the selected layer does", "F1", icon="help"),
    _c("show_descent", "help", "Optimizers on a landscape…", "Watch optimizers run down a landscape of two numbers: "
       "speed, friction, valleys and saddles"),
    _c("show_clipping", "help", "Clipping a gradient…", "Drag a gradient of two numbers and see what clipping by value "
       "and by norm make of it", icon="eye"),
    _c("about", "help", "About Layerwright", "Version and licences", separated=True),
)  # fmt: skip

MENUS: tuple[tuple[str, str], ...] = (
    ("file", tr_noop("File")), ("edit", tr_noop("Edit")), ("view", tr_noop("View")), ("insert", tr_noop("Insert")),
    ("model", tr_noop("Model")), ("train", tr_noop("Train")), ("runs", tr_noop("Runs")), ("help", tr_noop("Help")),
)  # fmt: skip


def translated(text: str) -> str:
    """The words of the table in the chosen language."""
    return QCoreApplication.translate("Actions", text)


class Actions(QObject):
    """A QAction for every command, by id. `canvas` commands get their keys only on the canvas."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._actions: dict[str, QAction] = {}
        for command in COMMANDS:
            action = QAction(translated(command.text), window)
            keys = [QKeySequence(key) for key in command.keys]
            shown = keys[0].toString(QKeySequence.SequenceFormat.NativeText) if keys else ""
            action.setObjectName(command.id)
            action.setToolTip(f"{translated(command.tip)}  {shown}".rstrip())
            action.setStatusTip("")
            action.setCheckable(command.checkable)
            action.setShortcuts(keys)
            if command.icon:
                action.setIcon(icon(command.icon))
            if not command.canvas:
                window.addAction(action)
            self._actions[command.id] = action

    def __getitem__(self, command: str) -> QAction:
        return self._actions[command]

    def connect_all(self, slots: dict[str, Callable[[], object]]) -> None:
        """Connects commands to what they do."""
        for command, slot in slots.items():
            # `triggered` hands over a checked state that most slots do not take.
            self._actions[command].triggered.connect(lambda _checked=False, slot=slot: slot())

    def give_keys(self, canvas: QWidget) -> None:
        """Makes the canvas commands' keys work while the canvas, or something in it, has the keyboard."""
        from PySide6.QtCore import Qt

        for command in COMMANDS:
            if command.canvas:
                action = self._actions[command.id]
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                canvas.addAction(action)

    def all(self) -> list[tuple[Command, QAction]]:
        """Every command with its action, in order of the table."""
        return [(command, self._actions[command.id]) for command in COMMANDS]
