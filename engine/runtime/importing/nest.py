"""Steps become levels: groups by module path, with ports where data crosses their border.

The tree follows the calls of modules. A container that is only a shelf (`nn.ModuleList`) becomes a group too, unless
data would leave it and come back: then its parts stand beside it, called `downs_0`, and their keys change; so does a
module whose own weights are used by a function. Never looks at a shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from engine.runtime.importing.steps import Feed, Step, Steps


@dataclass(eq=False)
class Box:
    """One call of a module that is looked into; `children` in order of execution."""

    name: str
    path: str
    call: int = 0
    shelf: bool = False
    """A container that is never called itself."""
    children: list[Box | Step] = field(default_factory=list)
    inside: frozenset[str] = frozenset()
    """Keys of all steps inside."""
    enters: tuple[Feed, ...] = ()
    leaves: tuple[Feed, ...] = ()


def nest(steps: Steps) -> Box:
    """The tree of a network, its borders known."""
    return _Nesting(steps).done()


def name_of(child: Box | Step, box: Box) -> str:
    """What a child would like to be called: its path below the box, joined, or what an operation is called."""
    if isinstance(child, Box) or not child.path:
        return child.name
    return _below(child.path, box.path).replace(".", "_")


def keys(child: Box | Step) -> Iterator[str]:
    """Keys of all steps of a child."""
    if isinstance(child, Step):
        yield child.key
        return
    for inner in child.children:
        yield from keys(inner)


class _Nesting:
    def __init__(self, steps: Steps) -> None:
        self.steps: Mapping[str, Step] = {step.key: step for step in steps.steps}
        self.rank = {key: place for place, key in enumerate(self.steps)}
        self.outputs = [feed for _, feed in steps.outputs]
        self.taken = {step.path for step in steps.steps if step.path}
        self.users: dict[Feed, list[str]] = {}
        for step in steps.steps:
            for feed in step.feeds:
                self.users.setdefault(feed, []).append(step.key)
        for feed in self.outputs:
            self.users.setdefault(feed, []).append("")

    def done(self) -> Box:
        root = Box("", "")
        for step in self.steps.values():
            _place(root, step).children.append(step)
        self._settle(root)
        self._borders(root)
        return root

    def _settle(self, box: Box) -> None:
        """Opens what cannot be a group: modules whose weights a function uses, shelves that would feed themselves."""
        for child in box.children:
            if isinstance(child, Box):
                self._settle(child)
        for child in list(box.children):
            if isinstance(child, Box) and child.path in self.taken:
                _open(box, child)
        while (found := self._in_circle(box)) is not None:
            _open(box, found)
        # By their last step, so that each comes after what feeds it.
        box.children.sort(key=lambda child: max(self.rank[key] for key in keys(child)))

    def _in_circle(self, box: Box) -> Box | None:
        """A shelf (else any group) of a box through which data would run in a circle."""
        home = {key: place for place, child in enumerate(box.children) for key in keys(child)}
        sorter: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(range(len(box.children)), ()))
        for key, place in home.items():
            for feed in self.steps[key].feeds:
                source = home.get(feed.key)
                if source is not None and source != place:
                    sorter.add(place, source)
        try:
            sorter.prepare()
        except CycleError as fault:
            around = [box.children[place] for place in fault.args[1]]
            boxes = [child for child in around if isinstance(child, Box)]
            return next((child for child in boxes if child.shelf), boxes[0])
        return None

    def _borders(self, box: Box) -> None:
        inside: set[str] = set()
        for child in box.children:
            if isinstance(child, Box):
                self._borders(child)
                inside |= child.inside
            else:
                inside.add(child.key)
        box.inside = frozenset(inside)
        ordered = sorted(inside, key=self.rank.__getitem__)
        arriving = [feed for key in ordered for feed in self.steps[key].feeds if feed.key not in inside]
        box.enters = tuple(dict.fromkeys(arriving))
        given = {
            feed: None for child in box.children for feed in _given(child)
            if any(user not in inside for user in self.users.get(feed, ()))
        }  # fmt: skip
        box.leaves = tuple(sorted(given, key=lambda feed: (self.rank[feed.key], feed.output)))


def _given(child: Box | Step) -> tuple[Feed, ...]:
    return child.leaves if isinstance(child, Box) else (Feed(child.key),)


def _open(box: Box, child: Box) -> None:
    """Puts the parts of a box in its place."""
    place = box.children.index(child)
    for inner in child.children:
        if isinstance(inner, Box):
            inner.name = f"{child.name}_{inner.name}"
    box.children[place : place + 1] = child.children


def _place(root: Box, step: Step) -> Box:
    """The box that a step belongs to, with the boxes on the way made."""
    box = root
    for path, number in step.scope:
        parts = _below(path, box.path).split(".")
        for part in parts[:-1]:
            box = _child(box, part, f"{box.path}.{part}".lstrip("."), 0, shelf=True)
        box = _child(box, parts[-1], path, number, shelf=False)
    for part in _below(step.path, box.path).split(".")[:-1]:
        box = _child(box, part, f"{box.path}.{part}".lstrip("."), 0, shelf=True)
    return box


def _child(box: Box, name: str, path: str, number: int, *, shelf: bool) -> Box:
    for child in reversed(box.children):
        if isinstance(child, Box) and child.path == path and child.call == number and child.shelf == shelf:
            return child
    made = Box(name, path, number, shelf)
    box.children.append(made)
    return made


def _below(path: str, above: str) -> str:
    return path[len(above) + 1 :] if above and path.startswith(f"{above}.") else path
