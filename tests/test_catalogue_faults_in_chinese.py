"""What is said of a catalogue at fault is Chinese on the Chinese page: every refusal, every note, down to its parts."""

import html
import re
from pathlib import Path

import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.serve import jobs
from mmdemo.serve.drafts import Drafts
from mmdemo.serve.translation import speaking, translate
from mmdemo.ui.your_catalogue import YourCatalogueTab
from tests.bad_catalogues import READ, REFUSED, picture

SLOW = ("bomb", "million", "megabytes")  # what they say is said of smaller ones too
DRAFT = "c" * 32
TABLE = (
    "id,image,title,price,currency,url,views,price\n"
    "a,a.png,Café,12.50 €,USD,shop/a,b.png,1\n"
    "a,a.png,Twice,1-2,,,,\n"
    "b,none.png,No picture,3,,,,\n"
    "c,,,,,,,\n"
    "d,,Too many cells,1,2,3,4,5,6,7\n"
    'e,,A "stray" quote,"1,,,,\n'
)


@pytest.fixture
def tab(tmp_path: Path) -> YourCatalogueTab:
    return YourCatalogueTab(Drafts(tmp_path / "index", "encoder"), str)


def english(text: str) -> list[str]:
    """Runs of three English words outside quotation marks, which names and cells of the catalogue stand in."""
    plain = re.sub(r"“[^”]*”|'[^']*'|\([^()]*\)|（[^（）]*）", "", html.unescape(re.sub(r"<[^>]*>", "", text)))
    return re.findall(r"[A-Za-z]{2,} [A-Za-z]+ [A-Za-z]{2,}", plain)


def test_refusals_and_notes_of_a_table_with_links_and_words(tab, tmp_path):
    files = tmp_path / "index" / ".yours" / DRAFT / jobs.FILES
    files.mkdir(parents=True)
    (files / "catalog.csv").write_bytes(TABLE.encode("cp1252"))
    (files / "a.png").write_bytes(picture())
    (files / "links.csv").write_text("id,other_id\na,a\na,zz\n")
    (files / "words_de.csv").write_text("column,english\na,b\n")
    jobs.check(files.parent)
    with speaking("zh"):
        page = tab.act("look", {"draft": DRAFT})
    reasons = re.findall(r'<b class="mm-kind[^>]*>[^<]*</b> ([^<]*)</td>', page)
    assert len(reasons) >= 10
    assert [reason for reason in reasons if english(reason) or not re.search("[一-鿿]", reason)] == []


def test_every_catalogue_that_is_refused_or_read_with_notes(tmp_path):
    sentences: list[str] = []
    for number, (name, fill) in enumerate([*REFUSED.items(), *((name, fill) for name, (fill, _) in READ.items())]):
        if any(word in name for word in SLOW):
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            catalog = Catalog.read(fill(folder), extract_to=tmp_path / f"unpacked-{number}")
            faults = [entry.message for entry in (*catalog.refused, *catalog.warnings)]
        except InputError as error:
            faults = [error.message]
        with speaking("zh"):
            sentences += [translate(fault) for fault in faults]
    assert len(sentences) > 40
    assert [sentence for sentence in sentences if english(sentence) or not re.search("[一-鿿]", sentence)] == []
