"""What each command takes. One table of parsers; never runs anything."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from engine.cli.names import COMMANDS
from engine.cli.output import Output
from engine.formats import FORMATS
from engine.problem import Where, error
from engine.range_test import HIGH, LOW, STEPS

DEVICES = ("auto", "cpu", "cuda", "mps")
_PROJECT = "a project file (*.lwr), or the name of a built-in one (see: examples)"
_RUN = "a run: its folder, its name, its id, or a unique beginning of these"


class Parser(argparse.ArgumentParser):
    """argparse's, whose complaint is a line of JSON too where JSON was asked for."""

    json = False

    def error(self, message: str) -> NoReturn:
        """Says what is wrong with the arguments, and ends with exit code 2."""
        if self.json:
            where = Where(label=self.prog.removeprefix("main.py").strip() or "command")
            usage = " ".join(self.format_usage().removeprefix("usage: ").split())
            fix = f"`{self.prog} --help` explains them"
            Output(json=True).record({"problem": error(where, message, usage, fix, code="arguments").to_json()})
        super().error(message)


def make_parser(version: str, *, json: bool = False) -> Parser:
    """The parser of the whole command line. With `json`, what it refuses is told as JSON too."""
    parser = Parser(
        prog="main.py",
        description="Layerwright: draw a neural network, train it, and see inside it. "
        "Without a command the window opens: main.py [PROJECT]",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Layerwright {version}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    made = {name: commands.add_parser(name, help=words, description=words + ".", allow_abbrev=False)
            for name, words in _WORDS.items()}  # fmt: skip
    for name in COMMANDS:
        _ARGUMENTS[name](made[name])
        made[name].add_argument("--json", action="store_true", help="print JSON lines, and nothing else, on stdout")
    for one in (parser, *made.values()):
        one.json = json
    return parser


_WORDS = {
    "layers": "every layer there is, with ports and settings",
    "check": "problems of a project; shapes, parameters and cost of every layer",
    "code": "the model as one Python file that needs only torch",
    "train": "train a project; the run is recorded in a folder of its own",
    "resume": "go on from the last checkpoint of a run",
    "evaluate": "loss and figures of a run on validation or test samples",
    "predict": "what a run says about images, rows of a table or arrays",
    "recalibrate": "measure batch norm's statistics anew over the whole training set, as a checkpoint of its own",
    "compress": "make a trained network smaller, by zeros, pruning, folding, halves or 8 bits, and say what it costs",
    "runs": "recorded runs: list, show or compare them",
    "export": "take a model away, as code or weights that need only torch",
    "examples": "the built-in projects",
    "catalog": "everything that can be chosen, by kind",
    "params": "every path that --set takes, with its value and what is allowed",
    "plugins": "your own callbacks: the folder, its files, and what is wrong with them",
    "schedule": "the learning rate and momentum that a project plans, step by step",
    "range-test": "grow the learning rate until the loss shoots up, and propose one; nothing is changed unless asked",
    "import": "a network of torchvision, or of an ONNX file, becomes a project, with its weights",
    "guide": "tables of good practice: what suits what; or a whole configuration applied to a project",
    "load-weights": "weights from a .safetensors, .pt, .pth, .th or .bin file into a project, as far as they fit",
}


def _layers(parser: argparse.ArgumentParser) -> None:
    pass


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help=_PROJECT)
    _settings(parser)
    _places(parser)


def _code(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help=_PROJECT)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there (replaces it) instead of stdout")
    _settings(parser)
    _places(parser)


def _train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help=_PROJECT)
    parser.add_argument("--seed", type=int, metavar="N", help="start of the random numbers; the split has its own")
    parser.add_argument("--epochs", type=int, metavar="N", help="how often to go through all training samples")
    parser.add_argument("--name", default="", metavar="NAME", help="what the run is called; otherwise as the project")
    _settings(parser)
    _downloads(parser)
    _places(parser)


def _resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help=_RUN)
    parser.add_argument("--epochs", type=_positive, metavar="N", help="train until so many epochs are done in all")
    parser.add_argument("--checkpoint", default="", metavar="NAME",
                        help="go on from this one and give up what came after it (default: last)")  # fmt: skip
    _downloads(parser)
    _places(parser)


def _evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help=_RUN)
    parser.add_argument("--split", choices=("val", "test", "train"), default="val", help="which samples (default: val)")
    _mc(parser)
    _checkpoint(parser)
    _downloads(parser)
    _places(parser)


def _mc(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mc",
        type=_positive,
        default=0,
        metavar="N",
        help="MC dropout: the mean of so many passes with only dropout on, and how far they lie apart",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="start of those passes' random numbers")


def _recalibrate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help=_RUN)
    _checkpoint(parser)
    _downloads(parser)
    _places(parser)


