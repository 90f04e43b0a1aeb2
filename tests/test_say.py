"""What is said in two languages: no text without a translation, none that nobody says, and a catalogue's own words."""

import ast
import contextvars
import json
import re
import string

import gradio as gr
import pytest

from mmdemo import say as saying
from mmdemo.catalog import Catalog
from mmdemo.home import HOME
from mmdemo.index import ProductIndex
from mmdemo.product import Product
from mmdemo.say import language, listed, named, say, say_many, speaking, word
from mmdemo.ui import cards
from mmdemo.ui.speech import speak
from mmdemo.wordbook import read_words, words_of
from tests.toys import ToyEncoder, toy_catalogue

SAYING = {"say": 0, "later": 0, "say_many": 2}  # which argument is the one to translate
IN_TEMPLATES = re.compile(r"(?<![\w.])(_|_n|marked)\(\s*")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'')


def in_code() -> dict[str, str]:
    """Everything that the code says, and where."""
    found = {}
    for path in sorted((HOME / "mmdemo").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if isinstance(node, ast.Call) and name in SAYING and len(node.args) > SAYING[name]:
                argument = node.args[SAYING[name]]
                if isinstance(argument, ast.Constant):
                    found[argument.value] = f"{path.name}:{node.lineno}"
    return found | dict.fromkeys((column.replace("_", " ") for column in saying.COLUMNS), "say.py: COLUMNS")


def in_templates() -> dict[str, str]:
    """Everything that the templates say, and where."""
    found = {}
    for path in sorted((HOME / "assets" / "ui").glob("*.html")):
        text = path.read_text("utf-8")
        for call in IN_TEMPLATES.finditer(text):
            at = call.end()
            if call[1] == "_n":  # its first argument is a number, its second what one is called
                at = LITERAL.search(text, at).end()
                at = re.compile(r"\s*,\s*").match(text, at).end()
            if literal := LITERAL.match(text, at):
                found[literal[1] if literal[1] is not None else literal[2]] = path.name
    return found


def chinese() -> dict[str, str]:
    return json.loads((HOME / "assets" / "ui" / "zh.json").read_text("utf-8"))


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_everything_that_is_said_has_a_translation():
    known = chinese()
    said = {**in_code(), **in_templates()}
    assert len(said) > 250
    assert {text: where for text, where in said.items() if text not in known} == {}


def test_nothing_is_translated_that_nobody_says():
    assert set(chinese()) - set(in_code()) - set(in_templates()) == set()


def test_a_translation_has_the_holes_of_its_text_and_is_chinese():
    for text, translated in chinese().items():
        assert holes(text) >= holes(translated), text
        assert holes(text) - holes(translated) <= {"sign"}, text
        letters = re.sub(r"\{[^}]*\}", "", text)
        if re.search(r"[A-Za-z]{2}", letters) and text not in ("MRR", "nDCG@10"):
            assert re.search(r"[\u4e00-\u9fff]", translated), text


def test_the_dictionary_is_sorted():
    keys = list(chinese())
    assert keys == sorted(keys)


def test_english_is_spoken_unless_somebody_asks_for_more():
    assert language() == "en" and say("Filters") == "Filters"
    with speaking("zh"):
        assert language() == "zh" and say("Filters") == "筛选"
        assert say("nobody translated this") == "nobody translated this"
    assert say("Filters") == "Filters"


def test_one_thing_is_called_otherwise_than_many_in_english_alone():
    said = [say_many(n, "{n:,} row refused", "{n:,} rows refused") for n in (1, 2, 1200)]
    assert said == ["1 row refused", "2 rows refused", "1,200 rows refused"]
    with speaking("zh"):
        assert say_many(1, "{n:,} row refused", "{n:,} rows refused") == "1 行被拒绝"


def test_values_are_never_read_as_sentences():
    assert say("Open {title}", title="{0.__class__}") == "Open {0.__class__}"
    assert cards.marked("“{words}” *is*", words="<i>*a*</i> {x}") == "“&lt;i&gt;*a*&lt;/i&gt; {x}” <b>is</b>"


def test_lists_are_joined_as_people_join_them():
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    with speaking("zh"):
        assert listed(["a", "b", "c"]) == "a、b和c"


def test_values_of_a_catalogue_are_called_what_it_says():
    with speaking("zh", {"colour": {"blue": "蓝色"}, "column": {"weave": "织法"}}):
        assert (
            word("colour", "blue") == "蓝色" and word("colour", "red") == "red" and word("material", "blue") == "blue"
        )
        assert named("colour") == "颜色" and named("weave") == "织法" and named("thread_count") == "thread count"


def test_a_product_is_shown_in_the_language_of_whoever_looks():
    item = Product("a", "", "Blue mug", "Holds tea.", "Mug", attributes={"colour": "blue", "room": "hall, attic"},
                   translated={"title_zh": "蓝色马克杯"})  # fmt: skip
    assert [item.shown(name) for name in ("title", "colour", "description")] == ["Blue mug", "blue", "Holds tea."]
    with speaking("zh", {"colour": {"blue": "蓝色"}, "room": {"hall": "门厅"}}):
        shown = [item.shown(name) for name in ("title", "colour", "description", "room", "price")]
    assert shown == ["蓝色马克杯", "蓝色", "Holds tea.", "门厅、attic", ""]


def test_words_beside_a_table_are_read_and_a_bad_file_is_noted(tmp_path):
    (tmp_path / "words_zh.csv").write_text("column,en,zh\nColor,blue,蓝色\nmaterial,oak,\n", "utf-8")
    (tmp_path / "words_de.csv").write_text("column,english\na,b\n", "utf-8")
    words, notes = read_words(tmp_path)
    assert words == {"zh": {"colour": {"blue": "蓝色"}}}
    assert notes == [(1, "expected the columns column, en, de; 'en' is missing, so no words")]


@pytest.mark.parametrize(
    "manifest", [{}, {"words": 3}, {"words": {"zh": [1]}}, {"words": {"zh": {"colour": {"a": 1}}}}]
)
def test_words_that_this_program_did_not_write_are_none(manifest):
    assert words_of(manifest, "zh") == {}


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
    from mmdemo.build import build

    folder = toy_catalogue(tmp_path / "toys", copies=1)
    table = next(folder.glob("*.csv"))
    lines = table.read_text("utf-8").splitlines()
    table.write_text(
        "\n".join([f"{lines[0]},title_zh", *(f"{line},名字{n}" for n, line in enumerate(lines[1:]))]), "utf-8"
    )
    (folder / "words_zh.csv").write_text("column,en,zh\ncolour,red,红色\n", "utf-8")
    build(Catalog.read(folder), ToyEncoder(), tmp_path / "index")
    index = ProductIndex.load(tmp_path / "index")
    assert index.products[0].translated == {"title_zh": "名字0"}
    assert words_of(index.manifest, "zh") == {"colour": {"red": "红色"}}


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
