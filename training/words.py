"""The phrases that training is made of: the shared words of shops, and what people put around them."""

# ruff: noqa: F401
from mmdemo.language.lexicon import COLOURS, MATERIALS, PATTERNS, PEOPLE, PRODUCTS, STYLES, table

# "{p}" is a phrase: what people put around one when they search or describe.
FRAMES = [
    "{p}",
    "{p}",
    "{p}",
    "a {p}",
    "a photo of a {p}",
    "the {p}",
    "{p} under {n} euros",
    "{p} for {n} dollars",
    "show me a {p}",
    "I am looking for a {p}",
    "a picture of {p}",
    "buy {p} online",
    "{p} for the home",
    "cheap {p}",
    "{p} as a gift",
    "something like a {p}",
    "do you have a {p}?",
    "{p} below {n}",
    "new {p}",
    "the same {p} but bigger",
]
FRAMES_ZH = ["{p}", "{p}", "一个{p}", "我想买{p}", "{p}的照片", "找{p}", "{n}元以下的{p}"]
EDITS = [
    "in {c}",
    "the same but in {c}",
    "{c} please",
    "is {c}",
    "make it {c}",
    "change the colour to {c}",
    "{c} instead of {d}",
    "not {c}",
    "not {m}",
    "made of {m}",
    "in {m}",
    "with a {t} pattern",
    "{t}",
    "more {s}",
    "less {s}",
    "with {t} {m}",
    "like this, {s}",
]
EDITS_ZH = {
    "in {c}": "{c}的",
    "the same but in {c}": "一样的但是{c}",
    "not {c}": "不要{c}",
    "made of {m}": "{m}做的",
    "with a {t} pattern": "带{t}图案",
    "more {s}": "更{s}",
    "change the colour to {c}": "换成{c}",
}
