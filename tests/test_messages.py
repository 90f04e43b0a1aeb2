"""What is said in two languages: no text without a translation, none that nobody says, and a catalogue's own words."""

import ast
import contextlib
import contextvars
import copy
import json
import pickle
import re
import string
import tempfile
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

import gradio as gr
import pytest
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.product import Product
from mmdemo.catalog.translations import read_words
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message, Term, as_json, from_json, listed, plural, row_noun
from mmdemo.core.paths import HOME
from mmdemo.index.product_index import ProductIndex
from mmdemo.serve.gradio_patches import speak
from mmdemo.serve.translation import language, named, speaking, translate, word
from mmdemo.ui import cards
from tests.toys import ToyEncoder, quick_build, toy_catalogue

PO = HOME / "assets" / "locale" / "zh" / "LC_MESSAGES" / "mmdemo.po"
MARKED = {
    "Message": 0,
    "InputError": 0,
    "Taken": 0,
    "Busy": 0,
    "UnclearColumns": 0,
    "N_": 0,
    "translate": 0,
    "joined": 0,
    "plural": 2,
}
FAULTS = ("InputError", "Taken", "Busy", "UnclearColumns")


@cache
def extracted() -> dict[str, list[str]]:
    """Everything that code and templates say, as `make messages` collects it, and the files that say it."""
    recipe = (HOME / "Makefile").read_text("utf-8").replace("\\\n", " ")
    keywords = re.search(r"KEYWORDS := (.*)", recipe)[1].split()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(HOME):
        pot = Path(folder, "mmdemo.pot")
        command = ["pybabel", "-q", "extract", "-F", "babel.cfg", *keywords, "-o", str(pot), "mmdemo", "assets/ui"]
        CommandLineInterface().run(command)
        return {key(m.id): [place for place, _ in m.locations] for m in read_po(pot.open("rb")) if m.id}


def key(message_id: str | tuple[str, str]) -> str:
    """What a message goes by: of two forms, the one for many."""
    return message_id if isinstance(message_id, str) else message_id[1]


