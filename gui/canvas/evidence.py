"""What a training says about each layer: the value on show, its recent course, its place on the scale.

Owns the reading of a `Timeline` for boxes and wires: norms per instance path, gathered over the copies of a repeated
group. Never paints, never trains, never judges (`engine.verdict` does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite, log, log10, nan

from engine.analysis import Analysis
from engine.events import Probed
from engine.timeline import Timeline
from gui.canvas import measures as m
from gui.canvas.boxes import Box, Kind
from gui.canvas.scale import Scale
from gui.canvas.scene import Scene
from gui.canvas.wires import Wire

FAMILY, GRADIENT, RATIO, WEIGHT = "family", "gradient", "ratio", "weight"
SHOWS = (FAMILY, GRADIENT, RATIO, WEIGHT)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a layer or group: geometric mean and extremes over its copies, at the newest probe."""

    value: float
    weakest: float
    strongest: float
    finite: bool


class Evidence:
    """Readings by instance paths, remade only when a new probe came."""

    def __init__(self) -> None:
        self.show = FAMILY
        self.timeline: Timeline | None = None
        self.scale = Scale()
        self._step = -1
        self._recent: tuple[Probed, ...] = ()
        self._readings: dict[tuple[str, ...], Reading | None] = {}
        self._past: list[dict[tuple[str, ...], float]] = []
        """Per recent probe the means that were asked for: a probe of the past never changes."""

    @property
    def on(self) -> bool:
        """Whether a value is shown at all."""
        return self.show != FAMILY and self.timeline is not None

    def choose(self, show: str, timeline: Timeline | None) -> None:
        """Shows another value, or another run."""
        if timeline is not self.timeline or show != self.show:
            self.scale = Scale(-1, 1) if show == WEIGHT else Scale()
        self.show, self.timeline = show, timeline
        # No step has this number: whatever was read of another run or value is forgotten.
        self._step = -2
        self._recent, self._past = (), []
        self.refresh()

    def refresh(self) -> tuple[bool, bool]:
        """Takes the newest probe; returns (something new came, the scale changed)."""
        newest = self.timeline.probes.newest if self.timeline is not None and self.on else None
        step = newest.step if newest is not None else -1
        if step == self._step:
            return False, False
        self._step = step
        self._readings.clear()
        self._remember()
        values = [self._value(newest, path) for path in newest.gradient] if newest is not None else []
        return True, self.scale.cover(values)

    def reading(self, layers: tuple[str, ...]) -> Reading | None:
        """The value of some instance paths together; None when none of them was measured."""
        if not layers or not self._recent:
            return None
        if layers not in self._readings:
            self._readings[layers] = self._read(layers)
        return self._readings[layers]

    def course(self, layers: tuple[str, ...]) -> tuple[float, ...]:
        """log10 of the mean over some paths at each of the last probes, oldest first; nan where there is none."""
        found = []
        for probe, known in zip(self._recent, self._past, strict=True):
            if layers not in known:
                mean = _together([self._value(probe, path) for path in layers])
                known[layers] = log10(mean) if mean > 0 else nan
            found.append(known[layers])
        return tuple(found)

    def _read(self, layers: tuple[str, ...]) -> Reading | None:
        probe = self._recent[-1]
        newest = [self._value(probe, path) for path in layers if path in probe.gradient]
        if not newest:
            return None
        finite = [value for value in newest if isfinite(value)]
        if not finite:
            return Reading(nan, nan, nan, False)
        return Reading(_together(finite), min(finite), max(finite), len(finite) == len(newest))

    def _remember(self) -> None:
        """Takes the last probes; what was reckoned of those that are still among them is kept."""
        recent = self.timeline.probes.recent(m.SPARK_PROBES) if self.timeline is not None and self._step >= 0 else ()
        known = {id(probe): past for probe, past in zip(self._recent, self._past, strict=True)}
        self._past = [known.get(id(probe), {}) for probe in recent]
        self._recent = recent

    def _value(self, probe: Probed, path: str) -> float:
        if self.show == WEIGHT:
            return probe.weight.get(path, nan)
        gradient = probe.gradient.get(path, nan)
        if self.show == GRADIENT:
            return gradient
        weight = probe.weight.get(path, nan)
        return gradient / weight if weight > 0 else nan

    def index(self, scene: Scene, analysis: Analysis) -> None:
        """Tells every box and row which instance paths stand for it."""
        measured = self.timeline.layers if self.timeline is not None else []
        known = frozenset(measured)
        for box in scene.boxes.values():
            around = _prefixes(scene, analysis, box)
            box.layers = _paths_of(box, analysis, measured, known, around)
            if box.rows:
                own = _group_prefixes(analysis, box, around)
                for row in box.rows:
                    row.layers = _row_paths(row.key, row.node.is_group, analysis, measured, known, own)
        carried: dict[tuple[tuple[str, ...], str], tuple[str, ...]] = {}
        for wire in scene.wires.values():
            # Before the first layer that learns, a wire shows the layer that it feeds.
            wire.layers = _carrier(scene, wire.source, carried, 0) or wire.target.layers

    def color_wires(self, scene: Scene) -> list[Wire]:
        """Sets every wire's place on the scale from the layer that feeds it; returns those that changed."""
        changed = []
        on = self.on
        for wire in scene.wires.values():
            reading = self.reading(wire.layers) if on else None
            level = -1.0 if reading is None else self.scale.level(reading.value)
            broken = reading is not None and not reading.finite
            if level != wire.level or broken != wire.broken:
                wire.level, wire.broken = level, broken
                changed.append(wire)
        return changed


