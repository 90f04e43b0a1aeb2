"""Messages for people: English text that keeps its template and values, so that a page can translate it.

Code below the page raises, stores and returns messages in English; only the page asks for another language.
"""

import numbers
import string
from collections.abc import Mapping, Sequence
from typing import Any, Self

Words = Mapping[str, Mapping[str, str]]  # column -> value of a catalogue -> what it is called in another language


class _Filler(string.Formatter):
    """`str.format` by plain names only, with three more formats.

    {x:lower} is a word within a sentence, {x:capital} begins one, {x:clause} is a sentence without its full stop.
    """

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "lower":  # "T恤" stays as it is
            return value.lower() if value.isascii() else value
        if format_spec == "capital":
            return value[:1].upper() + value[1:]
        if format_spec == "clause":
            return value.rstrip(".。")
        return super().format_field(value, format_spec)


def fill(template: str, values: Mapping[str, object]) -> str:
    """The template with its {names} replaced; without values it is returned as it is, braces included."""
    return _FILLER.vformat(template, (), values) if values else template


_FILLER = _Filler()


class Message(str):
    """An English sentence that keeps its template and values; the string itself is the English text.

    Values may be messages and terms, which are translated with the message; exceptions stand for what they say, and
    everything but numbers is kept as text.

    Examples
    --------
    >>> Message("at most {n:,} rows are read", n=5000)
    'at most 5,000 rows are read'
    >>> Message("'{name}': {reason}", name="a.csv", reason=Message("it is empty")).values["reason"].template
    'it is empty'
    """

    template: str
    singular: str  # the template for n=1, "" where there is one form only
    values: dict[str, Any]

    def __new__(cls, template: str, singular: str = "", /, **values: object) -> Self:
        if isinstance(template, cls) and not values:
            return template
        kept = {name: _kept(value) for name, value in values.items()}
        message = super().__new__(cls, fill(singular if singular and kept["n"] == 1 else template, kept))
        message.template, message.singular, message.values = str(template), singular, kept
        return message

    def __getnewargs_ex__(self) -> tuple[tuple[str, str], dict[str, Any]]:
        return (self.template, self.singular), self.values


def plural(n: int, one: str, many: str, /, **values: object) -> Message:
    """`one` or `many` of something, {n} being how many."""
    return Message(many, one, n=n, **values)


class Term(str):
    """A word of the catalogue, such as "blue" in the column "colour"; the string itself is its English text.

    `translations` are its own, by language; a page looks for others among the words that the catalogue has for the
    column, and falls back to `default`, which may be a message.
    """

    column: str
    value: str
    default: str
    translations: Mapping[str, str]

    def __new__(cls, column: str, value: str, default: str = "", translations: Mapping[str, str] | None = None) -> Self:
        term = super().__new__(cls, default or value)
        term.column, term.value, term.default, term.translations = column, value, default, translations or {}
        return term

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.column, self.value, self.default, self.translations), {}


def _kept(value: object) -> object:
    if isinstance(message := getattr(value, "message", None), Message):  # of an InputError or a Refusal
        return message
    if isinstance(value, str):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else str(value)


def joined(separator: str, parts: Sequence[str]) -> Message:
    """The parts, with a separator between them that is translated too."""
    names = [f"part{number}" for number in range(len(parts))]
    template = "{separator}".join(f"{{{name}}}" for name in names)
    return Message(template, separator=Message(separator), **dict(zip(names, parts, strict=True)))


def as_json(data: Any) -> Any:
    """JSON data whose messages and terms are kept as objects that `from_json` reads."""
    if isinstance(data, Term):
        translations = {"translations": dict(data.translations)} if data.translations else {}
        return {"term": data.value, "column": data.column, "default": as_json(data.default), **translations}
    if isinstance(data, Message):
        singular = {"singular": data.singular} if data.singular else {}
        return {"template": data.template, **singular, "values": as_json(data.values)}
    if isinstance(data, dict):
        return {name: as_json(value) for name, value in data.items()}
    return [as_json(item) for item in data] if isinstance(data, list | tuple) else data


def from_json(data: Any) -> Any:
    """What `as_json` was given; a message that an older version kept as plain text stays plain text."""
    if isinstance(data, list):
        return [from_json(item) for item in data]
    if not isinstance(data, dict):
        return data
    data = {name: from_json(value) for name, value in data.items()}
    if data.keys() >= {"term", "column", "default"}:
        return Term(data["column"], data["term"], data["default"], data.get("translations"))
    if data.keys() >= {"template", "values"}:
        return Message(data["template"], data.get("singular", ""), **data["values"])
    return data


def N_(text: str) -> str:
    """The text as it is: marks a template that becomes a message elsewhere, as gettext does it."""
    return text


# What catalogues call their columns most often, for the translators; others are shown under the names that they have.
COLUMNS = (
    *(N_("brand"), N_("category"), N_("colour"), N_("currency"), N_("description"), N_("finish"), N_("group")),
    *(N_("id"), N_("image"), N_("kind"), N_("material"), N_("pattern"), N_("price"), N_("size"), N_("style")),
    *(N_("text"), N_("title"), N_("url")),
)


def listed(words: Sequence[str]) -> Message:
    """ "a, b and c"."""
    phrase = words[0]
    for word in words[1:-1]:
        phrase = Message("{first}, {second}", first=phrase, second=word)
    return Message("{first} and {second}", first=phrase, second=words[-1]) if len(words) > 1 else joined(", ", [phrase])


def row_noun(count: int = 2) -> Term:
    """What so many rows of the catalogue at hand are called: "products", unless it says otherwise."""
    noun = N_("product") if count == 1 else N_("products")
    return Term("noun", noun, Message(noun))


def column_label(column: str) -> Term:
    """A column as people call it: "price_range" is "price range"."""
    return Term("column", column, Message(column.replace("_", " ")))
