"""Opens weights from anywhere into a project: look first, take afterwards.

`examine` reads a file and holds it against the project's network; what it finds is shown to a person. `taken` gives the
project that has those weights. Nothing of the open project changes before that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.problem import ProblemError, Where, error
from engine.project import Project
from engine.runtime.analyze import analyze
from engine.runtime.build import build
from engine.runtime.foreign_weights import Foreign, read_weights
from engine.runtime.own_weights import attach, facts_of, wanted_tensors
from engine.runtime.randomness import guarded
from engine.tensorfacts import Facts
from engine.weightfile import detach
from engine.weightmatch import Match, match


@dataclass(frozen=True)
class Examined:
    """A file beside the network it could go into."""

    foreign: Foreign
    match: Match

    def taken(self, project: Project, *, partial: bool = False) -> Project:
        """The project with what fits, under the network's own names; its seed draws the rest.

        ProblemError when nothing fits, when not everything does and `partial` is not asked for, or when the disk
        refuses.
        """
        refusal = why_not(self.match, self.foreign.path, partial=partial)
        if refusal is not None:
            raise refusal
        tensors = {own: self.foreign.tensors[theirs] for own, theirs in self.match.taken.items()}
        return attach(project, tensors, source=self.foreign.path.name, partial=not self.match.is_complete)


def examine(
    project: Project, path: Path, *, part: str = "", cancelled: Callable[[], bool] = lambda: False
) -> Examined:  # fmt: skip
    """How the weights of a file fit the project's network; ProblemError when either cannot be used."""
    wanted = wanted_by(project)
    foreign = read_weights(path, part=part, cancelled=cancelled)
    found = match(foreign.facts, wanted, ordered=foreign.is_ordered, aliases=foreign.aliases)
    return Examined(foreign, Match(found.rows, (*foreign.said, *found.said)))


def why_not(found: Match, path: Path, *, partial: bool) -> ProblemError | None:
    """The error that taking these weights is; None when they can be taken."""
    counts = found.counts
    where = Where(label=path.name, file=str(path))
    if not found.taken:
        return ProblemError(error(
            where, f"None of the {counts['unused'] + counts['differs']:,} tensors fits this network",
            "Weights of the same architecture", "Choose the file that belongs to this network, or import its network",
            code="weights-unfit",
        ))  # fmt: skip
    if found.is_complete or partial:
        return None
    lacking = {
        "of other shape": counts["differs"], "of the network without weights": counts["absent"],
        "of the file without a place": counts["unused"],
    }  # fmt: skip
    words = ", ".join(f"{count:,} {what}" for what, count in lacking.items() if count)
    return ProblemError(error(
        where, f"{len(found.taken):,} tensors fit, and not all do: {words}", "A partner for every tensor",
        "Load only what fits (--partial), or choose the file that belongs to this network", code="weights-unfit",
    ))  # fmt: skip


def wanted_by(project: Project) -> Facts:
    """The tensors of the project's network, in order; ProblemError when it has errors."""
    bare = detach(project)
    analysis = analyze(bare)
    wanted = wanted_tensors(analysis.source, analysis.class_name)
    if wanted is not None:
        return wanted
    with guarded():  # also where the network has errors: building says which
        return facts_of(build(bare, analysis=analysis).model.state_dict())
