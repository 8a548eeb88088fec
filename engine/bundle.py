"""The text of a bundle's `predict.py`: it loads the model beside it and answers about files, with nothing but torch.

Pillow is asked for only where the network takes images. Owns the words of that file; what else lies in a bundle is
written in `runtime/export_bundle.py`. Knows no torch. Everything of the user's is a `repr` literal or a checked name.
"""

from __future__ import annotations

from engine.analysis import Analysis
from engine.datasets.facts import raw_streams
from engine.datasets.raw import IMAGE, StreamInfo
from engine.expr import quoted
from engine.known import known_data
from engine.project import Project
from engine.source_ends import Ends, OutputEnd, find_ends
from engine.source_names import comment
from engine.source_parts import bracketed
from engine.standalone_table import table_columns
from engine.tensor import shape_text

MODEL, WEIGHTS, STATISTICS = "model.py", "weights.pt", "statistics.pt"
EXAMPLE, EXPECTED, PREDICT, CARD = "example_input.pt", "expected_output.pt", "predict.py", "MODEL_CARD.md"
CLASSES, PREPROCESSING, PROJECT = "classes.json", "preprocessing.json", "project.lwr"


def predict_text(project: Project, analysis: Analysis, *, statistics: bool) -> str:
    """The file's text. `statistics`: those of the preprocessing lie in a file of their own."""
    ends = find_ends(project)
    data = known_data(project)
    streams = raw_streams(data) if data else {}
    wanted = {end.name: streams[end.stream] for end in ends.inputs}
    table = bool(table_columns(data))
    image = next(iter(wanted.values())) if len(wanted) == 1 else None
    image = image if image is not None and image.kind == IMAGE else None
    labels = _labels(project, ends)
    names = sorted([analysis.class_name, "predict", *(["CLASSES"] * labels), *(["encode"] * table)], key=_import_order)
    lines = [
        *_docstring(project, wanted, table=table, image=image is not None), "", "from __future__ import annotations",
        "", *(["import csv"] if table else []), "import sys", "from pathlib import Path", "", "import torch",
        *_imports(names, image=image, resized=image is not None and _is_fixed(project)),
        "", "HERE = Path(__file__).parent", "", "", *_load(analysis), "", "",
        *_answers(ends, statistics=statistics), "", "", *_read(project, wanted, table=table, image=image), "", "",
        *_say(ends, labels=labels, classes=_with_classes(project, ends)), "", "", *_MAIN,
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _import_order(name: str) -> tuple[int, str]:
    """As ruff sorts: constants, classes, functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def _docstring(project: Project, wanted: dict[str, StreamInfo], *, table: bool, image: bool) -> list[str]:
    kinds = ["images"] * image + ["tables (.csv)"] * table + ["tensors saved with torch.save (.pt)"]
    lines = [
        f'"""Answers of {comment(project.name).replace(chr(34), chr(39)) or "a network"} to new samples; needs only '
        f"PyTorch{' and, for images, Pillow' if image else ''}.",
        "",
        "    python predict.py              checks that the example gives the expected output",
        f"    python predict.py FILE ...     answers about files: {', '.join(kinds)}",
        "",
    ]
    for name, stream in wanted.items():
        values = f", values 0 to {stream.top:g}" if stream.top else ""
        lines.append(f"{name}: (samples, {', '.join(map(str, stream.shape))}){values}")
    if len(wanted) > 1:
        lines.append("A .pt file holds a dictionary of these.")
    return [*lines, '"""']


def _imports(names: list[str], *, image: StreamInfo | None, resized: bool) -> list[str]:
    found = ["import torch.nn.functional as F"] if resized else []
    own = bracketed("from model import ", names, "", 0)
    if len(own) > 1:
        own = ["from model import (", *(f"    {name}," for name in names), ")"]
    pillow = ["from PIL import Image"] if image is not None else []
    return [*found, *own, *pillow, "from torch import Tensor, nn"]


def _load(analysis: Analysis) -> list[str]:
    return [
        "def load_model() -> nn.Module:",
        '    """The trained network."""',
        f"    model = {analysis.class_name}()",
        f'    model.load_state_dict(torch.load(HERE / "{WEIGHTS}", weights_only=True))',
        "    return model.eval()",
    ]


def _answers(ends: Ends, *, statistics: bool) -> list[str]:
    names = [end.name for end in ends.outputs]
    more = f', **torch.load(HERE / "{STATISTICS}", weights_only=True)' if statistics else ""
    lines = [
        "def answers(model: nn.Module, samples: dict[str, Tensor]) -> dict[str, Tensor]:",
        '    """What the network answers to raw samples by input, first axis the samples: one tensor per output."""',
        f"    found = predict(model, **samples{more})",
    ]
    if len(names) == 1:
        return [*lines, f'    return {{"{names[0]}": found}}']
    listed = ", ".join(f'"{name}"' for name in names)
    return [*lines, f"    return dict(zip(({listed}), found, strict=True))"]


