"""Checkpoints on disk: written so that a kill at any moment leaves one that holds, and read without unpickling.

A checkpoint is a folder (`last`, `best`, or a name that a callback gave) with `model.safetensors` (weights),
`training.pt` (everything else that training needs to go on: tensors, numbers, strings, lists and dictionaries only) and
`manifest.json` (sizes and hashes of both, written last). A new one is written as `last.new`, synced, and then `last` ->
`last.old`, `last.new` -> `last`. A reader takes the newest of the three whose manifest holds. Never decides when to
save, never trains.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from engine.problem import Problem, ProblemError, Where, error

WEIGHTS, TRAINING, MANIFEST = "model.safetensors", "training.pt", "manifest.json"
LAST, BEST = "last", "best"


@dataclass(frozen=True)
class Checkpoint:
    """What was saved: the weights by state_dict key (shared ones once), the training state, and when."""

    kind: str
    step: int
    epoch: int
    weights: Mapping[str, Tensor]
    training: Mapping[str, Any] = field(default_factory=dict)


def save(folder: Path, checkpoint: Checkpoint, *, keep_old: bool = False) -> None:
    """Writes a checkpoint into `folder/<kind>`; OSError when the disk refuses, MemoryError when memory is short.

    What was there before still holds then.

    `keep_old` leaves the previous one as `<kind>.old`, until the next save or `drop_old`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settle(folder, checkpoint.kind)
    new = folder / f"{checkpoint.kind}.new"
    try:
        _write(new, checkpoint)
    except Exception:
        shutil.rmtree(new, ignore_errors=True)  # neither a full disk nor full memory is helped by half a checkpoint
        raise
    _put_in_place(folder, checkpoint.kind)
    if not keep_old:
        drop_old(folder, checkpoint.kind)


def load(folder: Path, kind: str, *, step: int | None = None) -> Checkpoint | None:
    """The newest checkpoint of a kind that holds (of exactly that step when one is given); None when there is none."""
    for path, manifest in _holding(folder, kind) if is_name(kind) else ():
        if step is None or manifest["step"] == step:
            try:
                weights = safetensors.torch.load_file(path / WEIGHTS)
                # weights_only: a checkpoint may come from a stranger, and a pickle can run code.
                training = torch.load(path / TRAINING, map_location="cpu", weights_only=True)
            except (OSError, RuntimeError, ValueError, UnpicklingError, SafetensorError) as fault:
                raise ProblemError(_foreign(path, fault)) from None
            return Checkpoint(kind, int(manifest["step"]), int(manifest["epoch"]), weights, training)
    return None


def is_name(kind: str) -> bool:
    """True for what a checkpoint may be called: never a path that leads out of the folder."""
    return re.fullmatch(r"[A-Za-z0-9_-]{1,64}", kind) is not None


def exists(folder: Path, kind: str) -> bool:
    """True when a checkpoint of that kind holds."""
    return is_name(kind) and bool(_holding(folder, kind))


def none_holds(folder: Path, label: str, kind: str) -> Problem:
    """The problem to tell when there is no such checkpoint, with those that there are."""
    there = list(names(folder))
    return error(
        Where(label=label, file=str(folder)), f"This run has no checkpoint {kind[:80]!r} that holds",
        f"One of {', '.join(there)}" if there else "A checkpoint whose files are whole",
        f"Use --checkpoint {there[0]}" if there else "Train afresh", code="no_checkpoint",
    )  # fmt: skip


def names(folder: Path) -> dict[str, int]:
    """The checkpoints of a folder that hold and the step of each: last and best first, then by step."""
    kinds = (
        {path.name.removesuffix(".new").removesuffix(".old") for path in folder.iterdir()} if folder.is_dir() else ()
    )
    steps = {kind: int(holding[0][1]["step"]) for kind in kinds if (holding := _holding(folder, kind))}
    rank = {LAST: 0, BEST: 1}
    return dict(sorted(steps.items(), key=lambda item: (rank.get(item[0], 2), item[1], item[0])))


def delete(folder: Path, kind: str) -> None:
    """Removes a checkpoint, whole or broken."""
    for name in (kind, f"{kind}.new", f"{kind}.old"):
        shutil.rmtree(folder / name, ignore_errors=True)


def drop_beyond(folder: Path, step: int) -> None:
    """Removes the checkpoints with names of their own from beyond a step: a run goes on from there, they never were."""
    for kind, saved_at in names(folder).items():
        if kind not in (LAST, BEST) and saved_at > step:
            delete(folder, kind)


def settle(folder: Path, kind: str) -> None:
    """Ends what a kill left half done: the newest checkpoint that holds gets its name, broken ones go."""
    plain, new = folder / kind, folder / f"{kind}.new"
    if not new.exists() and plain.exists():
        return
    holding = [path for path, _ in _holding(folder, kind)]
    if holding and holding[0] == new:
        _put_in_place(folder, kind)
    elif holding and not plain.exists():
        os.replace(holding[0], plain)
        _sync_folder(folder)
    shutil.rmtree(new, ignore_errors=True)


def keep_only(folder: Path, kind: str, step: int | None) -> None:
    """Makes the checkpoint of exactly that step the one of its kind; others, of before a kill, go. None: all go."""
    plain = folder / kind
    kept = next((path for path, manifest in _holding(folder, kind) if manifest["step"] == step), None)
    for path in (plain, folder / f"{kind}.new", folder / f"{kind}.old"):
        if path != kept:
            shutil.rmtree(path, ignore_errors=True)
    if kept is not None and kept != plain:
        os.replace(kept, plain)


