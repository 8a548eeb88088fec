"""Reads a file of weights from anywhere: always with `weights_only`, so that nothing in it is ever run.

Owns `read_weights`, which finds the tensors in nested dictionaries and says what it left out. A pickled model is
refused with the reason and the remedy. Never decides what a tensor is for.
"""

from __future__ import annotations

import pickletools
import re
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from engine.datasets.raw import Cancelled
from engine.runtime.memory import free_bytes
from engine.runtime.own_weights import facts_of
from engine.tensorfacts import TensorFacts
from engine.weightkinds import SAFETENSORS, kind_of, refuse

KNOWN = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params")
"""What the weights of a checkpoint are usually called, most telling first."""
_NEVER = re.compile(r"optim|sched|scaler|callback|loops|rng|hyper|hparams|args|config", re.I)
_OLD_PARTS = 4
"""Pickles one after the other in a file of torch before 1.6, up to what was saved."""
_DEEPEST, _MOST_TENSORS = 4, 100_000


def _number(kind: Any, content: Any) -> Any:
    """A number of numpy, as checkpoints hold their best score; nothing that is or holds an object."""
    if not isinstance(kind, np.dtype) or kind.kind not in "biufc" or not isinstance(content, bytes):
        raise UnpicklingError("Unsupported numpy scalar")
    return np.frombuffer(content, kind, 1)[0]


_NUMBERS: tuple[Any, ...] = (
    np.dtype, *{type(np.dtype(code)) for code in "?bhilqBHILQefdgFD"},
    (_number, "numpy._core.multiarray.scalar"), (_number, "numpy.core.multiarray.scalar"),
)  # fmt: skip
"""All of numpy that a file may name, with the function above in the place of numpy's own."""


@dataclass(frozen=True)
class Foreign:
    """The tensors of a file, by the names they have there, in the order of the file."""

    path: Path
    tensors: Mapping[str, Tensor]
    is_ordered: bool
    """False for kinds of file that sort their tensors."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Another name for the tensor of a first name."""
    parts: tuple[str, ...] = ()
    """Where in the file weights were found; the first is what was asked for, or what is taken unless told otherwise."""
    said: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, TensorFacts]:
        """Shapes and types."""
        return facts_of(self.tensors)


def read_weights(path: Path, *, part: str = "", cancelled: Callable[[], bool] = lambda: False) -> Foreign:
    """The tensors of a file; `part` names the dictionary inside it when there are several.

    ProblemError when it is no such file, is damaged, holds more than tensors and plain values, or does not fit memory.
    """
    kind = kind_of(path)
    _refuse_large(path)
    if cancelled():
        raise Cancelled
    if kind == SAFETENSORS:
        found: dict[str, Tensor] = _of_safetensors(path)
        return _finished(path, found, [""], said=[], is_ordered=False)
    loaded = _unpickled(path)
    if cancelled():
        raise Cancelled
    candidates = dict(_candidates(loaded))
    if not candidates:
        what = "a single tensor" if isinstance(loaded, Tensor) else "no tensors under names"
        refuse(path, f"The file holds {what}, not a state_dict")
    names = sorted(candidates, key=lambda name: _rank(name, candidates[name]))
    chosen = part if part in candidates else names[0]
    if part and part not in candidates:
        refuse(path, f"The file has no weights called {part[:80]!r}", f"Choose one of {', '.join(map(_called, names))}")
    names.remove(chosen)
    said = [f"Taken from {chosen!r} in the file"] if chosen else []
    if names:
        said.append(f"Other weights in the file: {', '.join(map(_called, names))}")
    return _finished(path, candidates[chosen], [chosen, *names], said=said, is_ordered=True)


def _finished(
    path: Path, mapping: Mapping[Any, Any], parts: list[str], *, said: list[str], is_ordered: bool
) -> Foreign:  # fmt: skip
    tensors = {str(key): value.detach() for key, value in mapping.items() if _is_usable(value)}
    others = [str(key) for key, value in mapping.items() if not _is_usable(value) and not isinstance(value, Mapping)]
    if others and any(isinstance(mapping[key], Tensor) for key in mapping if str(key) in others):
        said.append(f"Left out, being sparse, quantised or without values: {_some(others)}")
    elif others:
        said.append(f"Left out, being no tensors: {_some(others)}")
    tensors.pop("n_averaged", None)  # the counter of torch's AveragedModel
    if not tensors:
        refuse(path, "The file holds no tensors that could be weights")
    _refuse_claims(path, tensors)
    tensors = _unpruned(tensors, said)
    return Foreign(path, tensors, is_ordered, _aliases(tensors), tuple(parts), tuple(said))


def _of_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return dict(safetensors.torch.load_file(path))
    except (OSError, RuntimeError, ValueError, KeyError, safetensors.SafetensorError) as fault:
        words = str(fault)
        damaged = "The file ends in the middle, or is damaged" if "rror while deserializing" in words else ""
        refuse(path, damaged or f"The file cannot be read: {_first(words)}", "Download or copy it again")
    except MemoryError:
        refuse(path, "The file does not fit into memory", "Close other programs, or use a smaller model")


_loading = threading.Lock()


