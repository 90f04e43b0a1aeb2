"""The "Why this?" part of the product page: the receipt, the words, the maps and what would change the answer."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from mmdemo.say import noun, say
from mmdemo.ui import cards
from mmdemo.ui.answer import has_chances
from mmdemo.why import Map, Why

FAINT = 0.12  # of the strongest effect: what is weaker stays untinted
LEAST = 0.005  # of a score: what is weaker would be written +0.00


def section(why: Why | None, whole: bool) -> str:
    """The section as HTML: empty without a query; with `whole`, checks and changes too, which take a second longer."""
    if why is None:
        return ""
    return cards.render(
        "why",
        rank=why.rank,
        parts=cards.receipt(why.receipt),
        score=why.score,
        reason=why.reason,
        groups=[
            {"name": say("Your words, each left out in turn"), "words": tinted(why.words)},
            {"name": say("The words of its title, each left out in turn"), "words": tinted(why.title_words)},
        ],
        pictures=[
            _picture(say("Your photo") if why.query.image is not None else say("Where you started"), why.query_map,
                     why.query_check if whole else None, whole),
            _picture(say("This {noun}", noun=noun(1)), why.product_map, why.product_check if whole else None, whole),
        ],
        conditions=[part for part in why.reading.parts],
        note=why.note,
        whole=whole,
        chances=has_chances(why.query, []),
        changes=[change.sentence for change in why.changes] if whole else [],
        above=why.above if whole else None,
    )  # fmt: skip


def tinted(words: list[tuple[str, float]]) -> list[dict[str, Any]]:
    """Words with the strength of their tint, -1 (pulled the score down) to 1 (held it up most)."""
    most = max((abs(effect) for _, effect in words), default=0) or 1
    least = max(LEAST, FAINT * most)
    return [
        {"word": word, "effect": effect, "tint": round(effect / most, 2) if abs(effect) > least else 0}
        for word, effect in words
    ]


def _picture(name: str, made: Map | None, check: Any, whole: bool) -> dict[str, Any] | None:
    if made is None:
        return None
    most = max(abs(v) for row in made.heat for v in row) or 1
    return {
        "name": name,
        "src": _inline(made.picture),
        "cells": [round(v / most, 2) for row in made.heat for v in row],
        "side": len(made.heat),
        "ratio": made.picture.width / made.picture.height,
        "check": check,
        "checked": whole,
        "shown": not whole or (check is not None and check.gain > 0),
    }


def _inline(picture: Image.Image) -> str:
    """A small picture as a data address: a photo is shown to the one who sent it and kept nowhere."""
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
