"""What kind of file of weights this is, told by its content, and words for everything that is none.

Owns `kind_of`. Never unpickles and never reads more than the directory of a file. No torch.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import NoReturn

from engine.problem import ProblemError, Where, error

SUFFIXES = (".safetensors", ".pt", ".pth", ".th", ".bin", ".ckpt")
"""What such files are usually called."""
SAFETENSORS, ZIPPED, PICKLED = "safetensors", "zipped", "pickled"
KINDS = "A state_dict in a .safetensors, .pt, .pth, .th or .bin file"
_RESAVE = "Where the model is, write torch.save(model.state_dict(), 'weights.pt') and open that file"
_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P"
"""What files of torch before 1.6 begin with, behind the number of the pickle's protocol."""
_OTHERS = (
    (b"\x89HDF\r\n\x1a\n", "This is an HDF5 file, as Keras writes it", "Convert it to safetensors first"),
    (b"GGUF", "This is a GGUF file, whose numbers are quantised", "Open the safetensors file of the same model"),
    (b"version https://git-lfs", "This is a Git LFS pointer: the weights themselves were not fetched",
     "Run `git lfs pull` where it came from"),
    (b"<!DOCTYPE", "This is a web page, not the file it links to", "Download the file itself"),
    (b"<html", "This is a web page, not the file it links to", "Download the file itself"),
    (b"\x93NUMPY", "This is a single numpy array", "Name its arrays and save them as safetensors"),
    (b"\x1f\x8b", "This is a gzip archive", "Unpack it, and open the file inside"),
    (b"\x08", "This looks like an ONNX file", "Import it: `main.py import onnx:FILE`"),
)  # fmt: skip


def kind_of(path: Path) -> str:
    """`safetensors`, `zipped` (torch's file) or `pickled` (torch's of before 1.6); ProblemError for all else."""
    try:
        if path.is_dir():
            refuse(path, "This is a folder", "Choose the file of weights in it")
        size = path.stat().st_size
        with open(path, "rb") as file:
            start = file.read(32)
    except OSError as fault:
        refuse(path, f"The file cannot be read: {fault.strerror or fault}", "Choose another file")
    if not size:
        refuse(path, "The file is empty", "Download or copy it again")
    if start[:4] == b"PK\x03\x04":
        _examine_zip(path, size)
        return ZIPPED
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**32:
        return SAFETENSORS
    if start[:1] == b"\x80" and start[2 : 2 + len(_MAGIC)] == _MAGIC:
        return PICKLED
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        words = "This is a pickle that torch.save did not write. Opening it would run code from the file, so it was not"
        refuse(path, f"{words} opened", code="weights-pickled")
    if path.suffix.lower() == ".safetensors" and not start.startswith(tuple(mark for mark, _, _ in _OTHERS[:-1])):
        return SAFETENSORS  # the library says what is wrong with it
    for mark, words, fix in _OTHERS:
        if start.startswith(mark):
            refuse(path, words, fix)
    if start.lstrip()[:1] in (b"{", b"["):
        _refuse_text(path)
    refuse(path, "This is no file of weights", "Choose a file that torch.save or safetensors wrote")


def refuse(path: Path, happened: str, fix: str = _RESAVE, code: str = "weights-file") -> NoReturn:
    """A ProblemError about a file that cannot be taken."""
    raise ProblemError(error(Where(label=path.name, file=str(path)), happened, KINDS, fix, code=code))


def _examine_zip(path: Path, size: int) -> None:
    """Refuses archives that are not torch's, hold programs, or would unpack to more than they are."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        refuse(path, "The file ends in the middle, or is damaged", "Download or copy it again")
    names = [entry.filename for entry in entries]
    if any(name.endswith(".npy") for name in names):
        refuse(path, "This is a numpy archive", "Save its arrays as safetensors")
    if any("/code/" in name or name.endswith("constants.pkl") for name in names):
        refuse(path, "This is a TorchScript program, which is run when it is opened",
               "Where it came from, write torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt')")  # fmt: skip
    if any("models/" in name or name.endswith(".json") or "exported_program" in name for name in names):
        refuse(path, "This is an exported program (.pt2), which can run code when it is opened",
               "Open the state_dict it was exported from")  # fmt: skip
    if not any(name.endswith("data.pkl") for name in names):
        refuse(path, "This archive holds no weights", "Unpack it, and open the file of weights inside")
    if sum(entry.file_size for entry in entries) > size or any(entry.compress_type for entry in entries):
        refuse(path, "The archive claims to hold more than the file does", "Do not use it: torch writes none such")


def _refuse_text(path: Path) -> NoReturn:
    try:
        index = json.loads(path.read_text("utf-8")) if path.stat().st_size < 2**24 else None
    except (OSError, ValueError, RecursionError):
        index = None
    if isinstance(index, dict) and "weight_map" in index:
        refuse(path, "This is the index of weights that are split over several files",
               "Join them first, for example with safetensors' or transformers' own tools")  # fmt: skip
    refuse(path, "This is a text, not a file of weights", "Choose a file that torch.save or safetensors wrote")
