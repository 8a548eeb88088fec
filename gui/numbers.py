"""How numbers are written in the window: three figures that matter, commas, a true minus sign.

Owns the wording of values, counts, times and sizes. Never computes a value and never draws one.
"""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")


def number(value: float, figures: int = 3) -> str:
    """`value` with `figures` significant figures: 0.272, 5.31, 38,500; 4.1e-3 below 1e-3 and from 1e6 on.

    In scientific notation one figure fewer is kept, because the exponent already says how large it is. Whole numbers
    below a million are written out.
    """
    if isinstance(value, bool) or not math.isfinite(value):
        return _special(value)
    size = abs(value)
    if size == 0:
        return "0"
    if float(value).is_integer() and size < 1e6:
        return _signed(value, f"{size:,.0f}")
    rounded = float(f"{size:.{figures - 1}e}")
    if rounded < 1e-3 or rounded >= 1e6:
        mantissa, exponent = f"{size:.{max(figures - 2, 0)}e}".split("e")
        return _signed(value, f"{mantissa}e{int(exponent)}")
    decimals = max(0, figures - 1 - math.floor(math.log10(rounded)))
    return _signed(value, f"{rounded:,.{decimals}f}")


def scientific(value: float, figures: int = 2) -> str:
    """`value` as mantissa and exponent, for columns of gradient norms: 4.1e-3; from 1 to 1,000 plainly: 2.0, 150."""
    if not math.isfinite(value):
        return _special(value)
    if value == 0:
        return "0"
    mantissa, exponent = f"{abs(value):.{figures - 1}e}".split("e")
    if 0 <= int(exponent) < 3:
        return _signed(value, f"{float(f'{mantissa}e{exponent}'):.{max(figures - 1 - int(exponent), 0)}f}")
    return _signed(value, f"{mantissa}e{int(exponent)}")


def power_of_ten(exponent: int) -> str:
    """A whole decade of a logarithmic scale: 1e-3, 1, 10, 100, 1e3."""
    return str(10**exponent) if 0 <= exponent < 3 else f"1e{exponent}"


def count(amount: float) -> str:
    """How many: 38,538 in full below a million, then 38.6 M, 1.2 G."""
    size = abs(amount)
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if size >= limit:
            return _signed(amount, f"{_three(size / limit)}\N{NO-BREAK SPACE}{unit}")
    return _signed(amount, f"{size:,.0f}")


def signed(value: float, figures: int = 3) -> str:
    """A difference: always with its sign, so that +0.5 and −0.5 line up."""
    return f"+{number(value, figures)}" if value > 0 else number(value, figures)


def percent(share: float, figures: int = 3) -> str:
    """A share of 0 to 1 as per cent: 0.932 is "93.2 %"."""
    if not math.isfinite(share):
        return _special(share)
    return f"{number(round(share * 100, 6), figures)}\N{NO-BREAK SPACE}%"


def duration(seconds: float) -> str:
    """A time in the two largest units that it has: "41 s", "2 min 6 s", "3 h 5 min", "0.4 s"."""
    if not math.isfinite(seconds):
        return _special(seconds)
    size = abs(seconds)
    if size < 9.95:
        tenths = f"{size:.1f}".removesuffix(".0")
        return _signed(seconds if float(tenths) else 0, f"{tenths}\N{NO-BREAK SPACE}s")
    whole = round(size)
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    first = next(index for index, (amount, _) in enumerate(parts) if amount)
    words = [f"{amount:,}\N{NO-BREAK SPACE}{unit}" for amount, unit in parts[first : first + 2] if amount]
    return _signed(seconds, " ".join(words))


def bytes_text(size: float) -> str:
    """A size in bytes in decimal units, as download pages and disks count: "30 MB", "5.4 GB"."""
    left = float(abs(size))
    for unit in BYTE_UNITS[:-1]:
        if left < 999.5:
            return _signed(size, f"{_three(left)}\N{NO-BREAK SPACE}{unit}")
        left /= 1000
    return _signed(size, f"{_three(left)}\N{NO-BREAK SPACE}{BYTE_UNITS[-1]}")


def shape_text(shape: tuple[object, ...]) -> str:
    """A tensor shape with true multiplication signs: 3×32×32."""
    return "\N{MULTIPLICATION SIGN}".join(str(side) for side in shape)


def _three(size: float) -> str:
    """Three figures without trailing zeros: 38.6, 5.4, 30, 1,230."""
    if size >= 999.5:
        return f"{size:,.0f}"
    return f"{float(f'{size:.3g}'):g}"


def _signed(value: float, size: str) -> str:
    return MINUS + size if value < 0 else size


def _special(value: float) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if math.isnan(value):
        return "not a number"
    return "infinite" if value > 0 else f"{MINUS}infinite"