def _compress(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help=_RUN)
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument(
        "--zero", type=_size, metavar="T", help="weights of magnitude below T become 0 (checkpoint zeroed)"
    )
    ways.add_argument("--prune", type=_share, metavar="SHARE",
                      help="the smallest weights become 0, a share from 0 to 1 (checkpoint pruned)")  # fmt: skip
    ways.add_argument("--fold-bn", action="store_true", help="batch norm becomes part of the layer before (file .pt2)")
    ways.add_argument("--half", action="store_true", help="half precision (file .pt2)")
    ways.add_argument("--int8", action="store_true", help="8-bit weights (file .onnx; needs onnx and onnxruntime)")
    parser.add_argument("--each-layer", action="store_true", help="with --prune: that share of every layer, not of all")
    parser.add_argument("--retrain", type=_positive, default=0, metavar="EPOCHS",
                        help="with --zero or --prune: train on while the zeros stay")  # fmt: skip
    parser.add_argument("--split", choices=("val", "test"), default="val", help="what to measure with (default: val)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where a file goes (replaces it)")
    _checkpoint(parser)
    _downloads(parser)
    _places(parser)


def _predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help=_RUN)
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT",
                        help="image files, CSV tables, .npz files, or folders of them, in any mixture that fits the "
                        "network")  # fmt: skip
    parser.add_argument("--drawing", action="store_true",
                        help="pictures are drawings of a character: turn them to light on dark, cut out and centre "
                        "them as the data set's images are")  # fmt: skip
    parser.add_argument("--csv", type=Path, metavar="OUT", help="write every answer as a row there (replaces it)")
    parser.add_argument(
        "--saliency",
        type=Path,
        metavar="OUT",
        help="of one picture: write what mattered for the answer as an image there (replaces it)",
    )
    parser.add_argument("--method", choices=("integrated_gradients", "grad_cam"), default="integrated_gradients",
                        help="with --saliency: how (default: integrated_gradients)")  # fmt: skip
    parser.add_argument("--explain", default="", metavar="CLASS",
                        help="with --saliency: this class or value instead of the answer")  # fmt: skip
    parser.add_argument("--layer", default="", metavar="PATH",
                        help="with --method grad_cam: this layer instead of the last with feature maps")  # fmt: skip
    parser.add_argument("--top", type=_positive, default=3, metavar="N", help="how many classes to print (default: 3)")
    _mc(parser)
    _checkpoint(parser)
    _places(parser)


def _runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "show", "compare"), default="list", help="default: list")
    parser.add_argument("run", nargs="*", metavar="RUN", help=_RUN)
    _places(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="RUN|PROJECT", help=f"{_RUN}; or {_PROJECT}, for code without weights")
    parser.add_argument("--format", required=True, choices=tuple(FORMATS),
                        help="python: the code; script, notebook: code that trains; state_dict, safetensors: weights; "
                        "torch_export, onnx: programs; "
                        "bundle: all that is needed to use the network")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, metavar="FILE",
                        help="where to write; replaces a file of that name once it was read back. A bundle is a folder "
                        "unless the name ends in .zip")  # fmt: skip
    parser.add_argument("--bake", action="store_true",
                        help="weight norm and spectral norm become plain weights of plain layers")  # fmt: skip
    parser.add_argument("--fold-bn", action="store_true",
                        help="programs: batch norm becomes a part of the layer before it")  # fmt: skip
    bits = parser.add_mutually_exclusive_group()
    bits.add_argument("--half", action="store_true", help="programs, weights and bundles: numbers of 16 bits")
    bits.add_argument("--int8", action="store_true", help="onnx: weights of 8 bits")
    parser.add_argument("--with-preprocessing", action="store_true",
                        help="programs: they take raw samples, preprocessing is inside")  # fmt: skip
    _checkpoint(parser)
    _downloads(parser)
    _places(parser)


def _examples(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="print this one instead of the list")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the project there (replaces it)")


def _catalog(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", default="", metavar="KIND",
                        help="layers, optimizers, schedules, losses, metrics, ...; otherwise all")  # fmt: skip


def _params(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help=_PROJECT)
    _settings(parser)


def _plugins(parser: argparse.ArgumentParser) -> None:
    pass


def _schedule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help=_PROJECT)
    parser.add_argument("--steps-per-epoch", type=_positive, metavar="N",
                        help="optimizer steps in an epoch (default: as the data gives)")  # fmt: skip
    _settings(parser)
    _places(parser)


def _range_test(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help=_PROJECT)
    parser.add_argument("--min", type=_rate, default=LOW, metavar="RATE", help=f"first rate (default: {LOW:g})")
    parser.add_argument("--max", type=_rate, default=HIGH, metavar="RATE", help=f"last rate (default: {HIGH:g})")
    parser.add_argument("--steps", type=_positive, default=STEPS, metavar="N",
                        help=f"optimizer steps between them (default: {STEPS})")  # fmt: skip
    parser.add_argument("--epochs", type=_positive, default=0, metavar="N", help="so many epochs instead of --steps")
    parser.add_argument("--apply", action="store_true", help="write the proposed rate into the project's file")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE",
                        help="write the project with the proposed rate there instead (replaces it)")  # fmt: skip
    _settings(parser)
    _downloads(parser)
    _places(parser)


