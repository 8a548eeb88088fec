"""A canvas with a small network on it, and hands that press, drag and release on it as a person does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from engine import edits, groups
from engine.analysis import Analysis, NodeFacts
from engine.graph import Edge, Graph, input_ports, output_ports
from engine.project import Project
from engine.tensor import TensorInfo
from gui import settings
from gui.canvas.boxes import Box, NodeKey, Socket
from gui.canvas.view import CanvasView
from gui.document import Document

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE = Qt.KeyboardModifier.NoModifier
CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
CHAIN = (("images", "input"), ("flat", "flatten"), ("first", "linear"), ("act", "relu"), ("scores", "output"))


def chain(*names: tuple[str, str], wired: bool = True, step: float = 200.0) -> Graph:
    """Layers side by side, each fed by the one before."""
    graph, last = Graph(), ""
    for index, (name, type_name) in enumerate(names or CHAIN):
        graph, node = edits.add_node(graph, "", type_name, name=name, x=index * step, y=0.0)
        if last and wired:
            before = graph.nodes[last]
            out, into = output_ports(graph, before)[0].name, input_ports(graph, node)[0].name
            graph = edits.connect(graph, "", last, out, node.id, into)
        last = node.id
    return graph


class World:
    """The view, its document, and what a person does with them."""

    def __init__(self, view: CanvasView, document: Document) -> None:
        self.view, self.document = view, document

    @property
    def graph(self) -> Graph:
        """The network as it is now."""
        return self.document.graph

    def key(self, name: str) -> NodeKey:
        """(definition, id) of the node of that name, wherever it is."""
        found = ((owner, node) for owner, level in self.graph.levels() for node in level.nodes.values())
        return next((owner, node.id) for owner, node in found if node.name == name)

    def box(self, name: str) -> Box:
        """The box that shows the node of that name."""
        box = self.view.scene.box(self.key(name))
        assert box is not None, f"{name} is not on show"
        return box

    def names(self) -> set[str]:
        """Names of the outermost level."""
        return {node.name for node in self.graph.nodes.values()}

    def wires(self, definition: str = "") -> set[tuple[str, str]]:
        """(from, to) by name of every wire of a level."""
        level = self.graph.level(definition)
        return {(level.nodes[edge.source].name, level.nodes[edge.target].name) for edge in level.edges}

    def edge(self, source: str, target: str) -> Edge:
        """The wire between two nodes."""
        one, other = self.key(source)[1], self.key(target)[1]
        return next(edge for edge in self.graph.edges if (edge.source, edge.target) == (one, other))

    def at(self, point: QPointF) -> QPoint:
        """Where a point of the scene is on the widget."""
        return self.view.to_view(point).toPoint()

    def middle(self, name: str) -> QPoint:
        """The middle of a box on the widget."""
        return self.at(self.box(name).rect.center())

    def out(self, name: str) -> QPoint:
        """The first output port of a box on the widget."""
        box = self.box(name)
        return self.at(box.place(box.outputs[0]))

    def into(self, name: str, place: int = 0) -> QPoint:
        """An input port of a box on the widget."""
        box = self.box(name)
        return self.at(box.place(box.inputs[place]))

    def between(self, source: str, target: str, share: float = 0.5) -> QPoint:
        """A point along the wire between two boxes."""
        start, end = self.out(source), self.into(target)
        return start + (QPointF(end - start) * share).toPoint()

    def sockets(self, name: str) -> list[Socket]:
        """The input ports of a box."""
        return self.box(name).inputs

    def click(self, point: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
        """A press and release."""
        QTest.mouseClick(self.view, LEFT, keys, point)

    def double_click(self, point: QPoint) -> None:
        """A double click as the system sends it."""
        QTest.mouseClick(self.view, LEFT, NONE, point)
        QTest.mouseDClick(self.view, LEFT, NONE, point)

    def drag(
        self,
        start: QPoint,
        end: QPoint,
        keys: Qt.KeyboardModifier = NONE,
        button: Qt.MouseButton = LEFT,
        *,
        before_release: Callable[[], None] | None = None,
    ) -> None:
        """A press, some moves, and a release."""
        self.press(start, keys, button)
        for step in range(1, 6):
            self.move(start + (QPointF(end - start) * (step / 5)).toPoint(), keys, button)
        if before_release is not None:
            before_release()
        QTest.mouseRelease(self.view, button, keys, end)

    def press(self, point: QPoint, keys: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
        """A press."""
        QTest.mousePress(self.view, button, keys, point)

    def move(self, point: QPoint, keys: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
        """A move with a button held; QTest cannot hold keys while moving, so the event is made by hand."""
        from PySide6.QtCore import QEvent
        from PySide6.QtGui import QMouseEvent
        from PySide6.QtWidgets import QApplication

        place = QPointF(point)
        event = QMouseEvent(
            QEvent.Type.MouseMove, place, QPointF(self.view.mapToGlobal(point)), Qt.MouseButton.NoButton, button, keys
        )
        QApplication.sendEvent(self.view, event)

    def key_press(self, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
        """A key pressed and released while the canvas has the keyboard."""
        QTest.keyClick(self.view, key, keys)

    def select(self, *names: str) -> None:
        """Selects nodes by name."""
        self.document.selection.select(self.key(name) for name in names)

    def selected(self) -> set[str]:
        """Names of the selected nodes."""
        return {self.graph.level(owner).nodes[node].name for owner, node in self.document.selection.nodes}

    def group(self, *names: str, title: str = "", repeat: int = 1) -> str:
        """Groups nodes by an edit; returns the name of the group."""
        ids = [self.key(name)[1] for name in names]
        made: list[str] = []

        def change(graph: Graph) -> Graph:
            graph, block = groups.group(graph, "", ids, title=title)
            made.append(block)
            return edits.set_repeat(graph, "", block, repeat) if repeat > 1 else graph

        self.document.edit_graph("Group", change)
        return self.graph.nodes[made[0]].name

    def add(self, type_name: str, name: str, x: float, y: float, *, after: str = "") -> None:
        """Adds a layer by an edit, fed by another one when named."""

        def change(graph: Graph) -> Graph:
            graph, node = edits.add_node(graph, "", type_name, name=name, x=x, y=y)
            if not after:
                return graph
            source = self.key(after)[1]
            out, into = output_ports(graph, graph.nodes[source])[0].name, input_ports(graph, node)[0].name
            return edits.connect(graph, "", source, out, node.id, into)

        assert self.document.edit_graph("Add", change)

    def tell_shapes(self, **shapes: tuple[int, ...]) -> None:
        """Pretends that a check found these shapes leaving the nodes."""
        nodes = {self.key(name): NodeFacts(outputs={"out": TensorInfo(shape)}) for name, shape in shapes.items()}
        self.document.accept(Analysis(nodes=nodes), self.document.project)


def show(view: CanvasView, project: Project | Graph) -> None:
    """Puts a project on the canvas at 100 %, its first layers in the upper left of the view."""
    view.document.adopt(project if isinstance(project, Project) else Project(graph=project))
    view.aim(QPointF(view.width() / 2 - 60, view.height() / 2 - 150), 1.0)


def make_world(graph: Graph) -> Iterator[World]:
    """A shown canvas of 1,200 x 600 with a network; nothing glides, so that every result is there at once."""
    settings.motion.set("reduced")
    document = Document()
    view = CanvasView(document)
    view.resize(1200, 600)
    view.show()
    view.activateWindow()
    view.setFocus()
    show(view, graph)
    QTest.qWait(1)
    yield World(view, document)
    view.cancel_gesture()
    view.close()
    view.deleteLater()
    document.deleteLater()
    QTest.qWait(1)
