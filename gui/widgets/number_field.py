"""Fields for numbers, sizes and text. Owns turning what is typed into values; when they count is in `field`."""

from __future__ import annotations

import re
from typing import Any

from gui.widgets.expression import evaluate, is_plain
from gui.widgets.field import Field

Number = int | float
Size = int | tuple[int, ...]
TIMES = "\N{MULTIPLICATION SIGN}"


class NumberField(Field):
    """A number with bounds and a unit; understands sums such as `2*64`. The value is int, float or, if optional, None.

    `whole` admits whole numbers only. `step` is what the steppers add; without it, fractions go up by a tenth of their
    own size, so that a rate of 1e-3 can be stepped as well as one of 10.
    """

    def __init__(
        self,
        value: Number | None = 0,
        *,
        minimum: Number | None = None,
        maximum: Number | None = None,
        whole: bool = False,
        step: Number | None = None,
        unit: str = "",
        optional: bool = False,
        placeholder: str = "",
        dense: bool = False,
    ) -> None:
        super().__init__(dense=dense, steppers=True, mono=True, unit=unit)
        self._minimum, self._maximum = minimum, maximum
        self._whole, self._step, self._optional = whole, step, optional
        self.entry.setPlaceholderText(placeholder)
        self.set_value(value)

    def set_bounds(self, minimum: Number | None, maximum: Number | None) -> None:
        """Other bounds for what is typed from now on."""
        self._minimum, self._maximum = minimum, maximum

    def parse(self, text: str) -> Number | None:
        """The number that `text` means, or None for nothing where that is allowed; raises ValueError with words."""
        if not text.strip():
            if self._optional:
                return None
            raise ValueError(self.tr("A number is needed"))
        try:
            found = evaluate(text)
        except ValueError as problem:
            raise ValueError(self.tr("Not a number")) from problem
        if self._whole:
            if found != int(found):
                raise ValueError(self.tr("A whole number"))
            found = int(found)
        self._check_bounds(found)
        return found

    def format(self, value: Any) -> str:
        """The shortest text that reads back as the same number."""
        return "" if value is None else plain(value)

    def explain(self, text: str) -> str:
        """What a sum comes to."""
        if not text.strip() or is_plain(text):
            return ""
        return self.tr("= {value} when left").format(value=self.format(self.parse(text)))

    def step(self, steps: int) -> None:
        """Go up or down, held at the bounds."""
        try:
            start = self.parse(self.entry.text())
        except ValueError:
            start = self._value
        start = 0 if start is None else start
        new = start + steps * self._stride(start)
        if isinstance(new, float):
            new = float(f"{new:.12g}")
        if self._minimum is not None:
            new = max(new, self._minimum)
        if self._maximum is not None:
            new = min(new, self._maximum)
        self.commit(new)

    def _stride(self, start: Number) -> Number:
        if self._step is not None:
            return self._step
        if self._whole or isinstance(start, int):
            return 1
        return 10.0 ** (int(f"{abs(start) or 1:e}".split("e")[1]) - 1)

    def _check_bounds(self, found: Number) -> None:
        low, high = self._minimum, self._maximum
        if low is not None and high is not None and not low <= found <= high:
            raise ValueError(self.tr("{low} to {high}").format(low=plain(low), high=plain(high)))
        if low is not None and found < low:
            raise ValueError(self.tr("{low} or more").format(low=plain(low)))
        if high is not None and found > high:
            raise ValueError(self.tr("{high} or less").format(high=plain(high)))


class SizeField(Field):
    """One whole number for all sides, or one per side: `3`, `3×5`. The value is an int or a tuple of ints."""

    def __init__(
        self,
        value: Size = 1,
        *,
        sides: int = 2,
        minimum: int | None = None,
        maximum: int | None = None,
        unit: str = "",
        dense: bool = False,
    ) -> None:
        super().__init__(dense=dense, steppers=True, mono=True, unit=unit)
        self._sides, self._minimum, self._maximum = sides, minimum, maximum
        self.set_value(value)

    def parse(self, text: str) -> Size:
        """The size that `text` means; sides are parted by ×, x or a comma. Raises ValueError with words."""
        parts = [part.strip() for part in re.split(f"[xX,{TIMES}]", text.strip().strip("()[]"))]
        if len(parts) not in (1, self._sides):
            example = TIMES.join("3" for _ in range(self._sides))
            raise ValueError(
                self.tr("One number or {count}, such as {example}").format(count=self._sides, example=example)
            )
        numbers = tuple(self._side(part) for part in parts)
        return numbers[0] if len(numbers) == 1 or len(set(numbers)) == 1 else numbers

    def format(self, value: Any) -> str:
        """`3` or `3×5`."""
        return TIMES.join(str(side) for side in value) if isinstance(value, tuple | list) else str(value)

    def step(self, steps: int) -> None:
        """All sides go up or down together."""
        try:
            start = self.parse(self.entry.text())
        except ValueError:
            start = self._value
        sides = start if isinstance(start, tuple) else (start,)
        moved = tuple(self._held(side + steps) for side in sides)
        self.commit(moved[0] if len(moved) == 1 else moved)

    def _held(self, side: int) -> int:
        side = side if self._minimum is None else max(side, self._minimum)
        return side if self._maximum is None else min(side, self._maximum)

    def _side(self, text: str) -> int:
        try:
            found = evaluate(text)
        except ValueError as problem:
            raise ValueError(self.tr("Not a number")) from problem
        if found != int(found):
            raise ValueError(self.tr("A whole number"))
        if self._minimum is not None and found < self._minimum:
            raise ValueError(self.tr("{low} or more").format(low=self._minimum))
        if self._maximum is not None and found > self._maximum:
            raise ValueError(self.tr("{high} or less").format(high=self._maximum))
        return int(found)


class TextField(Field):
    """One line of text. The value is the text, without blanks at its ends."""

    def __init__(self, value: str = "", *, placeholder: str = "", needed: bool = False, dense: bool = False) -> None:
        super().__init__(dense=dense)
        self._needed = needed
        self.entry.setPlaceholderText(placeholder)
        self.set_value(value)

    def parse(self, text: str) -> str:
        """The text itself; raises ValueError when something is needed and nothing is there."""
        if self._needed and not text.strip():
            raise ValueError(self.tr("A name is needed"))
        return text.strip()

    def format(self, value: Any) -> str:
        """The text itself."""
        return "" if value is None else str(value)


def plain(value: Number) -> str:
    """The shortest text that reads back as the same number, in the notation of a field: 128, 0.1, 1e-4."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    text = repr(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}"
    if abs(value) < 1e-3:
        mantissa, exponent = f"{value:e}".split("e")
        short = mantissa.rstrip("0").rstrip(".")
        return f"{short}e{int(exponent)}" if float(f"{short}e{exponent}") == value else text
    return text