def drop_old(folder: Path, kind: str) -> None:
    """Removes the checkpoint before the present one."""
    shutil.rmtree(folder / f"{kind}.old", ignore_errors=True)


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """Copies of a model's state on the CPU, tensors that share memory once, under their first name.

    Copies, because `state_dict` aliases the live weights, which the next step changes.
    """
    found: dict[str, Tensor] = {}
    seen: set[tuple[int, int, tuple[int, ...]]] = set()
    for name, tensor in model.state_dict().items():
        mark = (tensor.data_ptr(), tensor.storage_offset(), tuple(tensor.shape))
        if tensor.numel() and mark in seen:
            continue
        seen.add(mark)
        found[name] = tensor.detach().to("cpu", copy=True).contiguous()
    return found


def weights_that_count(saved: Checkpoint) -> dict[str, Tensor]:
    """The weights to evaluate and export: where the training keeps an average that is meant for use, that average."""
    average = saved.training.get("average")
    return dict(saved.weights) | (average["weights"] if average and average["use"] else {})


def fill(model: nn.Module, weights: Mapping[str, Tensor], label: str = "model") -> None:
    """Copies saved weights into a model; ProblemError names the first key or shape that does not fit."""
    wanted = model.state_dict()
    saved_once = set(weights_of(model))
    for name in saved_once - set(weights):
        raise ProblemError(_unfit(label, f"The checkpoint has no weights for {name}"))
    for name in weights:
        if name not in wanted:
            raise ProblemError(_unfit(label, f"The checkpoint has weights for {name}, which the model does not have"))
    for name in (key for key in wanted if key in weights):
        tensor = weights[name]
        if wanted[name].shape != tensor.shape:
            shapes = f"{tuple(tensor.shape)} in the checkpoint, {tuple(wanted[name].shape)} in the model"
            raise ProblemError(_unfit(label, f"{name} differs in shape: {shapes}"))
    with torch.no_grad():
        for name, tensor in weights.items():
            wanted[name].copy_(tensor)


def disk_problem(folder: Path, fault: OSError) -> Problem:
    """The problem to tell when a checkpoint could not be written."""
    return error(
        Where(label="checkpoint", file=str(folder)),
        f"The checkpoint could not be written: {fault.strerror or fault}",
        "A folder that can be written to, with space left",
        "Free some space, then continue the run: the checkpoint before still holds",
        code="checkpoint_write",
    )


def _write(new: Path, checkpoint: Checkpoint) -> None:
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    # Made in memory first: neither library tells a full disk in a way that can be caught cleanly.
    buffer = BytesIO()
    torch.save(dict(checkpoint.training), buffer)
    parts: dict[str, bytes | memoryview] = {WEIGHTS: _serialised(checkpoint.weights), TRAINING: buffer.getbuffer()}
    files = {}
    for name, content in parts.items():
        _write_file(new / name, content)
        files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest = {
        "format": 1, "kind": checkpoint.kind, "step": checkpoint.step, "epoch": checkpoint.epoch, "files": files,
    }  # fmt: skip
    _write_file(new / MANIFEST, json.dumps(manifest, indent=1).encode())
    _sync_folder(new)


def _serialised(weights: Mapping[str, Tensor]) -> bytes:
    """The weights as the file holds them; MemoryError when there is no room for them and the library's copy of them.

    Asked for here, because safetensors ends the whole process where memory is refused. Zeros cost next to no time.
    """
    bytearray(2 * sum(tensor.nbytes for tensor in weights.values()))
    return safetensors.torch.save(dict(weights))


def _put_in_place(folder: Path, kind: str) -> None:
    """`kind` -> `kind.old`, `kind.new` -> `kind`: between the two, `kind.new` already holds."""
    plain, new, old = folder / kind, folder / f"{kind}.new", folder / f"{kind}.old"
    if plain.exists():
        shutil.rmtree(old, ignore_errors=True)
        os.replace(plain, old)
    os.replace(new, plain)
    _sync_folder(folder)


def _holding(folder: Path, kind: str) -> list[tuple[Path, dict[str, Any]]]:
    """The folders of a kind whose manifest holds, newest first."""
    found = []
    for age, path in enumerate((folder / f"{kind}.new", folder / kind, folder / f"{kind}.old")):
        manifest = _manifest(path)
        if manifest is not None:
            found.append((-int(manifest["step"]), age, path, manifest))
    return [(path, manifest) for _, _, path, manifest in sorted(found, key=lambda item: item[:2])]


def _manifest(path: Path) -> dict[str, Any] | None:
    """The manifest of a checkpoint whose files are all there, whole and unchanged; else None."""
    try:
        manifest: dict[str, Any] = json.loads((path / MANIFEST).read_text("utf-8"))
        int(manifest["step"]), int(manifest["epoch"])
        for name in (WEIGHTS, TRAINING):
            wanted = manifest["files"][name]
            with open(path / name, "rb") as stream:
                if os.fstat(stream.fileno()).st_size != wanted["bytes"]:
                    return None
                if hashlib.file_digest(stream, "sha256").hexdigest() != wanted["sha256"]:
                    return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return manifest


def _write_file(path: Path, content: bytes | memoryview) -> None:
    with open(path, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(path: Path) -> None:
    """Makes names survive a power cut; Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _foreign(path: Path, fault: Exception) -> Problem:
    words = (str(fault).strip().splitlines() or [""])[0][:200]
    return error(
        Where(label=f"checkpoint {path.name}", file=str(path)),
        f"{WEIGHTS} or {TRAINING} holds something that no training of ours wrote: {words}",
        "Tensors and plain values only", "Use a run of your own; this one is not opened", code="checkpoint_foreign",
    )  # fmt: skip


def _unfit(label: str, happened: str) -> Problem:
    return error(
        Where(label=label), happened, "Weights of exactly this network",
        "Use the project the run was trained with", code="weights_unfit",
    )  # fmt: skip
