"""Reads exports back as a stranger would: run on its own with `python -I`, it knows torch and safetensors only.

`python -I read_back.py` takes jobs, one path a line: each loads an exported file, runs it on the samples that lie
beside the job, and writes what came out. Layerwright itself is made unfindable first, so that an export which secretly
needs it fails here. Never imported by the program.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import json
import linecache
import os
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

HIDDEN = ("engine", "gui", "resources", "main")
TIMED, LONGEST = 30, 0.15
"""Runs of one sample that the latency is the median of, at most, and the seconds that they may take."""


class Refuser(importlib.abc.MetaPathFinder):
    """Finds nothing, and lets nobody else find the packages of Layerwright."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """ImportError for a hidden package, else no opinion."""
        if fullname.partition(".")[0] in HIDDEN:
            raise ImportError(f"the export needs {fullname}, which it must not")


def main(job: Path) -> None:
    """Does one job; the result stands in files beside it."""
    wanted: dict[str, Any] = json.loads(job.read_text("utf-8"))
    try:
        said = _done(wanted)
    except (Exception, SystemExit) as fault:
        words = (str(fault).strip().splitlines() or [""])[-1]
        said = {"fault": f"{type(fault).__name__}: {words}"}
    told = Path(wanted["told"])
    new = told.with_suffix(".new")
    new.write_text(json.dumps(said), "utf-8")
    os.replace(new, told)


def _done(wanted: dict[str, Any]) -> dict[str, Any]:
    import safetensors.torch
    import torch

    samples = safetensors.torch.load_file(wanted["samples"])
    found: dict[str, Any] = {}
    run, more = _READERS[wanted["kind"]](wanted, samples, found)
    with torch.inference_mode():
        first: list[Any] = []
        kind = "raw" if wanted["takes_raw"] else "prepared"
        for number in range(wanted["batches"]):
            given = [samples[f"{kind}.{number}.{place}"] for place in range(wanted["inputs"])]
            _keep(found, f"output.{number}", run(*given))
            first = first or [item[:1] for item in given]
        latency = _latency(lambda: run(*first))
    safetensors.torch.save_file(found, wanted["found"])
    return {"latency_ms": latency, **more}


Run = Callable[..., Any]


def _code(wanted: dict[str, Any], samples: dict[str, Any], found: dict[str, Any]) -> tuple[Run, dict[str, Any]]:
    """A Python file with weights beside it: the model, and `predict` on raw samples."""
    import safetensors.torch

    module = _imported(Path(wanted["code"]), "exported_model")
    model = getattr(module, wanted["class"])()
    _fill(model, wanted)
    model.eval()
    statistics = safetensors.torch.load_file(wanted["statistics"]) if wanted["statistics"] else {}
    for number in range(wanted["batches"] if wanted["predicts"] else 0):
        raw = [samples[f"raw.{number}.{place}"] for place in range(wanted["inputs"])]
        if wanted["rows"]:
            # A table begins with its rows of text: encoding them is a part of what is tried.
            raw = [module.encode(wanted["rows"][number])] * len(raw)
            _keep(found, f"encoded.{number}", raw[0])
        given: list[Any] = []
        for name, item in zip(wanted["names"], raw, strict=True):
            given += [item, *(statistics[key] for key in (f"{name}_mean", f"{name}_deviation") if key in statistics)]
        _keep(found, f"answer.{number}", module.predict(model, *given))
    return model, {}


def _script(wanted: dict[str, Any], samples: dict[str, Any], found: dict[str, Any]) -> tuple[Run, dict[str, Any]]:
    """A training script or notebook: the model with weights beside it; where asked, its samples and first epoch."""
    import torch

    module = _imported(Path(wanted["main"]), "exported_script")
    make = getattr(module, wanted["class"])
    model = make()
    _fill(model, wanted)
    model.eval()
    proof, more = wanted["proof"], {}
    if proof:
        torch.set_num_threads(proof["threads"])
        try:
            data = module.load_data(proof["folder"]) if proof["folder"] else module.load_data()
            more["splits"] = {split: _digests(module, data[split], proof) for split in proof["splits"]}
            if "first" in proof:
                torch.manual_seed(module.SEED)
                more["first"] = next(module.train(make(), data))
        finally:
            torch.set_num_threads(1)
    return model, more


def _digests(module: Any, tensors: Sequence[Any], proof: dict[str, Any]) -> list[str]:
    """SHA-256 of every tensor of a split."""
    count = proof["inputs"]
    inputs, targets = tensors[:count], tensors[count:]
    if proof["batched"]:
        prepared = module.preprocess(*inputs)
        inputs = prepared if isinstance(prepared, tuple) else (prepared,)
    return [hashlib.sha256(item.contiguous().numpy().tobytes()).hexdigest() for item in (*inputs, *targets)]


def _program(wanted: dict[str, Any], samples: dict[str, Any], found: dict[str, Any]) -> tuple[Run, dict[str, Any]]:
    """A program of torch.export, which was written a moment ago by the process that asks."""
    import torch

    return torch.export.load(wanted["main"]).module(), {}


def _onnx(wanted: dict[str, Any], samples: dict[str, Any], found: dict[str, Any]) -> tuple[Run, dict[str, Any]]:
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(wanted["main"], options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]

    def run(*given: Any) -> Any:
        said = session.run(None, {name: item.numpy() for name, item in zip(names, given, strict=True)})
        return tuple(torch.from_numpy(item) for item in said)

    return run, {}


def _bundle(wanted: dict[str, Any], samples: dict[str, Any], found: dict[str, Any]) -> tuple[Run, dict[str, Any]]:
    """A folder, or a zip that is unpacked first: its own `predict.py` loads it, answers, and checks its example."""
    folder = Path(wanted["main"])
    if folder.is_file():
        folder = Path(wanted["told"]).with_name("unpacked")
        with zipfile.ZipFile(wanted["main"]) as packed:
            packed.extractall(folder)
        (folder,) = folder.iterdir()
    sys.path.insert(0, str(folder))
    try:
        module = _imported(folder / "predict.py", "exported_predict")
        model = module.load_model()
        for number in range(wanted["batches"] if wanted["predicts"] else 0):
            raw = {name: samples[f"raw.{number}.{place}"] for place, name in enumerate(wanted["names"])}
            if wanted["rows"]:
                encoded = module.encode(wanted["rows"][number])
                raw = dict.fromkeys(raw, encoded)
                _keep(found, f"encoded.{number}", encoded)
            _keep(found, f"answer.{number}", tuple(module.answers(model, raw).values()))
        if module.main([]):
            raise ValueError("predict.py does not find the expected output of its own example")
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("model", None)
    return model, {}


_READERS: dict[str, Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], tuple[Run, dict[str, Any]]]] = {
    "code": _code, "script": _script, "torch_export": _program, "onnx": _onnx, "bundle": _bundle,
}  # fmt: skip


def _latency(call: Callable[[], Any]) -> float:
    """Milliseconds of one call, the median of several; the first is not counted."""
    call()
    times: list[float] = []
    until = time.perf_counter() + LONGEST
    while len(times) < TIMED and (not times or time.perf_counter() < until):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _fill(model: Any, wanted: dict[str, Any]) -> None:
    import safetensors
    import safetensors.torch
    import torch

    file = wanted["weights"]
    if wanted["format"] == "state_dict":
        model.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
        return
    safetensors.torch.load_model(model, file)
    if wanted["format"] == "safetensors":
        with safetensors.safe_open(file, framework="pt") as stream:
            metadata = stream.metadata() or {}
        if metadata.get("architecture") != wanted["architecture"]:
            raise ValueError("the metadata does not name the architecture the weights belong to")


def _keep(found: dict[str, Any], name: str, result: Any) -> None:
    results = result if isinstance(result, (tuple, list)) else (result,)
    for place, item in enumerate(results):
        # Cloned: two outputs that are the same tensor cannot be saved side by side.
        found[f"{name}.{place}"] = item.clone().contiguous()


def _imported(file: Path, name: str) -> Any:
    module = ModuleType(name)
    module.__file__ = str(file)
    sys.modules[name] = module
    text = file.read_text("utf-8")
    if text.startswith("{"):  # a notebook
        cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        text = "\n\n".join(cells[:-1])  # the last one trains
    # Lines of a fault are looked up by this name.
    linecache.cache[str(file)] = (len(text), None, text.splitlines(keepends=True), str(file))
    exec(compile(text, str(file), "exec"), vars(module))
    return module


def serve() -> None:
    """Does the jobs that come in, one path a line, until there are no more."""
    import safetensors.torch  # noqa: F401
    import torch

    torch.set_num_threads(1)
    for line in sys.stdin:
        main(Path(line.strip()))


if __name__ == "__main__":
    sys.meta_path.insert(0, Refuser())
    sys.dont_write_bytecode = True
    serve()
