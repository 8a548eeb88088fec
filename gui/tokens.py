"""The two themes as values: every colour of the window, written once.

Owns the tokens and how colours are mixed. Never knows which theme holds now (`gui.theme` does), nor any widget.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from PySide6.QtGui import QColor

FAMILIES = (
    "io", "linear", "convolution", "pooling", "normalisation",
    "activation", "regularisation", "merge", "recurrent", "attention",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Theme:
    """Every colour of one theme as "#RRGGBB", and the shares (0 to 1) at which some of them are laid over others."""

    name: str
    dark: bool
    window: str
    panel: str
    canvas: str
    node: str
    raised: str
    sunken: str
    track: str
    """What a bar runs in: a light field is white, and a white groove on a white panel would not be seen."""
    hover: str
    selected: str
    border: str
    border2: str
    dots: str
    control: str
    text: str
    text2: str
    text3: str
    accent: str
    accent_fill: str
    on_accent: str
    ok: str
    warn: str
    error: str
    frozen: str
    family: Mapping[str, str]
    series: tuple[str, ...]
    baseline: str
    gradient: tuple[str, ...]
    """Nine stops from weak to strong, equally spaced in lightness."""
    tile_share: float
    tint_share: float
    shadow_share: float
    hatch_share: float
    frame_share: float
    band_share: float

    def color(self, token: str, share: float = 1.0) -> QColor:
        """The colour of `token` ("text2", "family.linear", "series.3" or "#RRGGBB") at `share` opacity.

        Raises KeyError for a token that does not exist: that is a misspelling in our own code.
        """
        made = QColor(self.hex(token))
        if share < 1.0:
            made.setAlphaF(share)
        return made

    def hex(self, token: str) -> str:
        """The "#RRGGBB" text of a token; series repeat after the eighth."""
        if token.startswith("#"):
            return token
        group, dot, rest = token.partition(".")
        if dot and group == "family":
            return self.family[rest]
        if dot and group == "series":
            return self.series[int(rest) % len(self.series)]
        found = getattr(self, token, None)
        if not isinstance(found, str) or not found.startswith("#"):
            raise KeyError(f"no colour named {token!r}")
        return found

    def family_color(self, family: str) -> QColor:
        """The glyph colour of a layer family; families from plug-ins that we do not know look like merge."""
        return QColor(self.family.get(family, self.family["merge"]))

    def tile_color(self, family: str, over: str = "node") -> QColor:
        """The fill of a glyph's tile: the family colour, opaque, as it looks laid over `over`."""
        return mix(self.family_color(family), self.color(over), self.tile_share)

    def gradient_color(self, position: float) -> QColor:
        """The colour at `position` (0 weak to 1 strong, held at both ends), interpolated between stops in sRGB."""
        last = len(self.gradient) - 1
        place = min(max(position, 0.0), 1.0) * last
        stop = min(int(place), last - 1)
        return mix(QColor(self.gradient[stop + 1]), QColor(self.gradient[stop]), place - stop)


def mix(over: QColor, under: QColor, share: float) -> QColor:
    """`share` (0 to 1) of `over` and the rest of `under`, channel by channel in sRGB."""
    rest = 1.0 - share
    return QColor(
        round(over.red() * share + under.red() * rest),
        round(over.green() * share + under.green() * rest),
        round(over.blue() * share + under.blue() * rest),
    )


def _families(*colors: str) -> Mapping[str, str]:
    return MappingProxyType(dict(zip(FAMILIES, colors, strict=True)))


DARK = Theme(
    name="dark",
    dark=True,
    window="#14171C",
    panel="#1A1E24",
    canvas="#101317",
    node="#20262F",
    raised="#222831",
    sunken="#12151A",
    track="#12151A",
    hover="#2A313C",
    selected="#20324F",
    border="#2B323C",
    border2="#3A434F",
    dots="#2B323C",
    control="#748190",
    text="#E7EBF0",
    text2="#AAB4C0",
    text3="#8F9BA9",
    accent="#6EA8FF",
    accent_fill="#2F6FE0",
    on_accent="#FFFFFF",
    ok="#4CC38A",
    warn="#F0B429",
    error="#FF6F61",
    frozen="#9CC9F5",
    family=_families(
        "#B8BAC0", "#54CAFF", "#A865E1", "#D1FBFF", "#8FBD81", "#EC9820", "#C06B76", "#84839C", "#FFD5C7", "#E8F382"
    ),
    series=("#9BB7FE", "#EE7A12", "#74F0A8", "#EA9BB0", "#EFD63F", "#9C7BFF", "#308FAC", "#AB7972"),
    baseline="#D9DEE5",
    gradient=(
        "#4D4E6C", "#53608F", "#4B76AB", "#3290BB", "#0BAABC", "#39C2AF", "#7CD6A0", "#BBE597", "#F5F19E",
    ),
    tile_share=0.12,
    tint_share=0.12,
    shadow_share=0.35,
    hatch_share=0.16,
    frame_share=0.35,
    band_share=0.20,
)  # fmt: skip

LIGHT = Theme(
    name="light",
    dark=False,
    window="#E9ECF0",
    panel="#F7F8FA",
    canvas="#EFF2F5",
    node="#FFFFFF",
    raised="#FFFFFF",
    sunken="#FFFFFF",
    track="#E6EAF0",
    hover="#E6EAF0",
    selected="#DCE8FC",
    border="#D6DBE2",
    border2="#BAC2CC",
    dots="#BAC2CC",
    control="#7A8593",
    text="#161A20",
    text2="#47515E",
    text3="#5C6774",
    accent="#1D5FD1",
    accent_fill="#1D5FD1",
    on_accent="#FFFFFF",
    ok="#0F7346",
    warn="#8A5A00",
    error="#BF2A1F",
    frozen="#2A6795",
    family=_families(
        "#7D7E83", "#5A4ACB", "#540067", "#0587A8", "#03543C", "#A87432", "#AD3A5C", "#2D303B", "#600300", "#5A5B01"
    ),
    series=("#4A7DF0", "#A85502", "#00785C", "#C3789B", "#889457", "#7040B0", "#024158", "#562E1D"),
    baseline="#161A20",
    gradient=(
        "#CECFF0", "#AFBCE7", "#86ABDA", "#519EC3", "#068E9E", "#067C74", "#03694E", "#1B5527", "#2E3F06",
    ),
    tile_share=0.09,
    tint_share=0.10,
    shadow_share=0.13,
    hatch_share=0.20,
    frame_share=0.55,
    band_share=0.16,
)  # fmt: skip
