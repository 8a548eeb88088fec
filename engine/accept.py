"""Which inputs a layer takes, by name: rank, dtype and the words that say so. Knows no layer."""

from __future__ import annotations

from dataclasses import dataclass

from engine.tensor import FLOAT, INT, TensorInfo


@dataclass(frozen=True, slots=True)
class Accepted:
    """Ranks (without the batch) and dtype of inputs that fit, and how to say it."""

    words: str
    ranks: tuple[int, ...] = ()
    """Empty: any rank."""
    dtype: str = ""
    """Empty: any type."""

    def fits(self, info: TensorInfo) -> bool:
        """True when one sample of that shape and type can enter."""
        return (not self.ranks or info.rank in self.ranks) and (not self.dtype or info.dtype == self.dtype)


ACCEPTED = {
    "any": Accepted("anything"),
    "numbers": Accepted("numbers of any shape", (), FLOAT),
    "vector": Accepted("a vector, features", (1,), FLOAT),
    "features": Accepted("numbers with features last", (1, 2, 3, 4, 5), FLOAT),
    "channels": Accepted("numbers with channels first, C×...", (1, 2, 3, 4), FLOAT),
    "channels1d": Accepted("a vector or a signal, C or C×L", (1, 2), FLOAT),
    "signal": Accepted("a signal, channels×length", (2,), FLOAT),
    "image": Accepted("an image, channels×height×width", (3,), FLOAT),
    "volume": Accepted("a volume, channels×depth×height×width", (4,), FLOAT),
    "maps": Accepted("a signal, image or volume, channels first", (2, 3, 4), FLOAT),
    "sequence": Accepted("a sequence, steps×features", (2,), FLOAT),
    "tokens": Accepted("whole numbers (token ids)", (), INT),
}
