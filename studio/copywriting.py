"""Words of the shop: titles, descriptions, prices, and how people ask for a change."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from .lines import COLOUR_NOTES, FAMILY_LINES, KITCHEN, KITCHEN_LINES, MATERIAL_LINES, PATTERN_LINES, PATTERN_WORDS
from .model import Product

DEARER = {
    "leather": 1.35,
    "velvet": 1.15,
    "suede": 1.1,
    "walnut": 1.2,
    "oak": 1.1,
    "brass": 1.3,
    "porcelain": 1.15,
    "boucle": 1.1,
}
BARE = ("natural", "walnut", "silver", "gold", "copper", "clear")  # the material's own colour
SAME_AS_COLOUR = {("walnut", "walnut"), ("copper", "copper")}


def _rng(item: Product, what: str) -> random.Random:
    return random.Random(int.from_bytes(hashlib.sha256(f"{what}/{item.id}".encode()).digest()[:4], "big"))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _article(text: str) -> str:
    return ("an " if text[0] in "aeiou" else "a ") + text


def _candidates(item: Product) -> list[str]:
    v, name = item.variant, item.parent.name
    colour, material = v.colour, v.material
    in_name = material in name
    made = material if (colour, material) in SAME_AS_COLOUR else f"{colour} {material}"
    if colour in ("gold", "silver") and material in ("brass", "steel"):
        made = f"brushed {material}"
    if in_name:
        made = colour
    if v.pattern == "plain":
        return [f"{name} in {made}", f"{made} {name}", f"{name}, {made}"]
    adjective, phrase, inside = PATTERN_WORDS[v.pattern]
    return [
        f"{adjective} {name} in {made}",
        f"{made} {name} {phrase}",
        f"{name} in {made}, {adjective}",
        f"{name} {inside}, {made}",
    ]


def titles(items: Sequence[Product]) -> dict[str, str]:
    """A title for each product, unique in the catalogue and worded in different ways."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for item in items:
        options = _candidates(item)
        first = _rng(item, "title").choices(range(len(options)), [5, 3, *[1] * (len(options) - 2)])[0]
        options = [options[first], *options, f"{options[0]} by {item.parent.brand}"]
        title = next(t for t in map(_sentence, options) if t not in taken)
        taken.add(title)
        out[item.id] = title
    return out


def material_lines(family: str, material: str) -> tuple[str, ...]:
    """What may be said of a material in a family."""
    if (family, material) in FAMILY_LINES:
        return FAMILY_LINES[family, material]
    if family in KITCHEN and material in KITCHEN_LINES:
        return KITCHEN_LINES[material]
    return MATERIAL_LINES[material]


def description(item: Product) -> str:
    """Two sentences: what the design is about, and something about this very finish."""
    v, rng = item.variant, _rng(item, "description")
    options: list[str] = []
    if v.pattern != "plain":
        options += PATTERN_LINES[v.pattern] * 2
    options += material_lines(item.family.key, v.material)
    note = COLOUR_NOTES[v.colour]
    second = rng.choice(options)
    style = rng.random()
    if style < 0.22 and v.colour not in BARE:
        tail = {
            "lamp": "This one has a base in {}.",
            "planter": "The pot here comes in {}.",
            "watch": "The strap here is {}.",
            "frame": "The frame here is {}.",
            "floorlamp": "The stand here is {}.",
            "sunglasses": "The frame here is {}.",
            "tumbler": "The glass here is {}.",
        }
        second = (
            tail.get(item.family.key, "Shown here in {}.").format(note)[:-1]
            + ("" if v.pattern == "plain" else f", {PATTERN_WORDS[v.pattern][1]}")
            + "."
        )
    return f"{item.parent.pitch} {second}"


def price(item: Product) -> float:
    """The design's price, a little more for dearer materials and for patterns."""
    p = item.parent.price
    if item.variant.material != item.parent.material:
        p *= DEARER.get(item.variant.material, 1.0)
    if item.variant.pattern != "plain":
        p *= 1.08
    step = 1.0 if p < 60 else 5.0 if p < 400 else 10.0
    return round(p / step) * step - (0.0 if p < 60 else 1.0 if p < 400 else 0.0)
