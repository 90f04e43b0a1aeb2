"""Words of the shop: titles, descriptions, prices, and how people ask for a change."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from .model import Product

PATTERN_WORDS = {
    "stripes": ("striped", "with stripes", "in stripes"),
    "pinstripes": ("pinstriped", "with pinstripes", "in fine stripes"),
    "dots": ("dotted", "with dots", "in polka dots"),
    "checks": ("checked", "with checks", "in gingham checks"),
    "chevron": ("chevron", "with a chevron pattern", "in chevrons"),
    "dipped": ("dipped", "with a dipped base", "in a dip glaze"),
    "floral": ("floral", "with flowers", "in a floral print"),
    "leaves": ("leaf-print", "with leaves", "in a leaf print"),
    "diamonds": ("diamond-pattern", "with diamonds", "in a diamond pattern"),
    "speckled": ("speckled", "with speckles", "in a speckled finish"),
    "terrazzo": ("terrazzo", "with terrazzo chips", "in a terrazzo finish"),
    "marbled": ("marbled", "with marbling", "in a marbled finish"),
    "graphic": ("graphic", "with a graphic print", "in a two-moon print"),
    "sunrise print": ("sunrise-print", "with a sunrise print", "in a sunrise print"),
    "colour block": ("colour-block", "with a colour block", "in colour blocks"),
}

MATERIAL_LINES = {
    "stoneware": (
        "Fired hot and glazed by hand, it goes in the dishwasher and comes out the same.",
        "Dense stoneware, so a knock on the worktop is no drama.",
    ),
    "ceramic": (
        "The glaze pools a little at the edges, so no two are quite alike.",
        "Slip-cast and glazed in a small workshop.",
    ),
    "porcelain": (
        "Thin at the lip, strong everywhere else, as good porcelain is.",
        "Fine white-bodied porcelain, fired twice for the shine.",
    ),
    "earthenware": (
        "Left matt, with the feel of the clay under your hand.",
        "The matt surface drinks in the light.",
    ),
    "enamel": (
        "Enamel on steel: it survives the campfire, the sink and the picnic basket.",
        "Light in the rucksack and hard to hurt.",
    ),
    "oak": ("Solid European oak, oiled rather than lacquered.", "The oak darkens gently over the years."),
    "ash": ("Pale ash with a lively grain, finished with soap.", "Ash is light to lift and slow to mark."),
    "walnut": ("Dark walnut with a calm, straight grain.", "American walnut, rubbed with hard wax oil."),
    "painted wood": (
        "Beech under two coats of satin paint that wipes clean.",
        "Painted by hand; the brush is only just visible.",
    ),
    "painted steel": (
        "Powder-coated, so it will not chip when you dust it.",
        "The coating is matt and hides fingerprints.",
    ),
    "brass": ("Brushed brass that warms with age, or polish it bright again.",),
    "steel": (
        "Food-safe stainless steel all the way through.",
        "Tough steel that shrugs off dents and weather.",
    ),
    "velvet": (
        "Short-pile velvet, rubbed the right way in any light.",
        "Cotton velvet with a colour that goes deep.",
    ),
    "leather": (
        "Full-grain leather that looks better after its first year.",
        "Vegetable-tanned leather, cut from one hide.",
    ),
    "suede": ("Soft suede with a close, even nap.", "Brushed suede, treated against rain."),
    "boucle": ("Curly boucle, as soft as it looks.",),
    "plastic": (
        "Moulded from recycled plastic, light and easy to wipe.",
        "At least half the plastic has been something else before.",
    ),
    "linen": ("Washed linen with a dry hand and a bit of slub.", "European flax, woven and washed soft."),
    "cotton": (
        "Organic cotton, washed before it reaches you so that it will not shrink.",
        "Soft cotton that gets through a hundred washes.",
    ),
    "canvas": (
        "Dense cotton canvas that stands up by itself.",
        "Twelve-ounce canvas, softer with every wash.",
    ),
    "corduroy": ("Wide-wale cord with a good deep rib.",),
    "wool": ("Lambswool that warms without weight.", "Pure wool from a mill that has spun since 1903."),
    "rubber": (
        "A soft rubber strap that rinses clean under the tap.",
        "Salt water and sun cream leave it cold.",
    ),
    "nylon": ("A woven nylon strap that dries in minutes.",),
    "mesh": (
        "Airy knitted mesh that lets the heat out.",
        "The mesh is knitted in one piece, without a seam to rub.",
    ),
    "glass": (
        "Coloured in the melt, so it never fades.",
        "Mouth-blown; look for the tiny bubble in the base.",
    ),
}

PATTERN_LINES = {
    "stripes": ("Even stripes keep it cheerful.", "The stripes run true all the way round."),
    "pinstripes": ("Fine stripes draw it out and slim it down.",),
    "dots": ("The dots are a wink, not a shout.", "Polka dots, evenly spread."),
    "checks": ("Gingham checks, as on a good picnic.", "Classic checks in two tones."),
    "chevron": ("Zigzags give it some tempo.",),
    "dipped": ("Dipped by hand, so the line wanders a little.",),
    "floral": (
        "Small flowers, scattered in rows.",
        "A ditsy floral that does not take itself too seriously.",
    ),
    "leaves": ("Sprigs climb it from bottom to top.", "A leaf print with a mid-century air."),
    "diamonds": ("Diamonds in a neat harlequin grid.",),
    "speckled": ("Specks come up through the surface like freckles.",),
    "terrazzo": ("Terrazzo chips, no two in the same place.",),
    "marbled": ("Veins drift through it, different on every piece.",),
    "graphic": ("Two overlapping moons are printed on the chest.",),
    "sunrise print": ("A sun comes up on the front in four warm inks.",),
    "colour block": ("The lower third is dipped in a second colour.",),
}

COLOUR_NOTES = {
    "white": "bright white",
    "cream": "soft cream",
    "beige": "sandy beige",
    "tan": "saddle tan",
    "brown": "deep brown",
    "black": "ink black",
    "charcoal": "soft charcoal",
    "grey": "pebble grey",
    "navy": "dark navy",
    "blue": "clear blue",
    "light blue": "pale sky blue",
    "teal": "deep teal",
    "mint": "cool mint",
    "green": "leafy green",
    "sage": "dusty sage",
    "olive": "dark olive",
    "yellow": "sunny yellow",
    "mustard": "warm mustard",
    "orange": "bright orange",
    "terracotta": "baked terracotta",
    "red": "full red",
    "burgundy": "wine burgundy",
    "pink": "powder pink",
    "purple": "rich purple",
    "lavender": "faded lavender",
    "natural": "natural wood",
    "walnut": "dark wood",
    "silver": "bare silver",
    "gold": "brushed gold",
    "amber": "honey amber",
}
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
SAME_AS_COLOUR = {("walnut", "walnut")}


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
    if colour == "natural":
        made = f"natural {material}"
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


def description(item: Product) -> str:
    """Two sentences: what the design is about, and something about this very finish."""
    v, rng = item.variant, _rng(item, "description")
    options: list[str] = []
    if v.pattern != "plain":
        options += PATTERN_LINES[v.pattern] * 2
    options += MATERIAL_LINES.get(v.material, ())
    note = COLOUR_NOTES[v.colour]
    second = rng.choice(options)
    style = rng.random()
    if style < 0.35 and v.colour not in ("natural", "walnut", "silver", "gold"):
        tail = {
            "lamp": "This one has a base in {}.",
            "planter": "The pot here comes in {}.",
            "watch": "The strap here is {}.",
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


COLOUR_WISHES = (
    "the same in {new}",
    "in {new} please",
    "this one but {new}",
    "{new} instead of {old}",
    "do you have it in {new}?",
    "same {thing}, {new}",
    "make it {new}",
    "I would like this in {new}",
    "not {old}, {new}",
    "the {new} version",
)
PATTERN_WISHES = (
    "{with_new} instead",
    "the same but {with_new}",
    "the {adj} one",
    "{with_new} please",
    "this {thing}, {adj}",
    "can I have it {with_new}?",
    "same colour, but {adj}",
)
PLAIN_WISHES = (
    "plain, no pattern",
    "without the pattern",
    "the same but plain",
    "no {old} please",
    "just one colour, no {old}",
    "a plain one",
    "this {thing} without the {old}",
)
MATERIAL_WISHES = (
    "the same in {new}",
    "in {new} instead of {old}",
    "made of {new}",
    "is there one in {new}?",
    "{new} please, not {old}",
    "this {thing} but in {new}",
)


def wish(changed: str, old: str, new: str, category: str, rng: random.Random) -> str:
    """How someone might ask for the change."""
    thing = category if category == "T-shirt" else category.lower()
    if changed == "colour":
        text = rng.choice(COLOUR_WISHES)
    elif changed == "material":
        text = rng.choice(MATERIAL_WISHES)
    else:
        text = rng.choice(PLAIN_WISHES if new == "plain" else PATTERN_WISHES)
    words = PATTERN_WORDS.get(new, ("", "", ""))
    return text.format(
        old="pattern"
        if changed == "pattern"
        and old in ("speckled", "dipped", "marbled", "terrazzo", "floral", "graphic", "colour block", "chevron")
        else old,
        new=new,
        thing=thing,
        adj=words[0],
        with_new=words[1],
    )
