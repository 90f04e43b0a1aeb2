"""Anything at all, thrown at what reads it: an InputError in one sentence or a sound result, and never anything else.

`make fuzz` runs the same with thousands of examples each.
"""

import json
import re
import shutil
import string
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.core.errors import InputError
from mmdemo.core.money import parse_price
from mmdemo.core.request import Filter, Query
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.grammar import Grammar
from tests.bad_pictures import KINDS, encoded, noise

settings.register_profile("short", max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("long", settings.get_profile("short"), max_examples=20_000)
if settings.get_current_profile_name() not in ("long",):
    settings.load_profile("short")

SEEDS = [encoded(noise(14, 11), kind) for kind in KINDS if kind != "AVIF"] + [encoded(noise(14, 11), "AVIF")]
WORDS = st.text(max_size=60) | st.text(string.ascii_lowercase + "<>=!| .,0123456789-", max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=6)), max_size=6), st.data())
def test_any_damage_to_a_picture(seed, splices, data):
    damaged = bytearray(seed)
    for at, what in splices:
        at %= len(damaged) + 1
        damaged[at : at + data.draw(st.integers(0, 8))] = what
    try:
        picture = decode(bytes(damaged), max_side=32)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert picture.mode == "RGB" and max(picture.size) <= 32 and picture.info == {}


@given(WORDS)
@example("price<nan")
@example("price<1e999")
@example("price<١٢")
@example("a" + " " * 100_000)
@example("a=" + "|" * 900)
@example("\ud800=x")
@example("=" * 500)
@example(" " * 999)  # took 45 seconds
def test_any_filter(toy_index, text):
    index = _opened(toy_index)
    try:
        rule = Filter.parse(text)
        allowed = index.allowed([rule])
    except InputError as error:
        assert len(str(error)) < 2500
    else:
        assert Filter.parse(str(rule)) == rule, "what is shown means the same"
        assert set(allowed.tolist()) <= set(range(len(index)))


@given(
    st.builds(
        dict,
        text=st.text(max_size=1200),
        k=st.integers(-5, 2000),
        weight=st.floats(),
        diversity=st.floats(),
        like=st.lists(st.text(max_size=5), max_size=3).map(tuple),
        reference=st.text(max_size=5),
    )
)
def test_any_query(toy_recommender, asked):
    try:
        found = toy_recommender.recommend(Query(**asked))
    except InputError as error:
        assert "\n" not in str(error) or "\n" in str(asked)
    else:
        assert len(found) <= asked["k"] and all(-1.001 <= one.score <= 1.001 for one in found)


PIECES = (
    "not|no|isn't|doesn't have|without|any|but|rather|than|prefer|to|over|swap|the|for|->|vegan|-free|under|over|max|"
    "budget|around|or less|and up|+|between|and|-|20|1 000|twenty|1k|a hundred|€|kr|£|cheapest|most expensive|first|"
    "size|M|by|in|same|red|blue|mug|mugs|handle|of|this|please|,|.|(|)|"
    "不要|没有|换成|比起|以下|左右|最便宜的|四十|元|红色|蓝色|的|码|牌"
).split("|")
SENTENCES = st.builds(
    "".join, st.lists(st.sampled_from(PIECES) | st.sampled_from(" ,") | st.text(max_size=3), max_size=14)
)


@given(SENTENCES | st.text(max_size=80), st.sampled_from(["nothing", "photo", "product"]))
@example("one hundred hundred hundred and one thousand thousand", "nothing")  # was larger than any number
@example("swap the red for blue -> red", "product")
@example("\u0130 not red under 20", "photo")
def test_any_sentence(toy_index, sentence, start):
    index = _opened(toy_index)
    grammar = _GRAMMARS.setdefault(id(index), Grammar(index.products, index.facets))
    anchor = index.products[0] if start == "product" else None
    reading = grammar.read(sentence, anchor, photo=start == "photo")
    assert reading == grammar.read(sentence, anchor, photo=start == "photo")
    claimed = [part for part in reading.parts if part.kind != "edit"]
    assert all(one.end <= other.start for one, other in pairwise(claimed)), "no words are read twice"
    for part in reading.parts:
        assert part.words and sentence[part.start : part.end] == part.words
        assert part.filters or part.away or part.sort != "match", "what is taken from the sentence has an effect"
        assert index.allowed(part.filters) is None or str(part.meaning)
    assert all(word in sentence for word in re.findall(r"\w+", reading.text)), "nothing is added"
    assert grammar.read(reading.without(reading.parts[0])) if reading.parts else True


@given(st.lists(st.lists(st.text(max_size=30), min_size=0, max_size=6), max_size=5), st.sampled_from(",;\t|"))
@example([["١٢", "a.png", "x", "1e999"]], ",")
@example([["a", "a\ud800", "b"]], ",")
def test_any_cells(tmp_path_factory, rows, separator):
    folder = tmp_path_factory.getbasetemp() / "cells"
    folder.mkdir(exist_ok=True)
    (folder / "a.png").write_bytes(encoded(noise(), "PNG"))
    lines = [separator.join(("id", "image", "title", "price")), *(separator.join(row) for row in rows)]
    (folder / "catalog.csv").write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    try:
        catalog = Catalog.read(folder)
    except InputError as error:
        assert "\n" not in str(error)
        return
    for product in catalog:
        json.dumps([product.id, product.title, product.attributes], ensure_ascii=False).encode()
        assert product.id and product.title and not set(product.title) & set("\n\0\u202e")


@given(st.text(max_size=60) | st.text("0123456789.,'-€$ krUSD", max_size=40))
def test_any_price(text):
    try:
        amount, currency = parse_price(text)
    except InputError:
        return
    assert 0 <= amount <= 1e12 and len(currency) in (0, 3)


@given(JSON, st.sampled_from(["", "files", "format", "calibration", "count", "encoder", "held_out", "dim", "head"]))
@example({"image": [1e999, 0, 0, 0]}, "calibration")
@example({"image": [float("nan"), 0, 0, 0]}, "calibration")
@example([48], "count")
@example({"a\0b": "x"}, "files")
@example({"x" * 5000: "x"}, "files")
@example({"rows.jsonl.gz": ["x"]}, "files")
def test_any_manifest(toy_index, tmp_path_factory, value, key):
    folder = tmp_path_factory.getbasetemp() / "manifest"
    if not folder.exists():
        shutil.copytree(toy_index, folder)
    path = folder / (folder / "current").read_text().strip() / "manifest.json"
    good = (toy_index / path.relative_to(folder)).read_text()
    said = {**json.loads(good), key: value} if key else value
    path.write_text(json.dumps(said))
    try:
        index = ProductIndex.load(folder)
    except InputError as error:
        assert "again" in str(error)
    else:
        assert said[key] == json.loads(good)[key] or key in ("held_out", "encoder", "calibration", "format")
        assert len(index) == 48
        index.calibration.probability("image", index.vectors[0, :3], index.vectors[0])


@pytest.fixture(scope="module", autouse=True)
def _forget():
    yield
    _INDEX.clear()


_INDEX: list[ProductIndex] = []
_GRAMMARS: dict[int, Grammar] = {}


def _opened(path) -> ProductIndex:
    if not _INDEX:
        _INDEX.append(ProductIndex.load(path))
    return _INDEX[0]
