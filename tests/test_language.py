"""Plain language, in English and Chinese: what is understood, what it filters, and what is left to the encoder."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mmdemo.catalog.product import Product, facets
from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.language.grammar import Grammar
from mmdemo.language.language_model import Assistant, Language, validated
from mmdemo.language.spelling import Spelling
from mmdemo.language.vocabulary import Vocabulary
from mmdemo.search.recommender import Recommender
from tests.toys import ToyEncoder, picture

ROWS = [
    # id, title, category, price, colour, material, pattern, gender
    ("bag-1", "Navy tote", "Bag", 35, "navy", "leather", "plain", "Women"),
    ("bag-2", "Sky tote", "Bag", 45, "light blue", "suede", "stripes", "Unisex"),
    ("bag-3", "Red tote", "Bag", 20, "red", "canvas", "stripes", "Men"),
    ("bag-4", "Grey tote", "Bag", 60, "grey", "canvas", "dots", "Women"),
    ("cup-1", "Blue cup", "Cup", 10, "blue", "glass", "plain", "Unisex"),
    ("cup-2", "Oak cup", "Cup", 30, "brown", "oak", "plain", "Boys"),
    ("cup-3", "Green cup", "Cup", 50, "green", "painted wood", "dots", "Girls"),
    ("cup-4", "Navy cup", "Cup", 15, "navy", "glass", "checks", "Men"),
]
BRANDS = {"Bag": "Striden", "Cup": "Lumen & Oak"}
PRODUCTS = [
    Product(
        id=i,
        image="x.png",
        title=t,
        category=c,
        price=float(p),
        currency="EUR",
        attributes={"colour": colour, "material": m, "pattern": pattern, "gender": g, "brand": BRANDS[c]},
    )
    for i, t, c, p, colour, m, pattern, g in [*ROWS, *((f"{row[0]}b", *row[1:]) for row in ROWS)]
]
ANCHOR = PRODUCTS[0]


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(PRODUCTS, facets(PRODUCTS))


def rules(reading) -> set[str]:
    return {str(f) for part in reading.parts for f in part.filters}


@pytest.mark.parametrize(
    ("sentence", "text", "expected"),
    [
        ("cup under 40", "cup", {"price<40"}),
        ("cup under 40 euros", "cup", {"price<40"}),
        ("a cup for less than €1,299.50", "a cup", {"price<1299.5"}),
        ("between 20 and 50 euros, a bag", "a bag", {"price>=20", "price<=50"}),
        ("bag, 20-50€", "bag", {"price>=20", "price<=50"}),
        ("bag from 50 to 20", "bag", {"price>=20", "price<=50"}),
        ("at most 30, cups", "cups", {"price<=30"}),
        ("cups over 30", "cups", {"price>30"}),
        ("bag, not leather", "bag", {"material!=leather|suede"}),
        ("non-leather bag", "bag", {"material!=leather|suede"}),
        ("leather-free bag", "bag", {"material!=leather|suede"}),
        ("suede bag, not leather", "suede bag", {"material!=leather"}),
        ("bag without stripes", "bag", {"pattern!=stripes"}),
        ("no striped or dotted bags", "bags", {"pattern!=dots|stripes"}),
        ("bag without a pattern", "bag", {"pattern!=checks|dots|stripes"}),
        ("a cup that is not made of wood", "a cup", {"material!=oak|painted wood"}),
        ("cup, anything but blue", "cup", {"colour!=blue|light blue|navy"}),
        ("cup, not dark blue", "cup", {"colour!=navy"}),
        ("not a cup, blue", "blue", {"category!=Cup"}),
        ("cup for kids", "cup", {"gender=Boys|Girls"}),
        ("bag for women", "bag", {"gender=Unisex|Women"}),
        ("蓝色杯子，40元以下", "蓝色杯子", {"price<=40"}),
        ("不超过四十元的杯子", "杯子", {"price<=40"}),
        ("20到50欧元的包", "包", {"price>=20", "price<=50"}),
        ("不要皮革的包", "包", {"material!=leather|suede"}),
        ("没有条纹的包", "包", {"pattern!=stripes"}),
        ("儿童用的杯子", "杯子", {"gender=Boys|Girls"}),
        ("杯子，不要深蓝色", "杯子", {"colour!=navy"}),
        ("cup 20 or less", "cup", {"price<=20"}),
        ("cup between two and three hundred", "cup", {"price>=200", "price<=300"}),
        ("cup for 1-2k", "cup", {"price>=1000", "price<=2000"}),
        ("一百欧以内的杯子", "杯子", {"price<=100"}),
        ("红色包，别给我皮革的", "红色包", {"material!=leather|suede"}),
        ("leather is out, a bag", "a bag", {"material!=leather|suede"}),
        ("bag without ironing", "bag without ironing", set()),
        ("cup, max 20", "cup", {"price<=20"}),
        ("cup, my budget is twenty", "cup", {"price<=20"}),
        ("cup that doesn't cost more than 1k", "cup", {"price<=1000"}),
        ("cup under 1 000 €", "cup", {"price<1000"}),
        ("cup 20 and up", "cup", {"price>=20"}),
        ("cup not under 20", "cup", {"price>=20"}),
        ("cup around 20", "cup", {"price>=16", "price<=24"}),
        ("20元左右的杯子", "杯子", {"price>=16", "price<=24"}),
        ("cup 20-30", "cup", {"price>=20", "price<=30"}),
        ("cup min 20 max 30", "cup", {"price>=20", "price<=30"}),
        ("cup over 20 but under 30", "cup", {"price>20", "price<30"}),
        ("a bag that isn't leather", "a bag", {"material!=leather|suede"}),
        ("a bag which doesn't have stripes", "a bag", {"pattern!=stripes"}),
        ("vegan bag", "bag", {"material!=leather|suede"}),
        ("纯素的包", "包", {"material!=leather|suede"}),
        ("any bag but red", "any bag", {"colour!=red"}),
        ("讨厌条纹，要包", "要包", {"pattern!=stripes"}),
        ("bag by Striden", "bag", {"brand=Striden"}),
        ("Striden bag", "bag", {"brand=Striden"}),
        ("Striden的包", "包", {"brand=Striden"}),
        ("oak cup by lumen & oak", "oak cup", {"brand=Lumen & Oak"}),
        ("bag, not by Striden", "bag", {"brand!=Striden"}),
    ],
)
def test_a_wish_becomes_conditions_and_leaves_the_rest_to_the_encoder(grammar, sentence, text, expected):
    reading = grammar.read(sentence)
    assert rules(reading) == expected
    assert reading.text == text


@pytest.mark.parametrize(
    "sentence",
    [
        "blue cup",
        "not your average cup",
        "under 40 cm",
        "striped bag",
        "a 2-3 seat sofa",
        "under armour cap",
        "men's shoes",
        "蓝色杯子",
        "two for one",
        "a cup with more than 2 pockets",
        "a table for 2 to 4 people",
        "a cup for someone over 60",
        "an old cup from 1970",
        "nothing but leather",
        "no nonsense cup",
        "without a doubt the best cup",
        "a throw over the bag",
        "vegan leather bag",
        "有没有蓝色的",
        "",
    ],
)
def test_what_is_no_condition_goes_to_the_encoder_as_it_is(grammar, sentence):
    reading = grammar.read(sentence)
    assert reading.parts == () and reading.text == sentence


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("same but in dark blue", {"colour=navy"}),
        ("in blue", {"colour=blue|light blue|navy"}),  # no bag is listed as blue; these are kinds of it
        ("make it red", {"colour=red"}),
        ("do you have it in canvas?", {"material=canvas"}),
        ("red instead of navy", {"colour=red", "colour!=navy"}),
        ("not navy, red", {"colour=red", "colour!=navy"}),
        ("same colour, but with stripes", {"colour=navy", "pattern=stripes"}),
        ("cheaper than this", {"price<35"}),
        ("cheaper and in red", {"price<35", "colour=red"}),
        ("with a wooden handle", set()),
        ("the red version", {"colour=red"}),
        ("more expensive than this", {"price>35"}),
        ("一样的但是深蓝色", {"colour=navy"}),
        ("换成红色", {"colour=red"}),
        ("比这个便宜", {"price<35"}),
        ("I'd rather have red than navy", {"colour=red", "colour!=navy"}),
        ("rather red than navy", {"colour=red", "colour!=navy"}),
        ("I prefer red to navy", {"colour=red", "colour!=navy"}),
        ("swap the navy for red", {"colour=red", "colour!=navy"}),
        ("navy -> red", {"colour=red", "colour!=navy"}),
        ("this one is navy, I need red", {"colour=red", "colour!=navy"}),
        ("love it, but in red", {"colour=red"}),
        ("把藏青色换成红色", {"colour=red", "colour!=navy"}),
        ("与其藏青色不如红色", {"colour=red", "colour!=navy"}),
        ("in red or grey", {"colour=red|grey"}),
        ("navy with red", {"colour=navy|red"}),  # both: what has either comes first
    ],
)
def test_a_product_to_start_from_makes_edits_and_comparisons(grammar, sentence, expected):
    assert rules(grammar.read(sentence, ANCHOR)) == expected


def test_a_photo_of_something_unknown_leaves_the_old_value_to_the_words(grammar):
    for sentence in ("I'd rather have red than navy", "swap the navy for red", "red instead of navy"):
        assert rules(grammar.read(sentence, photo=True)) == {"colour=red", "colour!=navy"}


@pytest.mark.parametrize(
    ("sentence", "sort"),
    [
        ("the cheapest cup", "cheap"),
        ("cups, price low to high", "cheap"),
        ("cups sorted from cheapest to dearest", "cheap"),
        ("最便宜的杯子", "cheap"),
        ("the most expensive cup", "dear"),
        ("杯子按价格从高到低", "dear"),
        ("a cheap cup", "match"),
    ],
)
def test_a_superlative_of_price_is_an_order(grammar, sentence, sort):
    reading = grammar.read(sentence)
    assert reading.sort == sort and rules(reading) == set()
    assert reading.apply(Query(text=sentence)).sort == sort
    assert reading.apply(Query(text=sentence, sort="dear")).sort == "dear", "what was chosen counts more"


def test_a_size_is_a_condition_where_the_catalogue_lists_it_and_else_a_note(grammar):
    shoes = [
        Product(f"{size}-{n}", "", "Shoe", category="Shoes", attributes={"shoe_size": size})
        for size in ("5", "EU 38", "40")
        for n in range(2)
    ]
    shop = Grammar(shoes, facets(shoes))
    for sentence, rule in (
        ("toddler shoes size 5", "shoe_size=5"),
        ("shoes in EU size 38", "shoe_size=EU 38"),
        ("40码的鞋子", "shoe_size=40"),
        ("do you have shoes in 40?", "shoe_size=40"),
    ):
        assert rules(shop.read(sentence)) == {rule}
    missing = shop.read("shoes size 47")
    assert rules(missing) == set() and "there are" in missing.notes[0] and missing.text == "shoes size 47"
    unlisted = grammar.read("cup size 5")
    assert "does not list sizes" in unlisted.notes[0] and unlisted.text == "cup size 5"
    for sentence in ("the biggest cup", "best-selling cups", "最大的杯子"):
        largest = grammar.read(sentence)
        assert rules(largest) == set() and "puts nothing in order" in largest.notes[0] and largest.text == sentence
    assert not grammar.read("the cheapest cup").notes


def test_a_part_that_no_column_has_is_left_out_by_the_texts_that_mention_it():
    chairs = [
        Product("1", "", "Chair", "Curved arms."),
        Product("2", "", "Chair", "A slim back."),
        Product("3", "", "Chair", "With a tray."),
    ]
    grammar = Grammar(chairs, facets(chairs))
    assert rules(grammar.read("chair without arms")) == {"text!~arms"}
    assert rules(grammar.read("没有扶手的椅子")) == {"text!~arms"}
    assert rules(grammar.read("chair that doesn't have trays")) == {"text!~tray"}  # known from the texts alone
    assert grammar.read("chair without ribbons").parts[0].away == "ribbons"


def test_an_edit_stays_in_the_sentence_that_the_encoder_reads(grammar):
    reading = grammar.read("same but in dark blue", ANCHOR)
    assert reading.text == "same but in dark blue"
    assert [part.kind for part in reading.parts] == ["edit"]


def test_a_photo_with_a_description_is_no_edit(grammar):
    assert grammar.read("red cup", photo=True).parts == ()
    assert rules(grammar.read("in red", photo=True)) == {"colour=red"}


@pytest.mark.parametrize(
    ("sentence", "anchor", "says"),
    [
        ("cheaper than this", None, "needs one product"),
        ("in gold", ANCHOR, "No bag here is listed as “gold”"),
        ("bag under 40 dollars", None, "Prices here are in EUR"),
        ("bag under 400 kr", None, "Prices here are in EUR"),
    ],
)
def test_what_cannot_be_done_is_said(grammar, sentence, anchor, says):
    assert says in " ".join(grammar.read(sentence, anchor).notes)


def test_a_catalogue_without_prices_or_columns_says_so_and_reads_its_texts():
    bare = [Product(id=str(n), image="", title=t) for n, t in enumerate(("Striped cup", "Plain cup", "Red cup"))]
    grammar = Grammar(bare, facets(bare))
    priced = grammar.read("cup under 40")
    assert priced.text == "cup under 40" and "no prices" in priced.notes[0]
    assert "for kids" in grammar.read("cup for kids").notes[0]
    assert rules(grammar.read("cup without stripes")) == {"text!~striped"}
    velvet = grammar.read("a cup, not velvet")  # nobody mentions velvet, so the encoder goes away from it
    assert velvet.parts[0].away == "velvet" and velvet.text == "a cup"


@pytest.mark.parametrize("sentence", ["blue cup under 40, not leather, for kids", "蓝色杯子，40元以下，不要皮革"])
def test_taking_a_chip_off_gives_the_sentence_without_it(grammar, sentence):
    reading = grammar.read(sentence)
    for gone in reading.parts:
        again = grammar.read(reading.without(gone))
        assert rules(again) == rules(reading) - {str(f) for f in gone.filters}
        assert again.text == reading.text


def test_the_words_of_parts_are_the_words_of_the_sentence(grammar):
    reading = grammar.read("a blue cup, under 40 euros and not leather")
    assert [reading.sentence[p.start : p.end] for p in reading.parts] == [p.words for p in reading.parts]
    said = reading.as_dict()
    assert [p["said"] for p in said["understood"]] == ["under 40 euros", "not leather"]
    assert said["to_the_model"] == "a blue cup"


LONG = 8000  # characters, eight times what a query may have, so that what grows with the square of them shows
REPEATED = (
    "１",
    "1",
    "一",
    "1,",
    "1-2€ ",
    "under 1 ",
    "¥",
    "中",
    "儿童",
    "for kids ",
    "not red ",
    "red-free ",
    "in ",
    "same ",
    "not without ",
    "isn't not ",
    "twenty ",
    "1 000 ",
    "20 or ",
    "the cheapest ",
    "by Striden ",
    "size ",
    "prefer red than navy ",
    "red -> navy ",
    "vegan ",
    "- ",
    "不要",
    "最便宜",
)


@pytest.mark.parametrize("unit", REPEATED)
def test_the_cost_of_reading_grows_with_the_length_of_the_sentence(grammar, unit):
    sentence = (unit * LONG)[:LONG]
    start = time.thread_time()
    grammar.read(sentence, ANCHOR)
    grammar.words.pieces(sentence)
    assert time.thread_time() - start < 2  # seconds; with the square of the length some of these take hours


def test_every_word_is_looked_up_once(grammar, monkeypatch):
    starts = []
    look_up = Vocabulary.match

    def counted(self, tokens, first, wearer=False):
        starts.append((first, wearer))
        return look_up(self, tokens, first, wearer)

    monkeypatch.setattr(Vocabulary, "match", counted)
    grammar.read("no red bags, leather-free, in blue with dots, not oak or glass, for kids", ANCHOR)
    assert starts and len(starts) == len(set(starts))


# The recommender makes the same reading, so every surface does.


def test_conditions_hold_in_the_answer_and_the_rest_ranks_it(toy_recommender):
    results = toy_recommender.recommend(Query(text="mug under 20, not red", k=48))
    assert results and all(r.product.price < 20 and r.product.attributes["colour"] != "Red" for r in results)
    expected = {p.id for p in toy_recommender.index.products if p.price < 20 and p.attributes["colour"] != "Red"}
    assert {r.id for r in results} == expected
    assert results[0].id.startswith("mug")


def test_only_conditions_rank_the_products_that_meet_them(toy_recommender):
    results = toy_recommender.recommend(Query(text="under 12", k=48))
    assert {r.id for r in results} == {p.id for p in toy_recommender.index.products if p.price < 12}


def test_an_edit_of_a_reference_gives_products_of_the_wished_colour(toy_recommender):
    results = toy_recommender.recommend(Query(reference="mug-1-red", text="the same in blue", k=4))
    assert all(r.id.startswith("mug") and r.id.endswith("blue") for r in results)
    cheaper = toy_recommender.recommend(Query(reference="mug-1-red", text="cheaper than this", k=48))
    assert cheaper and all(r.product.price < 15 for r in cheaper)


def test_words_without_a_column_push_away_from_what_they_name(toy_index):
    from mmdemo.index.product_index import ProductIndex

    index = ProductIndex.load(toy_index)
    recommender = Recommender(index, ToyEncoder())
    photo = picture("mug", "red")
    near = {r.id: r.score for r in recommender.recommend(Query(image=photo, k=48))}
    away = {r.id: r.score for r in recommender.recommend(Query(image=photo, away=("red",), k=48))}
    assert away["mug-0-red"] - away["mug-0-black"] < near["mug-0-red"] - near["mug-0-black"]
    for r in recommender.recommend(Query(image=photo, away=("red",), k=5)):
        assert sum(r.parts.values()) == pytest.approx(r.score, abs=1e-5)


# A language model may read instead; what it says is held against the same schema.


class Endpoint:
    """An OpenAI-compatible server of one answer."""

    def __init__(self, content: str, status: int = 200) -> None:
        self.asked: list[dict] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.asked.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
                answer = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


def ask(grammar: Grammar, content: str, sentence: str, status: int = 200):
    endpoint = Endpoint(content, status)
    reading = Language(grammar, Spelling(PRODUCTS), Assistant(endpoint.url, "some-model", "secret")).read(sentence)
    endpoint.server.shutdown()
    endpoint.server.server_close()
    return reading, endpoint.asked


def test_a_language_model_may_read_what_the_grammar_cannot(grammar):
    said = {"parts": [{"said": "nothing a cow had to die for", "kind": "not", "filters": ["material!=leather|suede"]}]}
    reading, asked = ask(grammar, json.dumps(said), "a bag, nothing a cow had to die for")
    assert rules(reading) == {"material!=leather|suede"} and reading.text == "a bag"
    assert reading.by == "language model"
    assert asked[0]["path"] == "/v1/chat/completions" and asked[0]["key"] == "Bearer secret"


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        "[]",
        '{"parts": 1}',
        '{"parts": [{"said": "cup"}]}',
        '{"parts": [{"said": "never said", "kind": "not", "filters": ["material!=leather"]}]}',
        '{"parts": [{"said": "under 40", "kind": "filter", "filters": ["password=1"]}]}',
        '{"parts": [{"said": "under 40", "kind": "filter", "filters": ["price<cheap"]}]}',
        '{"parts": [{"said": "under 40", "kind": "run", "filters": ["price<40"]}]}',
        '{"parts": [{"said": "cup", "kind": "edit", "filters": ["colour=red"]}]}',
    ],
)
def test_an_answer_outside_the_schema_falls_back_to_the_grammar(grammar, content):
    reading, asked = ask(grammar, content, "cup under 40")
    assert asked and rules(reading) == {"price<40"} and reading.by == "grammar"
    assert "the grammar read this" in reading.notes[-1]


def test_an_endpoint_that_fails_or_is_gone_falls_back_to_the_grammar(grammar):
    reading, _ = ask(grammar, "{}", "cup under 40", status=500)
    assert rules(reading) == {"price<40"}
    gone = Language(grammar, Spelling(PRODUCTS), Assistant("http://127.0.0.1:9/v1", "m")).read("cup under 40")
    assert rules(gone) == {"price<40"} and gone.by == "grammar"


def test_the_language_model_is_off_unless_an_address_is_named(monkeypatch):
    monkeypatch.delenv("MMDEMO_LLM_URL", raising=False)
    assert Assistant.from_environment() is None
    monkeypatch.setenv("MMDEMO_LLM_URL", "file:///etc/passwd")
    assert Assistant.from_environment() is None
    monkeypatch.setenv("MMDEMO_LLM_URL", "http://127.0.0.1:1/v1/")
    assert Assistant.from_environment() == Assistant("http://127.0.0.1:1/v1", "default")


def test_two_parts_may_not_claim_the_same_words(grammar):
    twice = {"parts": [{"said": "under 40", "kind": "filter", "filters": ["price<40"]}] * 2}
    with pytest.raises(InputError, match="same words"):
        validated(twice, "cup under 40", grammar.words, True, anchored=False)
