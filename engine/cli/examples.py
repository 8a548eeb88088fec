"""`examples`: the built-in projects, listed, printed or written to a file."""

from __future__ import annotations

from argparse import Namespace

from engine.cli.outcome import GOOD, usable
from engine.cli.output import Output
from engine.examples import chapter_names, example_names, load_example
from engine.places import default_places
from engine.project import Project
from engine.projectfile import to_json, to_text, write_project


def examples(options: Namespace, output: Output) -> int:
    """Lists the built-in projects, or hands one out."""
    if not options.name:
        for name in (*example_names(), *chapter_names()):
            project = load_example(name)
            data = str(project.recipe.get("data")["type"])
            output.record({"name": name, "about": project.notes, "data": data, "fetches": fetches(project)})
            output.text(f"{name:<14}{_first_sentence(project.notes)}{'  (fetches data)' * bool(fetches(project))}")
        return GOOD
    with usable():
        project = load_example(options.name)
        if options.output is not None:
            write_project(project, options.output)
    if options.output is not None:
        output.record({"name": options.name, "file": str(options.output)})
        output.text(f"Wrote {options.output}")
    elif output.json:
        output.record(to_json(project))
    else:
        output.raw(to_text(project))
    return GOOD


def fetches(project: Project) -> bool:
    """True when its data does not come with the program, as far as this computer holds none."""
    from engine.datasets.facts import settings_of
    from engine.datasets.find import candidates

    settings = settings_of(project.recipe, "data")
    if getattr(settings, "torchvision", ""):
        return not any((root / settings.torchvision).is_dir() for root in default_places().roots)
    path = str(getattr(settings, "path", ""))
    return bool(path) and not any(place.exists() for place in candidates(path, default_places()))


def _first_sentence(text: str) -> str:
    head, stop, _ = text.partition(". ")
    return head + stop.strip() if len(head) < 140 else head[:137] + "..."
