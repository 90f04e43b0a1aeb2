"""What goes together: simulated from rules of style, for lack of shoppers.

A rule names two categories that one room or one outfit holds and the kind of the link. Within it, products are
drawn by how well their colours get on, and a little by pattern and brand. Two patterns side by side fight.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from .model import Product
from .palette import ACCENTS, lab, rgb

ROOMS = {
    "table setting": ("plate", "bowl", "mug", "tumbler", "jug", "teapot", "casserole", "candle"),
    "living room": ("sofa", "cushion", "throw", "rug", "floorlamp", "table", "frame", "vase", "basket"),
    "dining room": ("chair", "table", "pendant", "vase", "rug", "candle", "clock"),
    "bedroom": ("lamp", "storage", "throw", "rug", "frame", "clock", "planter"),
    "children's room": ("toy", "rug", "basket", "storage", "stool"),
    "out for the day": ("backpack", "bottle", "umbrella", "sneaker", "beanie", "headphones"),
    "journey": ("suitcase", "backpack", "headphones", "sunglasses", "scarf", "hat"),
    "outfit": ("dress", "sandal", "handbag", "sunglasses", "hat", "belt", "scarf", "watch"),
    "everyday outfit": ("tshirt", "trousers", "sneaker", "belt", "tote", "watch", "hat"),
    "winter outfit": ("sweater", "trousers", "boot", "beanie", "scarf", "handbag", "belt"),
    "summer outfit": ("skirt", "tshirt", "sandal", "sunglasses", "tote", "hat"),
}
NEUTRAL = frozenset(
    "white cream beige tan brown black charcoal grey natural walnut silver gold clear khaki copper".split()
)
LINKS_EACH = 5


@cache
def harmony(a: str, b: str) -> float:
    """How well two colours get on, 0 to 1: the same one, an accent of it, a neutral, a neighbour in hue, or not."""
    if a == b:
        return 1.0
    if b in ACCENTS.get(a, ()) or a in ACCENTS.get(b, ()):
        return 0.9
    if a in NEUTRAL or b in NEUTRAL:
        return 0.7
    (_, *x), (_, *y) = lab(rgb(a)), lab(rgb(b))
    turn = np.abs(np.arctan2(x[1], x[0]) - np.arctan2(y[1], y[0]))
    turn = min(turn, 2 * np.pi - turn)
    return 0.55 if turn < 0.6 else 0.45 if turn > 2.6 else 0.15


def fit(a: Product, b: Product) -> float:
    """How well two products go together, about 0 to 1.2."""
    score = harmony(a.variant.colour, b.variant.colour)
    patterned = (a.variant.pattern != "plain") + (b.variant.pattern != "plain")
    if patterned == 2:
        score *= 0.9 if a.variant.pattern == b.variant.pattern else 0.35
    return score + 0.1 * (a.parent.brand == b.parent.brand) + 0.05 * (a.variant.material == b.variant.material)


def links(items: Sequence[Product]) -> list[dict[str, str]]:
    """The rows of links.csv: a few complements of each product, one of a category at most."""
    rng = np.random.default_rng(3)
    by_family: dict[str, list[Product]] = {}
    for p in items:
        by_family.setdefault(p.family.key, []).append(p)
    found: dict[tuple[str, str], str] = {}
    for p in items:
        partners = {}
        for room, keys in ROOMS.items():
            if p.family.key in keys:
                partners.update({k: room for k in keys if k != p.family.key and k in by_family and k not in partners})
        chosen = []
        for key, room in partners.items():
            mine = by_family[key]
            scores = np.array([fit(p, q) for q in mine]) + rng.gumbel(0, 0.08, len(mine))
            best = int(scores.argmax())
            chosen.append((scores[best], mine[best].id, room))
        for _, other, room in sorted(chosen, reverse=True)[:LINKS_EACH]:
            found.setdefault((min(p.id, other), max(p.id, other)), room)
    return [{"id": a, "other_id": b, "kind": kind, "source": "simulated"} for (a, b), kind in sorted(found.items())]
