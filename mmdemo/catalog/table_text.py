"""Decodes the bytes of a text table, whatever its encoding, and leaves control characters out.

It knows nothing of columns, beyond which headings are known: they tell one East Asian encoding from another.
"""

import re
from collections.abc import Container

from mmdemo.catalog.headings import heading
from mmdemo.core.errors import InputError
from mmdemo.core.messages import N_, Message

# Encodings other than Unicode that spreadsheets save by default, with what a person calls them.
OTHER_ENCODINGS = {
    "cp1252": N_("Western European"),
    "gb18030": N_("Simplified Chinese"),
    "cp932": N_("Japanese"),
    "big5": N_("Traditional Chinese"),
}
MOST_CONTROLS = 0.08  # as a share of the first characters; a table has hardly any, other files have more
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # all but tab, line feed and carriage return


def table_text(data: bytes, name: str, known_headings: Container[str]) -> tuple[str, list[str]]:
    """The text of a table's bytes, and notes on what was assumed or left out.

    Parameters
    ----------
    data, name
        The file's content, and its name for messages.
    known_headings
        Headings as `headings.heading` compares them, by which the encoding is chosen where the text is not Unicode.

    Raises
    ------
    InputError
        The file is empty or not text.
    """
    empty_file = InputError("'{name}' is empty; expected a table with the columns id, image and title.", name=name)
    if not data.strip():
        raise empty_file
    text, notes = _decoded(data, name, known_headings)
    head = text[:4096]
    if len(_CONTROL.findall(head)) > max(4, MOST_CONTROLS * len(head)):
        raise _no_text(name)
    text, removed = _CONTROL.subn("", text)
    if removed:
        notes.append(Message("{n:,} control characters in '{name}' were left out", n=removed, name=name))
    above = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    if above == len(text):
        raise empty_file
    return text[:above].replace("\ufeff", "") + text[above:], notes  # UTF-8's mark may stand below blank lines


def _decoded(data: bytes, name: str, known_headings: Container[str]) -> tuple[str, list[str]]:
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        if marked:
            return data.decode("utf-16"), []
        zeros = data[:4096].count(0)
        if zeros > len(data[:4096]) // 3:
            # Western text in UTF-16 without a mark has every other byte zero.
            return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be"), []
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        if marked:
            raise _no_text(name) from error
    lenient = data.decode("utf-8-sig", errors="replace")
    damaged = lenient.count("\ufffd")
    if sum(c > "\x7f" for c in lenient) - damaged > 4 * damaged:
        note = Message("{n:,} characters of '{name}' are damaged; the rest was read as UTF-8", n=damaged, name=name)
        return lenient, [note]
    encoding = max(OTHER_ENCODINGS, key=lambda encoding: _headings_known(data, encoding, known_headings))
    note = Message(
        "'{name}' is not UTF-8 and was read as {language} ({encoding}); check the letters",
        name=name,
        language=Message(OTHER_ENCODINGS[encoding]),
        encoding=encoding,
    )
    return data.decode(encoding, errors="replace"), [note]


def _no_text(name: str) -> InputError:
    return InputError("'{name}' is not a text table; save it as CSV in UTF-8.", name=name)


def _headings_known(data: bytes, encoding: str, known_headings: Container[str]) -> int:
    """How many cells of the first lines are known headings, read in this encoding."""
    lines = data[:65536].decode(encoding, errors="replace").splitlines()[:5]
    cells = (heading(cell.strip(' "\ufeff')) for line in lines for cell in re.split(r"[,;\t|]", line))
    return sum(not cell.isascii() and cell in known_headings for cell in cells)
