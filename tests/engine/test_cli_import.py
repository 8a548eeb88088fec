"""`import` as a person uses it: the list, projects with and without weights, a server, no network, wrong files."""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.datasets.raw import Cancelled
from engine.problem import ProblemError
from engine.projectfile import read_project
from engine.weightfile import beside
from tests.engine.cli_tools import command
from tests.engine.data_tools import Flag

pytest.importorskip("torchvision")

NAME = "squeezenet1_1"
Caps = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("LAYERWRIGHT_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of weights as torchvision would save it, its name ending with the beginning of its hash."""
    from torchvision import models

    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "net.pth"
    torch.save(models.squeezenet1_1().state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path.rename(path.with_name(f"net-{digest[:8]}.pth"))


def test_the_list_has_every_classifier_with_its_figures(capsys: Caps) -> None:
    said = command(capsys, "import", "--list", "--json")
    assert (said.code, len(said.lines)) == (0, 80)
    (found,) = [item for item in said.lines if item["name"] == "torchvision:resnet50"]
    assert found["parameters"] == 25_557_032
    assert [item["name"] for item in found["weights"]] == ["IMAGENET1K_V2", "IMAGENET1K_V1"]
    assert (found["weights"][0]["accuracy"], found["weights"][0]["size"]) == (80.858, 224)
    few = command(capsys, "import", "--list", "vit_b")
    assert few.out.count("torchvision:vit_b") == few.out.count("\n") - 1 == 2


def test_a_network_becomes_a_project_that_checks(capsys: Caps, tmp_path: Path) -> None:
    path = tmp_path / "net.lwr"
    said = command(capsys, "import", f"torchvision:{NAME}", "-o", path, "--json", "--size", 64)
    assert said.code == 0
    assert said.lines[-1]["parameters"] == 1_235_496
    assert not beside(path).exists()
    assert command(capsys, "check", path).code == 0
    project = read_project(path).project
    assert project.data is not None
    assert project.data.targets["y"].classes[:2] == ("tench", "goldfish")


def test_weights_of_a_file_land_beside_the_project_and_in_its_network(
    capsys: Caps, tmp_path: Path, weights: Path
) -> None:
    from engine.runtime.build import build
    from engine.runtime.own_weights import fill_own

    path = tmp_path / "net.lwr"
    said = command(capsys, "import", f"torchvision:{NAME}:default", "-o", path, "--weights-file", weights)
    assert (said.code, beside(path).is_file()) == (0, True)
    assert "not the file of IMAGENET1K_V1" in said.err
    project = read_project(path).project
    built = build(project)
    fill_own(built.model, project)
    state = torch.load(weights, weights_only=True)
    assert all(torch.equal(value, state[key]) for key, value in built.model.state_dict().items())


def test_another_number_of_classes_keeps_all_weights_but_the_last_layers(
    capsys: Caps, tmp_path: Path, weights: Path
) -> None:
    path = tmp_path / "net.lwr"
    source = f"torchvision:{NAME}:default"
    said = command(capsys, "import", source, "-o", path, "--weights-file", weights, "--classes", 7)
    assert said.code == 0
    project = read_project(path).project
    assert project.weights is not None
    assert project.weights.partial
    assert command(capsys, "check", path).code == 0
    assert project.data is not None
    assert len(project.data.targets["y"].classes) == 7


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["torchvision:resnet51"], 2, "did you mean resnet50"),
        (["torchvision:resnet18:IMAGENET"], 2, "IMAGENET1K_V1"),
        (["onnx:"], 2, "names no network"),
        (["keras:x"], 2, "onnx:FILE"),
        ([f"torchvision:{NAME}", "-o", "net.txt"], 2, "ends in .lwr"),
        ([f"torchvision:{NAME}:default", "--no-download"], 2, "squeezenet1_1-b8a52dc0.pth in"),
        (["torchvision:vit_b_32", "--size", "50"], 2, "50"),
    ],
)
def test_what_cannot_be_imported_is_one_problem(
    capsys: Caps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = command(capsys, "import", *arguments)
    assert (said.code, words in said.err) == (code, True), said.err
    assert not list(tmp_path.glob("*.lwr"))


class Evil:
    """Would write a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_files_that_are_no_weights_are_refused_and_never_run(capsys: Caps, tmp_path: Path, weights: Path) -> None:
    mark, path = tmp_path / "ran", tmp_path / "net.lwr"
    files = {name: tmp_path / name for name in ("evil.pth", "cut.pth", "list.pth", "other.pth", "none.pth")}
    files["evil.pth"].write_bytes(pickle.dumps(Evil(mark)))
    files["cut.pth"].write_bytes(weights.read_bytes()[:5000])
    torch.save([1, 2], files["list.pth"])
    torch.save({"fc.weight": torch.ones(2)}, files["other.pth"])
    for file in files.values():
        said = command(capsys, "import", f"torchvision:{NAME}:default", "-o", path, "--weights-file", file)
        assert said.code == 2, file
        assert "error" in said.err
    assert not mark.exists()
    assert not path.exists()


@pytest.fixture
def server(weights: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=str(weights.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_weights_are_fetched_with_progress_verified_and_kept(server: str, weights: Path) -> None:
    from engine.runtime.importing.zoo import card
    from engine.runtime.importing.zoo_weights import fetched, is_here

    entry = replace(card(NAME).best, url=f"{server}/{weights.name}")
    told: list[int] = []
    with pytest.raises(Cancelled):
        fetched(entry, cancel=Flag(after=1))
    assert not is_here(entry)
    path = fetched(entry, progress=lambda done, total, words: told.append(done))
    assert path.read_bytes() == weights.read_bytes()
    assert told[-1] == path.stat().st_size
    assert fetched(entry, download=False) == path
    path.write_bytes(b"damaged")
    assert not is_here(entry)


@pytest.mark.parametrize(("page", "code"), [("gone-00000000.pth", "weights-offline"), ("bad", "weights-checksum")])
def test_a_fetch_that_fails_names_the_file_and_its_folder(server: str, weights: Path, page: str, code: str) -> None:
    from engine.runtime.importing.zoo import card
    from engine.runtime.importing.zoo_weights import fetched

    if page == "bad":
        page = "bad-12345678.pth"
        weights.with_name(page).write_bytes(b"something else")
    entry = replace(card(NAME).best, url=f"{server}/{page}")
    with pytest.raises(ProblemError) as caught:
        fetched(entry)
    problem = caught.value.problem
    assert problem.code == code
    assert page in problem.fix
    assert "checkpoints" in problem.fix