def _together(values: Sequence[float]) -> float:
    """Geometric mean; not a number when any value is none, zero when any is zero."""
    if not values or not all(isfinite(value) for value in values):
        return nan
    if len(values) == 1:
        return values[0]
    if min(values) <= 0:
        return 0.0
    return exp(sum(map(log, values)) / len(values))


def _carrier(
    scene: Scene, box: Box, known: dict[tuple[tuple[str, ...], str], tuple[str, ...]], depth: int
) -> tuple[str, ...]:
    """The layers whose gradient passes along a box's outgoing wires: its own, else those of what feeds it."""
    if box.layers or depth > 200:
        return box.layers
    if box.item not in known:
        known[box.item] = ()
        feeding = [wire.source for wire in scene.wires_at(box) if wire.target is box]
        if box.kind is Kind.PORT and not feeding and box.path:
            outer = scene.boxes.get((box.path[:-1], box.path[-1]))
            feeding = [wire.source for wire in scene.wires_at(outer) if wire.target is outer] if outer else []
        found = (_carrier(scene, source, known, depth + 1) for source in feeding)
        known[box.item] = next((layers for layers in found if layers), ())
    return known[box.item]


def _paths_of(
    box: Box, analysis: Analysis, measured: Sequence[str], known: frozenset[str], around: tuple[str, ...]
) -> tuple[str, ...]:
    if box.is_group:
        own = _group_prefixes(analysis, box, around)
        return tuple(path for path in measured if _under(path, own))
    facts = analysis.nodes.get(box.key)
    paths = facts.paths if facts and facts.paths else ()
    return tuple(path for path in paths if path in known and (not box.path or not around or _under(path, around)))


def _row_paths(
    key: tuple[str, str],
    group: bool,
    analysis: Analysis,
    measured: Sequence[str],
    known: frozenset[str],
    around: tuple[str, ...],
) -> tuple[str, ...]:
    facts = analysis.nodes.get(key)
    paths = tuple(path for path in (facts.paths if facts else ()) if _under(path, around))
    if group:
        return tuple(path for path in measured if _under(path, paths))
    return tuple(path for path in paths if path in known)


def _group_prefixes(analysis: Analysis, box: Box, around: tuple[str, ...]) -> tuple[str, ...]:
    facts = analysis.nodes.get(box.key)
    paths = facts.paths if facts and facts.paths else (box.node.name,)
    return tuple(path for path in paths if not around or _under(path, around)) or paths


def _prefixes(scene: Scene, analysis: Analysis, box: Box) -> tuple[str, ...]:
    """Instance paths of the group whose frame is around a box; empty on the outermost level."""
    if not box.path:
        return ()
    outer = scene.boxes.get((box.path[:-1], box.path[-1]))
    return _group_prefixes(analysis, outer, _prefixes(scene, analysis, outer)) if outer is not None else ()


def _under(path: str, prefixes: Sequence[str]) -> bool:
    return any(path == prefix or path.startswith(prefix + ".") for prefix in prefixes)