def _guide(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="TABLE | apply PRESET PROJECT",
                        help="one table, such as T1 (default: all); or a preset and a project, to see what it "
                        "changes and why")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, metavar="FILE",
                        help="with apply: write the changed project there (replaces it)")  # fmt: skip
    _settings(parser)


def _load_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help=_PROJECT)
    parser.add_argument("file", type=Path, metavar="FILE", help="a state_dict, also inside a checkpoint; never run")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT",
                        help="write the project there, its weights beside it (default: PROJECT itself)")  # fmt: skip
    parser.add_argument("--partial", action="store_true", help="load what fits, and draw the rest from the seed")
    parser.add_argument("--part", default="", metavar="NAME",
                        help="which weights, where the file has several, such as model_ema")  # fmt: skip
    _settings(parser)
    _places(parser)


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", nargs="?", default="",
                        help="torchvision:NAME, or torchvision:NAME:WEIGHTS with trained weights (`default` for the "
                        "best), or onnx:FILE; with --list, letters that the names hold")  # fmt: skip
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PROJECT",
        help="write the project there (replaces it), its weights beside it; default: NAME.lwr",
    )
    parser.add_argument("--list", action="store_true", help="list the networks: parameters, accuracy, image size")
    parser.add_argument("--classes", type=_positive, metavar="N", help="make the last layer anew, for so many classes")
    parser.add_argument(
        "--size",
        type=_positive,
        metavar="PX",
        help="side of the images (default: as trained); for ONNX, sizes the file leaves open",
    )
    parser.add_argument("--weights-file", type=Path, metavar="FILE", help="take the weights from this file")
    parser.add_argument("--no-download", dest="download", action="store_false", help="do not fetch missing weights")
    parser.add_argument("--threads", type=_positive, metavar="N", help="threads to compute with on a CPU")


_ARGUMENTS = {
    "layers": _layers, "check": _check, "code": _code, "train": _train, "resume": _resume, "evaluate": _evaluate,
    "predict": _predict, "recalibrate": _recalibrate, "compress": _compress, "runs": _runs,
    "export": _export, "examples": _examples, "catalog": _catalog,
    "params": _params, "plugins": _plugins, "schedule": _schedule, "range-test": _range_test, "guide": _guide,
    "load-weights": _load_weights, "import": _import,
}  # fmt: skip


def _settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", dest="settings", action="append", type=_setting, default=[], metavar="PATH=VALUE",
        help="change a setting, such as recipe.optimizer.lr=0.01 or nodes.conv1.filters=64; may be repeated, "
        "left to right",
    )  # fmt: skip


def _places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=Path, metavar="DIR", help="folder of the runs")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder to look for data in first, and to fetch it to")
    parser.add_argument(
        "--device", type=_device, metavar="DEVICE",
        help=f"where to compute: {', '.join(DEVICES)}, or cuda:N (default: as the project says)",
    )  # fmt: skip
    parser.add_argument("--threads", type=_positive, metavar="N", help="threads to compute with on a CPU")


def _checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint", default="", metavar="NAME",
        help="which weights: last, best, or one that a callback saved (default: the run's result)",
    )  # fmt: skip


def _downloads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-download", dest="download", action="store_false", help="do not fetch missing data")
    parser.add_argument("--yes", action="store_true", help="fetch data from an address in the project without asking")


def _setting(text: str) -> tuple[str, str]:
    path, sign, value = text.partition("=")
    if not sign or not path.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form PATH=VALUE, such as recipe.epochs=20")
    return path.strip(), value


def _device(text: str) -> str:
    kind, _, number = text.partition(":")
    if text not in DEVICES and not (kind == "cuda" and number.isdecimal() and len(number) <= 2):
        raise argparse.ArgumentTypeError(f"{text!r} is no device: choose from {', '.join(DEVICES)}, or cuda:N")
    return text


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 1e-12 <= rate <= 100.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no learning rate: a number from 1e-12 to 100")
    return rate


def _share(text: str) -> float:
    return _number(text, 1.0, "no share: a number from 0 to 1")


def _size(text: str) -> float:
    return _number(text, 1e30, "no magnitude: a number from 0 on")


def _number(text: str, most: float, words: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is {words}")
    return number


def check_runs(parser: argparse.ArgumentParser, action: str, runs: Sequence[str]) -> None:
    """Ends with argparse's message when `runs` got too few or too many names."""
    wanted = {"list": (0, 0), "show": (1, 1), "compare": (2, 1_000)}[action]
    if not wanted[0] <= len(runs) <= wanted[1]:
        needs = {"list": "no RUN", "show": "one RUN", "compare": "two RUNs or more"}[action]
        parser.error(f"runs {action} takes {needs}, not {len(runs)}")