@cache
def chinese() -> dict[str, str]:
    """Message -> its Chinese, "" where the translators have not come to it yet."""
    with PO.open("rb") as file:
        return {key(m.id): m.string if isinstance(m.string, str) else m.string[0] for m in read_po(file) if m.id}


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of these functions in the code, and where it stands."""
    for path in sorted((HOME / "mmdemo").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
                yield f"{path.relative_to(HOME)}:{node.lineno}", node


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_everything_that_is_said_has_a_translation():
    assert len(extracted()) > 700
    assert {text: where for text, where in extracted().items() if not chinese().get(text)} == {}


def test_nothing_is_translated_that_nobody_says():
    assert chinese().keys() - extracted().keys() == set()


def test_the_compiled_catalogue_is_in_step_with_what_the_translators_know():
    with PO.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    with PO.open("rb") as file:
        for m in [m for m in read_po(file) if m.id]:
            assert (compiled.gettext(m.id) if isinstance(m.id, str) else (compiled.ngettext(*m.id, 2),)) == m.string


def test_every_fault_of_the_input_can_be_said_in_chinese():
    templates = {}
    for where, call in calls(*FAULTS):
        template = call.args[0]
        assert not isinstance(template, ast.JoinedStr), f"{where}: a template and values, so that it can be translated"
        if isinstance(template, ast.Constant):
            templates[template.value] = where
    assert len(templates) > 150
    with speaking("zh"):
        english = [where for text, where in templates.items() if not re.search("[一-鿿]", translate(text))]
    assert english == []


def test_a_marked_text_is_a_literal_that_the_translators_get_to_see():
    seen = extracted().keys()
    for where, call in calls(*MARKED):
        place = MARKED[call.func.id]
        if len(call.args) > place and isinstance(argument := call.args[place], ast.Constant):
            assert argument.value in seen, where
        elif len(call.args) > place:
            assert not isinstance(argument, ast.JoinedStr), where


def test_nothing_below_the_pages_asks_for_a_language():
    below = ("core", "catalog", "language", "encode", "fusion", "index", "explain", "search", "evaluate", "pipeline")
    for room in below:
        for path in (HOME / "mmdemo" / room).rglob("*.py"):
            assert not re.search(r"serve\.translation|\bgettext\b(?! does)", path.read_text("utf-8")), path


def test_a_message_keeps_its_template_through_json_pickle_and_copies():
    inner = Message("'{name}' is empty.", name="a.csv")
    message = Message("{n:,} {noun}: {reason:clause}", n=5000, noun=row_noun(), reason=InputError(inner))
    assert str(message) == "5,000 products: 'a.csv' is empty"
    kept = from_json(json.loads(json.dumps(as_json({"notes": [message, "plain"], "count": 3}))))
    assert kept == {"notes": [message, "plain"], "count": 3}
    for copied in (kept["notes"][0], pickle.loads(pickle.dumps(message)), copy.deepcopy(message)):
        assert copied.values == message.values and copied.values["reason"].template == inner.template
        with speaking("zh"):
            assert translate(copied) == "5,000 商品: “a.csv”是空的"
    error = pickle.loads(pickle.dumps(InputError("'{name}' is empty.", name="b.csv")))
    with speaking("zh"):
        assert translate(error) == "“b.csv”是空的。" and str(error) == "'b.csv' is empty."


def test_a_sentence_that_an_older_version_kept_is_looked_up_whole_or_shown_as_it_is():
    with speaking("zh"):
        assert translate("Nothing meets all of these conditions.") == "没有商品同时满足这些条件。"
        assert translate("row 3 is odd") == "row 3 is odd" and translate("") == ""


def test_a_word_is_written_as_its_place_in_the_sentence_asks():
    term = Term("category", "T-shirt", translations={"zh": "T恤"})
    message = Message("{word:capital} ({word:lower})", word=term)
    assert str(message) == "T-shirt (t-shirt)"
    with speaking("zh"):
        assert translate(message) == "T恤 (T恤)"


def test_a_translation_has_the_holes_of_its_text_and_is_chinese():
    for text, translated in chinese().items():
        assert holes(text) >= holes(translated), text
        assert holes(text) - holes(translated) <= {"sign"}, text
        letters = re.sub(r"\{[^}]*\}", "", text)
        if re.search(r"[A-Za-z]{2}", letters) and text not in ("MRR", "nDCG@10"):
            assert re.search(r"[\u4e00-\u9fff]", translated), text


def test_english_is_spoken_unless_somebody_asks_for_more():
    assert language() == "en" and translate("Filters") == "Filters"
    with speaking("zh"):
        assert language() == "zh" and translate("Filters") == "筛选"
        assert translate("nobody translated this") == "nobody translated this"
    assert translate("Filters") == "Filters"


def test_one_thing_is_called_otherwise_than_many_in_english_alone():
    said = [translate(plural(n, "{n:,} row refused", "{n:,} rows refused")) for n in (1, 2, 1200)]
    assert said == ["1 row refused", "2 rows refused", "1,200 rows refused"]
    with speaking("zh"):
        assert translate(plural(1, "{n:,} row refused", "{n:,} rows refused")) == "1 行被拒绝"


def test_values_are_never_read_as_sentences():
    assert translate("Open {title}", title="{0.__class__}") == "Open {0.__class__}"
    assert cards.marked("“{words}” *is*", words="<i>*a*</i> {x}") == "“&lt;i&gt;*a*&lt;/i&gt; {x}” <b>is</b>"


def test_lists_are_joined_as_people_join_them():
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    with speaking("zh"):
        assert translate(listed(["a", "b", "c"])) == "a、b和c"


def test_values_of_a_catalogue_are_called_what_it_says():
    with speaking("zh", {"colour": {"blue": "蓝色"}, "column": {"weave": "织法"}}):
        assert (
            word("colour", "blue") == "蓝色" and word("colour", "red") == "red" and word("material", "blue") == "blue"
        )
        assert named("colour") == "颜色" and named("weave") == "织法" and named("thread_count") == "thread count"


def test_a_product_is_shown_in_the_language_of_whoever_looks():
    item = Product(
        "a",
        "",
        "Blue mug",
        "Holds tea.",
        "Mug",
        attributes={"colour": "blue", "room": "hall, attic"},
        translated={"title_zh": "蓝色马克杯"},
    )
    assert [item.shown(name) for name in ("title", "colour", "description")] == ["Blue mug", "blue", "Holds tea."]
    with speaking("zh", {"colour": {"blue": "蓝色"}, "room": {"hall": "门厅"}}):
        shown = [translate(item.shown(name)) for name in ("title", "colour", "description", "room", "price")]
    assert shown == ["蓝色马克杯", "蓝色", "Holds tea.", "门厅、attic", ""]


def test_words_beside_a_table_are_read_and_a_bad_file_is_noted(tmp_path):
    (tmp_path / "words_zh.csv").write_text("column,en,zh\nColor,blue,蓝色\nmaterial,oak,\n", "utf-8")
    (tmp_path / "words_de.csv").write_text("column,english\na,b\n", "utf-8")
    words, notes = read_words(tmp_path)
    assert words == {"zh": {"colour": {"blue": "蓝色"}}}
    assert notes == [(1, "expected the columns column, en, de; 'en' is missing, so no words")]


def test_a_catalogues_translations_are_kept_in_its_rows_and_are_no_filters(tmp_path):
    (tmp_path / "products.csv").write_text(
        "id,image,title,title_zh,description_zh,colour\na,,Blue mug,蓝色马克杯,装茶。,blue\nb,,Red mug,,,red\n", "utf-8"
    )
    (tmp_path / "words_zh.csv").write_text("column,en,zh\ncolour,blue,蓝色\n", "utf-8")
    catalog = Catalog.read(tmp_path)
    first, second = catalog.products
    assert first.translated == {"title_zh": "蓝色马克杯", "description_zh": "装茶。"} and second.translated == {}
    assert "translated" in first.row() and "translated" not in second.row()
    assert set(first.attributes) == {"colour"} and "蓝" not in first.text
    assert catalog.words == {"zh": {"colour": {"blue": "蓝色"}}}


def test_translations_and_words_come_back_from_a_built_index(tmp_path):
    folder = toy_catalogue(tmp_path / "toys", copies=1)
    table = next(folder.glob("*.csv"))
    lines = table.read_text("utf-8").splitlines()
    table.write_text(
        "\n".join([f"{lines[0]},title_zh", *(f"{line},名字{n}" for n, line in enumerate(lines[1:]))]), "utf-8"
    )
    (folder / "words_zh.csv").write_text("column,en,zh\ncolour,red,红色\n", "utf-8")
    quick_build(Catalog.read(folder), ToyEncoder(), tmp_path / "index")
    index = ProductIndex.load(tmp_path / "index")
    assert index.products[0].translated == {"title_zh": "名字0"}
    assert index.manifest.words["zh"] == {"colour": {"red": "红色"}}


def test_handlers_of_a_page_speak_its_language_and_programs_english():
    with gr.Blocks() as page:
        box = gr.Textbox()

        def plain(text: str) -> str:
            return language()

        async def waiting(text: str) -> str:
            return word("colour", "blue")

        def programs(text: str = "") -> str:
            return language()

        box.change(plain, box, box, api_visibility="private")
        box.submit(waiting, box, box, api_visibility="private")
        gr.api(programs, api_name="programs")
    speak(page, "zh", lambda: {"colour": {"blue": "蓝色"}})
    by_name = {made.fn.__name__: made.fn for made in page.fns.values()}
    assert by_name["plain"]("") == "zh"
    with pytest.raises(StopIteration) as ended:  # how a coroutine returns
        by_name["waiting"]("").send(None)
    assert ended.value.value == "蓝色"
    with speaking("zh"):  # a page's queue may have been started by a visitor of the Chinese page
        assert contextvars.copy_context().run(by_name["programs"]) == "en"
    assert language() == "en"