def _read(project: Project, wanted: dict[str, StreamInfo], *, table: bool, image: StreamInfo | None) -> list[str]:
    first = next(iter(wanted))
    lines = [
        "def read(file: Path) -> dict[str, Tensor]:",
        '    """The raw samples of a file, by input."""',
        '    if file.suffix == ".pt":',
        "        found = torch.load(file, weights_only=True)",
        f'        return found if isinstance(found, dict) else {{"{first}": found}}',
    ]
    if table:
        each = ", ".join(f'"{name}": rows' for name in wanted)
        return [
            *lines, '    with open(file, newline="", encoding="utf-8") as stream:',
            "        rows = encode(list(csv.DictReader(stream)))", f"    return {{{each}}}",
        ]  # fmt: skip
    if image is None:
        expected = " and ".join(f"{name} ({shape_text(stream.shape)})" for name, stream in wanted.items())
        return [*lines, f"    raise SystemExit(f{quoted('{file}: a .pt file is wanted, with ' + expected)})"]
    channels, height, width = image.shape
    mode, form = ("L", "image.height, image.width") if channels == 1 else ("RGB", "image.height, image.width, 3")
    moved = "[None, None]" if channels == 1 else ".permute(2, 0, 1)[None]"
    lines += [
        f'    image = Image.open(file).convert("{mode}")',
        f"    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view({form}){moved}",
    ]
    if _is_fixed(project):
        size = f"[{height}, {width}]"
        lines += [
            f'    pixels = F.interpolate(pixels.float(), size={size}, mode="bilinear", antialias=True)',
            "    pixels = pixels.round().clamp(0, 255).to(torch.uint8)",
        ]
    scaled = "pixels" if image.top in (0.0, 255.0) else f"pixels.float() * {image.top / 255.0!r}"
    return [*lines, f'    return {{"{first}": {scaled}}}']


def _is_fixed(project: Project) -> bool:
    """Images must have the size of the data, since the preprocessing does not give them one."""
    return project.recipe.made("preprocess").resize is None


def _labels(project: Project, ends: Ends) -> bool:
    return bool(_with_classes(project, ends))


def _with_classes(project: Project, ends: Ends) -> list[OutputEnd]:
    """The outputs whose columns are named classes."""
    data = known_data(project)
    targets = data.targets if data else {}
    return [end for end in ends.outputs if end.target in targets and targets[end.target].classes]


def _say(ends: Ends, *, labels: bool, classes: list[OutputEnd]) -> list[str]:
    """`say`: one answer as text."""
    lines = ["def say(name: str, answer: Tensor) -> str:", '    """One answer in words."""']
    chosen = [end.name for end in classes if end.activation == "softmax"]
    if labels and chosen:
        table = "CLASSES" if len(ends.outputs) == 1 else "CLASSES[name]"
        inside = [
            f"shares, places = answer.topk(min(3, len({table})))",
            f'return ", ".join(f"{{{table}[place]}} {{share:.1%}}" for share, place in zip(shares, places))',
        ]
        if len(chosen) == len(ends.outputs):
            return [*lines, *(f"    {line}" for line in inside)]
        among = ", ".join(f'"{name}"' for name in chosen)
        lines += [f"    if name in ({among},):", *(f"        {line}" for line in inside)]
    return [*lines, '    return ", ".join(f"{value:.6g}" for value in answer.flatten().tolist())']


_MAIN = (
    "def main(files: list[str]) -> int:",
    '    """Answers about files, or tries the example; 0 when all is well."""',
    "    model = load_model()",
    "    for file in files:",
    "        found = answers(model, read(Path(file)))",
    "        for name, answer in found.items():",
    "            for row in answer:",
    '                print(f"{file}: {name}: {say(name, row)}")',
    "    if files:",
    "        return 0",
    f'    example = torch.load(HERE / "{EXAMPLE}", weights_only=True)',
    f'    expected = torch.load(HERE / "{EXPECTED}", weights_only=True)',
    "    found = answers(model, example)",
    "    same = all(torch.allclose(found[name], answer, rtol=1e-4, atol=1e-5) for name, answer in expected.items())",
    "    print(f\"The example gives {'the expected' if same else 'ANOTHER'} output.\")",
    "    return 0 if same else 1",
    "",
    "",
    'if __name__ == "__main__":',
    "    raise SystemExit(main(sys.argv[1:]))",
)