def _unpickled(path: Path) -> Any:
    """What torch finds in the file; only tensors and plain values, whatever the file asks for."""
    try:
        # Opened here: by its name torch would take a file for safetensors, whatever it is.
        with open(path, "rb") as file, _loading, torch.serialization.safe_globals(list(_NUMBERS)):
            return torch.load(file, map_location="cpu", weights_only=True)
    except UnpicklingError as fault:
        words = str(fault)
        name = re.search(r"GLOBAL ([\w.]+)|class(?:es)? ([\w.]+)|type ([\w.]+)", words)
        if name or "Unsupported" in words:
            called = next((group for group in name.groups() if group), "") if name else ""
            if not _is_whole(path):
                refuse(path, "The file ends in the middle, or is damaged", "Download or copy it again")
            what = f"an object {called}" if called else "other objects"
            why = "Opening it whole would run code from the file, so it was not opened"
            refuse(path, f"The file holds more than weights: {what}. {why}", code="weights-pickled")
        refuse(path, "The file ends in the middle, or is damaged", "Download or copy it again")
    except MemoryError:
        refuse(path, "The file does not fit into memory", "Close other programs, or use a smaller model")
    except RecursionError:
        refuse(path, "The file is nested too deeply", "Do not use it: torch writes none such")
    except Exception as fault:  # a damaged pickle can raise anything
        words = str(fault)
        if "alloc" in words.lower() or "memory" in words.lower():
            refuse(path, "The file claims more than fits into memory", "Do not use it, or close other programs")
        refuse(path, f"The file ends in the middle, or is damaged ({_first(words) or type(fault).__name__})",
               "Download or copy it again")  # fmt: skip


def _is_whole(path: Path) -> bool:
    """False for a file of old torch whose pickle is cut off: what it seems to name then is damage, not an object."""
    if zipfile.is_zipfile(path):
        return True
    try:
        with open(path, "rb") as file:
            for _ in range(_OLD_PARTS):
                for _ in pickletools.genops(file):
                    pass
    except (ValueError, OSError, OverflowError):
        return False
    return True


def _candidates(loaded: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Every dictionary with tensors under names; one of dictionaries only is taken whole, its names joined."""
    if not isinstance(loaded, Mapping) or depth > _DEEPEST:
        return
    if any(_is_usable(value) for value in loaded.values()):
        yield name, loaded
    inner = {
        key: list(_candidates(value, f"{name}.{key}" if name else str(key), depth + 1))
        for key, value in loaded.items()
        if isinstance(key, str) and not _NEVER.search(key) and isinstance(value, Mapping)
    }
    full = {key: found for key, found in inner.items() if found}
    if len(full) > 1 and not any(key in KNOWN for key in full):
        joined = {f"{key}.{inside}": value for key in full for inside, value in loaded[key].items()}
        if any(_is_usable(value) for value in joined.values()):
            yield name, joined
    for found in full.values():
        yield from found


def _rank(name: str, mapping: Mapping[Any, Any]) -> tuple[int, int]:
    """Known names first, then whatever has more tensors."""
    last = name.rpartition(".")[2]
    return KNOWN.index(last) if last in KNOWN else len(KNOWN), -len(mapping)


def _is_usable(value: Any) -> bool:
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def _refuse_large(path: Path) -> None:
    free, size = free_bytes(), path.stat().st_size
    if free is not None and 2 * size > free:
        refuse(path, f"Reading {size:,} bytes needs twice as much memory, and {free:,} bytes are free",
               "Close other programs, or use a smaller model", code="memory")  # fmt: skip


def _refuse_claims(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A tensor larger than its file is repeated or made up: writing it out would fill memory and disk."""
    size = path.stat().st_size
    whole = {(item.data_ptr(), tuple(item.shape), item.stride()): item.nbytes for item in tensors.values()}
    for key, tensor in tensors.items():
        if tensor.numel() * tensor.element_size() > size:
            refuse(path, f"{key[:80]} claims {tensor.numel():,} numbers, more than the file holds",
                   "Do not use it: torch writes none such")  # fmt: skip
    if sum(whole.values()) > 4 * size or len(tensors) > _MOST_TENSORS:
        refuse(path, "Its tensors claim more than the file holds", "Do not use it: torch writes none such")


def _unpruned(tensors: dict[str, Tensor], said: list[str]) -> dict[str, Tensor]:
    """`weight_orig` times `weight_mask`, as torch's pruning keeps them, is the weight."""
    found: dict[str, Tensor] = {}
    count = 0
    for key, tensor in tensors.items():
        stem = key.removesuffix("_orig")
        mask = tensors.get(f"{stem}_mask")
        if key.endswith("_orig") and mask is not None and mask.shape == tensor.shape:
            found[stem], count = tensor * mask, count + 1
        elif not (key.endswith("_mask") and f"{key.removesuffix('_mask')}_orig" in tensors):
            found[key] = tensor
    if count:
        said.append(f"{count:,} pruned tensors were multiplied by their masks")
    return found


def _aliases(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    first: dict[tuple[Any, ...], str] = {}
    found: dict[str, str] = {}
    for key, tensor in tensors.items():
        mark = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride())
        if tensor.numel() and first.setdefault(mark, key) != key:
            found[key] = first[mark]
    return found


def _called(name: str) -> str:
    return repr(name) if name else "the outermost ones"


def _some(names: list[str]) -> str:
    return ", ".join(name[:60] for name in names[:4]) + (f" and {len(names) - 4:,} more" if len(names) > 4 else "")


def _first(words: str) -> str:
    return (words.strip().splitlines() or [""])[0][:160]
