"""A file's names for its tensors brought to a network's: wrappers and beginnings that differ are taken off or put on.

Owns `named`. Of all ways the one that makes most tensors pair is taken, the names as they stand first. Never pairs
anything itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from engine.tensorfacts import Facts

_WRAPPERS = ("_orig_mod", "module")
"""Put before every name by `torch.compile` and by `DataParallel` and its kin, at any depth."""


def named(held: Facts, wanted: Facts) -> tuple[dict[str, str], list[str]]:
    """The name that each of the file's keys has in the network's terms, and what was done for it in words."""
    plain = {key: key for key in held}
    best, said = plain, list[str]()
    most = _fitting(plain, held, wanted)
    bare = {key: _unwrapped(key) for key in held}
    for names in (plain, bare) if bare != plain and len(set(bare.values())) == len(bare) else (plain,):
        words = [] if names is plain else [_removed(held)]
        count = _fitting(names, held, wanted)
        if count > most:
            best, said, most = names, words, count
        ways = [(cut, "") for cut in _beginnings(names.values())] + [("", added) for added in _beginnings(wanted)]
        for cut, added in ways:
            moved = _moved(names, cut, added)
            if (count := _fitting(moved, held, wanted)) > most and _convinces(moved, held, wanted):
                best, said, most = moved, [*words, *_told(cut, added)], count
    return _older(best, wanted, said), said


def _unwrapped(key: str) -> str:
    return ".".join(part for part in key.split(".") if part not in _WRAPPERS)


def _removed(held: Facts) -> str:
    found = [name for name in _WRAPPERS if any(name in key.split(".") for key in held)]
    return f"{' and '.join(f'{name}.' for name in found)} was removed from the names"


def _fitting(names: Mapping[str, str], held: Facts, wanted: Facts) -> int:
    """Pairs of same name and shape count double: what only bears the name may be another layer."""
    score = 0
    for key, name in names.items():
        if name in wanted:
            score += 2 if wanted[name].shape == held[key].shape else 1
    return score


def _convinces(names: Mapping[str, str], held: Facts, wanted: Facts) -> bool:
    """Half of the smaller side pairs exactly: fewer may bear each other's names by chance."""
    exact = sum(name in wanted and wanted[name].shape == held[key].shape for key, name in names.items())
    return 2 * exact >= min(len(held), len(wanted))


def _beginnings(keys: Iterable[str]) -> list[str]:
    """What the names of a whole part of a network begin with, one or two levels deep."""
    found: dict[str, int] = {}
    for key in keys:
        parts = key.split(".")
        for depth in range(1, min(3, len(parts))):
            begin = ".".join(parts[:depth]) + "."
            found[begin] = found.get(begin, 0) + 1
    large = sorted(found, key=lambda begin: -found[begin])[:24]
    return large


def _moved(names: Mapping[str, str], cut: str, added: str) -> dict[str, str]:
    """Names without one beginning and with another; those that do not begin so get nowhere."""
    found: dict[str, str] = {}
    for key, name in names.items():
        found[key] = added + name.removeprefix(cut) if name.startswith(cut) else f"({key})"
    return found


def _told(cut: str, added: str) -> Iterator[str]:
    if cut:
        yield f"{cut} was removed from the names"
    elif added:
        yield f"The names of the file are those inside {added.rstrip('.')}"


_OLD = {
    "weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1",
    "weight_orig": "parametrizations.weight.original", "weight_u": "parametrizations.weight.0._u",
}  # fmt: skip
"""Names of weight norm and spectral norm before torch had parametrizations; the values are the same."""


def _older(names: dict[str, str], wanted: Facts, said: list[str]) -> dict[str, str]:
    found = dict(names)
    for key, name in names.items():
        parent, _, leaf = name.rpartition(".")
        newer = f"{parent}.{_OLD[leaf]}" if leaf in _OLD else ""
        if newer in wanted and name not in wanted:
            found[key] = newer
    if found != names:
        said.append("Names of weight or spectral norm as older torch wrote them were understood")
    return found
