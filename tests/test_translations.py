"""A catalogue's own words: what its rows and values are called, on the page and in a sentence that is read."""

import re
from pathlib import Path

import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.translations import spoken
from mmdemo.core.messages import fill
from mmdemo.core.paths import HOME
from mmdemo.explain.words import without_each, word_effects
from mmdemo.language.grammar import Grammar
from mmdemo.language.vocabulary import Vocabulary
from mmdemo.serve.translation import noun, speaking, translate

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NOUN = ("post", "posts")
WORDS = {"zh": {"noun": {"post": "帖子", "posts": "帖子"}, "light": {"night": "夜晚"}}}


@pytest.fixture(scope="module")
def posts() -> Catalog:
    return Catalog.read(EXAMPLES / "posts")


def test_rows_are_called_what_the_catalogue_calls_them_in_every_language():
    assert (noun(1), noun()) == ("product", "products")
    with speaking("en", spoken(WORDS, NOUN, "en")):
        assert (noun(1), noun()) == ("post", "posts")
        assert translate("Similar {noun}", noun=noun()) == "Similar posts"
    with speaking("zh", spoken(WORDS, NOUN, "zh")):
        assert (noun(1), noun()) == ("帖子", "帖子")
    with speaking("zh", spoken({}, ("product", "products"), "zh")):
        assert noun() == "商品"


def test_a_catalogue_without_words_of_its_own_leaves_products():
    assert spoken({}, ("product", "products"), "zh")["noun"] == {"product": "product", "products": "products"}


def test_no_template_calls_rows_products_but_the_one_that_takes_catalogues_in():
    for path in sorted((HOME / "assets" / "ui").glob("*.html")):
        said = re.findall(r'(?:_|marked)\("((?:[^"\\]|\\.)*)"', path.read_text("utf-8"))
        left = [text for text in said if re.search(r"\bproducts?\b", text)]
        assert path.name == "yours.html" or not left, (path.name, left)


@pytest.mark.parametrize("name", ["posts", "phantoms"])
def test_every_value_and_title_of_the_examples_has_its_chinese(name):
    catalog = Catalog.read(EXAMPLES / name)
    words = catalog.words["zh"]
    for column, values in catalog.facets.items():
        if column != "author":  # names stay as they are
            assert set(values) <= set(words[column]), column
    assert set(catalog.about.noun) == set(words["noun"])
    for item in catalog:
        assert all(re.search("[一-鿿]", item.translated[name]) for name in ("title_zh", "description_zh"))


def test_a_sentence_in_the_catalogues_own_chinese_is_understood(posts):
    grammar = Grammar(posts.products, posts.facets, list(posts.words.values()))
    [part] = grammar.read("城市，不要夜晚").parts
    assert (part.kind, [str(rule) for rule in part.filters]) == ("not", ["light!=night"])
    assert not Grammar(posts.products, posts.facets).read("城市，不要夜晚").parts


def test_each_known_word_of_a_chinese_sentence_has_its_own_effect(posts):
    words = Vocabulary(posts.products, posts.facets, list(posts.words.values()))

    def split(text: str) -> list[str]:
        return [text[start:end] for start, end in words.pieces(text)]

    assert split("红色条纹马克杯，要大一点的") == ["红色", "条纹", "马克杯", "要大一点的"]
    assert split("夜晚的城市") == ["夜晚", "的", "城市"]
    assert split("什么都不认识") == ["什么都不认识"] and split("，。") == [] and split("") == []
    assert split("a red mug, please") == ["a", "red", "mug,", "please"]
    assert split("T恤 白色") == ["T恤", "白色"]
    effects = word_effects("夜晚的城市", lambda texts: [len(text) for text in texts], 5.0, words.pieces("夜晚的城市"))
    assert effects == [("夜晚", 2.0), ("的", 1.0), ("城市", 2.0)]


def test_english_is_split_at_spaces_as_ever():
    assert without_each("in  dark blue") == [("in", "dark blue"), ("dark", "in blue"), ("blue", "in dark")]
    assert len(without_each("word " * 40)) == 24 and without_each("  ") == []


def test_a_value_in_a_sentence_keeps_what_chinese_writes_in_capitals():
    assert [fill("{word:lower}", {"word": word}) for word in ("T-shirt", "T恤")] == ["t-shirt", "T恤"]
    assert WORDS["zh"]["light"] == {"night": "夜晚"}
