"""How people ask for a change, in English and in Chinese."""

from __future__ import annotations

import random

from .chinese import CATEGORIES, COLOURS, MATERIALS, PATTERNS
from .lines import PATTERN_WORDS

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
    "love it, but in {new}",
    "same shape in {new}",
    "something like this, only {new}",
    "{new}, otherwise identical",
)
PATTERN_WISHES = (
    "{with_new} instead",
    "the same but {with_new}",
    "the {adj} one",
    "{with_new} please",
    "this {thing}, {adj}",
    "can I have it {with_new}?",
    "same colour, but {adj}",
    "is there a {adj} version?",
    "like this, {with_new}",
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
    "in {new}",
    "same colour, but {new}",
    "I'd rather have {new} than {old}",
)


def wish(changed: str, old: str, new: str, category: str, rng: random.Random) -> str:
    """How someone might ask for the change, in English."""
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


COLOUR_WISHES_ZH = (
    "同款，要{new}的",
    "有{new}的吗？",
    "换成{new}",
    "不要{old}，要{new}",
    "一样的款式，{new}款",
    "这款{thing}有没有{new}",
    "想要{new}的",
    "颜色换{new}就好",
)
PATTERN_WISHES_ZH = ("要{new}的", "同色，带{new}的", "换成{new}图案", "有{new}款吗？", "一样的，但是{new}")
PLAIN_WISHES_ZH = ("要纯色的", "不要{old}", "同款纯色", "去掉花纹，素一点", "有没有不带{old}的？")
MATERIAL_WISHES_ZH = ("同款，{new}的", "换成{new}材质", "有{new}的吗？", "不要{old}，要{new}", "{new}做的有吗")


def wish_zh(changed: str, old: str, new: str, category: str, rng: random.Random) -> str:
    """How someone might ask for the change, in Chinese."""
    if changed == "colour":
        options, words = COLOUR_WISHES_ZH, COLOURS
    elif changed == "material":
        options, words = MATERIAL_WISHES_ZH, MATERIALS
    else:
        options, words = (PLAIN_WISHES_ZH if new == "plain" else PATTERN_WISHES_ZH), PATTERNS
    return rng.choice(options).format(old=words[old], new=words[new], thing=CATEGORIES[category])
