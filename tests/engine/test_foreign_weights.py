"""Files of weights from anywhere: what is found in them, what is refused and why, and that nothing in them runs."""

from __future__ import annotations

import os
import pickle
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn
from torch.nn.utils import prune
from torch.optim.swa_utils import AveragedModel

from engine.datasets.raw import Cancelled
from engine.problem import Problem, ProblemError
from engine.runtime import foreign_weights
from engine.runtime.foreign_weights import Foreign, read_weights


def net() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def saved(path: Path, content: Any, *, old: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    return path


def is_the_net(found: Foreign) -> bool:
    wanted = net().state_dict()
    return list(found.tensors) == list(wanted) and all(torch.equal(found.tensors[key], wanted[key]) for key in wanted)


def refusal(path: Path, **more: Any) -> Problem:
    with pytest.raises(ProblemError) as fault:
        read_weights(path, **more)
    problem = fault.value.problem
    assert problem.expected
    assert problem.fix
    assert problem.where.file == str(path)
    return problem


class Evil:
    """What a malicious file holds: unpickling it makes a folder."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("ending", [".pt", ".pth", ".th", ".bin"])
@pytest.mark.parametrize("old", [False, True])
def test_a_state_dict_of_any_ending_and_age_is_read_exactly_and_in_order(
    tmp_path: Path, ending: str, old: bool
) -> None:
    found = read_weights(saved(tmp_path / f"net{ending}", net().state_dict(), old=old))
    assert is_the_net(found)
    assert (found.is_ordered, found.said) == (True, ())


def test_safetensors_are_read_exactly(tmp_path: Path) -> None:
    safetensors.torch.save_file(net().state_dict(), tmp_path / "net.safetensors")
    found = read_weights(tmp_path / "net.safetensors")
    wanted = net().state_dict()
    assert not found.is_ordered
    assert set(found.tensors) == set(wanted)
    assert all(torch.equal(found.tensors[key], wanted[key]) for key in wanted)


@pytest.mark.parametrize("name", foreign_weights.KNOWN)
def test_weights_inside_a_checkpoint_are_found_past_the_optimizers(tmp_path: Path, name: str) -> None:
    moments = {"state": {0: {"exp_avg": torch.ones(4, 3), "step": torch.tensor(1.0)}}, "param_groups": [{"lr": 0.1}]}
    content = {
        "epoch": 3, "best_acc": np.float64(0.5), "loss": np.float32(2), "optimizer": moments,
        "optimizer_states": [moments], name: net().state_dict(), "args": {"lr": torch.tensor(0.1)},
    }  # fmt: skip
    found = read_weights(saved(tmp_path / "checkpoint.pth", content))
    assert is_the_net(found)
    assert found.said == (f"Taken from {name!r} in the file",)


def test_of_several_weights_one_is_taken_the_others_are_told_and_can_be_asked_for(tmp_path: Path) -> None:
    other = {key: tensor + 1 for key, tensor in net().state_dict().items()}
    file = saved(tmp_path / "two.pth", {"model_ema": other, "model": net().state_dict()})
    found = read_weights(file)
    assert is_the_net(found)
    assert found.parts == ("model", "model_ema")
    assert "model_ema" in found.said[1]
    average = read_weights(file, part="model_ema")
    assert torch.equal(average.tensors["0.bias"], other["0.bias"])
    assert "'model', 'model_ema'" in refusal(file, part="nonsense").fix


def test_parts_of_a_network_saved_side_by_side_are_taken_together(tmp_path: Path) -> None:
    found = read_weights(saved(tmp_path / "gan.pt", {"generator": net().state_dict(), "critic": net().state_dict()}))
    assert "generator.0.weight" in found.tensors
    assert "critic.2.bias" in found.tensors
    assert found.parts == ("", "generator", "critic")


def test_parameters_averages_pruned_and_tied_tensors_are_understood(tmp_path: Path) -> None:
    model = net()
    found = read_weights(saved(tmp_path / "average.pt", AveragedModel(model).state_dict()))
    assert "n_averaged" not in found.tensors
    prune.l1_unstructured(model[0], "weight", amount=0.5)
    found = read_weights(saved(tmp_path / "pruned.pt", model.state_dict()))
    assert torch.equal(found.tensors["0.weight"], model[0].weight)
    assert "masks" in found.said[0]
    weight = torch.ones(3, 3)
    tied = read_weights(saved(tmp_path / "tied.pt", {"a.weight": weight, "b.weight": weight, "n": 3}))
    assert tied.aliases == {"b.weight": "a.weight"}
    assert tied.said == ("Left out, being no tensors: n",)
    found = read_weights(saved(tmp_path / "parameters.pt", dict(net().named_parameters())))
    assert not found.tensors["0.weight"].requires_grad


def test_a_whole_pickled_model_is_refused_with_the_reason_and_the_remedy(tmp_path: Path) -> None:
    for old in (False, True):
        found = refusal(saved(tmp_path / "model.pt", net(), old=old))
        assert found.code == "weights-pickled"
        assert "torch.nn.modules.container.Sequential" in found.happened
        assert "would run code" in found.happened
        assert "model.state_dict()" in found.fix


def test_code_in_a_file_does_not_run(tmp_path: Path) -> None:
    place = tmp_path / "made"
    evil = Evil(place)
    files = [
        saved(tmp_path / "alone.pt", evil), saved(tmp_path / "old.pt", evil, old=True),
        saved(tmp_path / "beside.pth", {"state_dict": net().state_dict(), "note": evil}),
        saved(tmp_path / "inside.pth", {**net().state_dict(), "x": [evil]}),
    ]  # fmt: skip
    for protocol in range(2, 6):
        files.append(tmp_path / f"plain{protocol}.bin")
        files[-1].write_bytes(pickle.dumps({"state_dict": evil}, protocol))
    files.append(tmp_path / "named.safetensors")
    files[-1].write_bytes(files[0].read_bytes())
    for file in files:
        assert refusal(file).code == "weights-pickled", file.name
    assert not place.exists()


@pytest.mark.parametrize(
    "thing",
    [PurePosixPath("x"), partial(print, 1), np.array([1, "x"], dtype=object), {1: lambda: 0}, np.zeros(3)],
    ids=["path", "partial", "objects", "lambda", "array"],
)
def test_objects_beside_the_weights_are_refused_by_name(tmp_path: Path, thing: object) -> None:
    try:
        file = saved(tmp_path / "x.ckpt", {"state_dict": net().state_dict(), "hyper_parameters": thing})
    except (pickle.PicklingError, AttributeError):
        pytest.skip("this cannot be pickled at all")
    assert refusal(file).code == "weights-pickled"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_ends_in_the_middle_is_told_as_such(tmp_path: Path, share: float) -> None:
    new, old, safe = tmp_path / "new.pt", tmp_path / "old.pt", tmp_path / "safe.safetensors"
    saved(new, net().state_dict())
    saved(old, net().state_dict(), old=True)
    safetensors.torch.save_file(net().state_dict(), safe)
    for file in (new, old, safe):
        content = file.read_bytes()
        file.write_bytes(content[: int(len(content) * share)])
        assert "ends in the middle, or is damaged" in refusal(file).happened


def test_bytes_that_were_changed_never_raise_anything_but_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "x.pt"
    for old in (False, True):
        content = saved(tmp_path / "whole.pt", net().state_dict(), old=old).read_bytes()
        for place in range(0, len(content), max(1, len(content) // 150)):
            file.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
            with suppress(ProblemError):
                read_weights(file)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.pt", b"", "empty"), ("page.pth", b"<!DOCTYPE html><html>", "web page"),
        ("lfs.bin", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        ("keras.h5", b"\x89HDF\r\n\x1a\n" + b"0" * 20, "HDF5"), ("x.gguf", b"GGUF\x03\0\0\0", "GGUF"),
        ("x.onnx", b"\x08\x08\x12\x07pytorch", "ONNX"), ("text.pt", b"hello", "no file of weights"),
        ("x.npy", b"\x93NUMPY\x01\0", "numpy"), ("model.bin.index.json", b'{"weight_map": {}}', "several files"),
        ("config.json", b'{"layers": 3}', "text"), ("zero.safetensors", bytes(40), "damaged"),
        ("long.safetensors", (2**60).to_bytes(8, "little") + b"{}", "damaged"),
    ],
)  # fmt: skip
def test_other_kinds_of_file_are_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert words in refusal(tmp_path / name).happened


def test_programs_archives_folders_and_nothing_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.zeros(2))
    assert "numpy" in refusal(tmp_path / "x.npz").happened
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        archive.writestr("net/code/__torch__.py", "def forward(self): pass")
        archive.writestr("net/data.pkl", b"")
    assert "TorchScript" in refusal(tmp_path / "script.pt").happened
    with zipfile.ZipFile(tmp_path / "net.pt2", "w") as archive:
        archive.writestr("net/models/model.json", "{}")
    assert "can run code" in refusal(tmp_path / "net.pt2").happened
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "no weights" in refusal(tmp_path / "other.zip").happened
    assert "folder" in refusal(tmp_path).happened
    assert "No such file" in refusal(tmp_path / "absent.pt").happened


def test_what_claims_more_than_it_holds_is_refused_before_memory_is_filled(tmp_path: Path) -> None:
    repeated = saved(tmp_path / "repeated.pt", {"a": torch.zeros(1).expand(10**10)})
    assert "10,000,000,000 numbers" in refusal(repeated).happened
    packed = tmp_path / "packed.pt"
    with (
        zipfile.ZipFile(saved(tmp_path / "net.pt", {"a": torch.zeros(100_000)})) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert "more than the file does" in refusal(packed).happened
    header = b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}'
    huge = tmp_path / "huge.safetensors"
    huge.write_bytes(len(header).to_bytes(8, "little") + header)
    assert refusal(huge).code == "weights-file"


def test_a_file_larger_than_memory_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = saved(tmp_path / "net.pt", net().state_dict())
    monkeypatch.setattr(foreign_weights, "free_bytes", lambda: 1000)
    assert refusal(file).code == "memory"


def test_what_is_no_state_dict_is_told(tmp_path: Path) -> None:
    assert "single tensor" in refusal(saved(tmp_path / "a.pt", torch.zeros(3))).happened
    assert "no tensors" in refusal(saved(tmp_path / "b.pt", [torch.zeros(3)])).happened
    loop: dict[str, Any] = {}
    loop["state_dict"] = loop
    assert "no tensors" in refusal(saved(tmp_path / "c.pt", loop)).happened
    with torch.device("meta"):
        empty = nn.Linear(2, 2).state_dict()
    refusal(saved(tmp_path / "d.pt", empty))


def test_reading_can_be_cancelled(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        read_weights(saved(tmp_path / "net.pt", net().state_dict()), cancelled=lambda: True)
