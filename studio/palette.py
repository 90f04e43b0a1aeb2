"""Colour names people use, and the accents that go with them."""

from __future__ import annotations

import numpy as np

PALETTE: dict[str, str] = {
    "white": "#f3f1ec",
    "cream": "#ece0c4",
    "beige": "#d3bd9c",
    "tan": "#b67f4c",
    "brown": "#6e4529",
    "black": "#26262a",
    "charcoal": "#4a4d52",
    "grey": "#9b9ea1",
    "navy": "#22365c",
    "blue": "#2f67b1",
    "light blue": "#9cc3de",
    "teal": "#1f7a7a",
    "mint": "#a9d8bf",
    "green": "#2f7d4b",
    "sage": "#96ab8b",
    "olive": "#6f7338",
    "yellow": "#f0c93c",
    "mustard": "#cf962b",
    "orange": "#e27a33",
    "terracotta": "#c1623f",
    "red": "#c22f31",
    "burgundy": "#702236",
    "pink": "#ea9fb4",
    "purple": "#6d4590",
    "lavender": "#b8a6d6",
    "natural": "#d2a66c",
    "walnut": "#6f452b",
    "silver": "#c9cbce",
    "gold": "#e0b45c",
    "copper": "#d08a63",
    "amber": "#c8781e",
    "coral": "#e8735a",
    "khaki": "#a3946a",
    "clear": "#e9efee",
}

# The second colour of a pattern on a base; a third one for prints and terrazzo.
ACCENTS: dict[str, tuple[str, str]] = {
    "white": ("navy", "terracotta"),
    "cream": ("terracotta", "teal"),
    "beige": ("brown", "white"),
    "tan": ("cream", "brown"),
    "brown": ("cream", "mustard"),
    "black": ("cream", "mustard"),
    "charcoal": ("white", "mustard"),
    "grey": ("white", "charcoal"),
    "navy": ("cream", "mustard"),
    "blue": ("white", "yellow"),
    "light blue": ("white", "navy"),
    "teal": ("cream", "mustard"),
    "mint": ("white", "green"),
    "green": ("cream", "yellow"),
    "sage": ("cream", "olive"),
    "olive": ("cream", "mustard"),
    "yellow": ("white", "charcoal"),
    "mustard": ("cream", "brown"),
    "orange": ("cream", "burgundy"),
    "terracotta": ("cream", "navy"),
    "red": ("white", "navy"),
    "burgundy": ("pink", "cream"),
    "pink": ("white", "burgundy"),
    "purple": ("lavender", "white"),
    "lavender": ("white", "purple"),
    "natural": ("brown", "cream"),
    "coral": ("cream", "burgundy"),
    "khaki": ("cream", "brown"),
}


def rgb(colour: str) -> np.ndarray:
    """sRGB in 0..1 of a palette name or a #rrggbb value."""
    h = PALETTE.get(colour, colour).lstrip("#")
    return np.array([int(h[i : i + 2], 16) for i in (0, 2, 4)]) / 255.0


def linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB to linear light."""
    c = np.asarray(srgb, float)
    return np.where(c <= 0.04045, c / 12.92, ((np.maximum(c, 0) + 0.055) / 1.055) ** 2.4)


def encode(light: np.ndarray) -> np.ndarray:
    """Linear light in 0..1 to sRGB."""
    c = np.clip(light, 0, 1)
    return np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055)


def tone_map(light: np.ndarray, exposure: float = 1.0, knee: float = 0.8) -> np.ndarray:
    """8-bit picture of a linear one: a soft shoulder on the luminance alone, so that hues do not drift."""
    x = np.maximum(np.nan_to_num(light), 0) * exposure
    y = x @ np.array([0.2126, 0.7152, 0.0722])
    soft = np.where(y < knee, y, knee + (1 - knee) * (1 - np.exp(-(y - knee) / (1 - knee))))
    out = x * (soft / np.maximum(y, 1e-9))[..., None]
    # A channel over 1 gives its excess back as grey: lighter, with the same hue.
    peak = out.max(-1)
    grey = np.clip((peak - 1) / np.maximum(peak - soft, 1e-9), 0, 1) * (peak > 1)
    out = out * (1 - grey[..., None]) + (soft * grey)[..., None]
    return (encode(out) * 255 + 0.5).astype(np.uint8)


def lab(srgb: np.ndarray) -> np.ndarray:
    """CIE Lab (D65) of sRGB in 0..1, for distances the eye would agree with."""
    m = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = linear(srgb) @ m.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)
