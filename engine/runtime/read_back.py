"""Reads an export back as a stranger would: run on its own with `python -I`, it knows torch and safetensors only.

`python -I read_back.py JOB.json` loads the exported file, runs it on the samples that lie beside the job and writes
what came out. Layerwright itself is made unfindable first, so that an export which secretly needs it fails here.
Never imported by the program.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

HIDDEN = ("engine", "gui", "resources", "main")


class Refuser(importlib.abc.MetaPathFinder):
    """Finds nothing, and lets nobody else find the packages of Layerwright."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """ImportError for a hidden package, else no opinion."""
        if fullname.partition(".")[0] in HIDDEN:
            raise ImportError(f"the export needs {fullname}, which it must not")


def main(job: Path) -> None:
    """Does one job; the result stands in files beside it."""
    import safetensors.torch
    import torch

    wanted: dict[str, Any] = json.loads(job.read_text("utf-8"))
    torch.set_num_threads(1)
    module = _imported(Path(wanted["code"]))
    model: torch.nn.Module = getattr(module, wanted["class"])()
    _fill(model, wanted)
    model.eval()
    samples = safetensors.torch.load_file(wanted["samples"])
    statistics = safetensors.torch.load_file(wanted["statistics"]) if wanted["statistics"] else {}
    found: dict[str, Any] = {}
    with torch.inference_mode():
        for number in range(wanted["batches"]):
            prepared = [samples[f"prepared.{number}.{place}"] for place in range(wanted["inputs"])]
            _keep(found, f"output.{number}", model(*prepared))
            if wanted["predicts"]:
                raw = [samples[f"raw.{number}.{place}"] for place in range(wanted["inputs"])]
                if wanted["rows"]:
                    # A table begins with its rows of text: encoding them is a part of what is tried.
                    raw = [module.encode(wanted["rows"][number])] * len(raw)
                    _keep(found, f"encoded.{number}", raw[0])
                given: list[Any] = []
                for name, item in zip(wanted["names"], raw, strict=True):
                    given += [
                        item,
                        *(statistics[key] for key in (f"{name}_mean", f"{name}_deviation") if key in statistics),
                    ]
                _keep(found, f"answer.{number}", module.predict(model, *given))
    safetensors.torch.save_file(found, wanted["found"])


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
    results = result if isinstance(result, tuple) else (result,)
    for place, item in enumerate(results):
        # Cloned: two outputs that are the same tensor cannot be saved side by side.
        found[f"{name}.{place}"] = item.clone().contiguous()


def _imported(file: Path) -> Any:
    loader = importlib.machinery.SourceFileLoader("exported_model", str(file))
    module = ModuleType("exported_model")
    module.__file__ = str(file)
    sys.modules["exported_model"] = module
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.meta_path.insert(0, Refuser())
    main(Path(sys.argv[1]))
