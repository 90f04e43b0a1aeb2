"""`Query`, the one request that every surface makes: photo, sentence, filters, liked products; limits and defaults.

Knows nothing of how it is answered.

`Query` is the one statement of a request: the page, links, the HTTP API, MCP, the command line and Python take their
fields, limits and help from it.
"""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from PIL import Image
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from mmdemo.core.errors import InputError
from mmdemo.core.messages import N_

MAX_TEXT = 1000  # characters of a query or a filter: explaining looks at each word
MAX_PARTS = 200  # filters and products that are liked or not
MAX_FILTER_TEXT = 20_000  # characters of all filters together: each word is looked up
MAX_CLICKS = 500  # likes and dislikes of a taste
MAX_RESULTS = 1000
ANY_KIND = "any"  # instead of a kind: every kind
WHOLE = (0.0, 0.0, 1.0, 1.0)  # the box of all of a photo
LEAST_SIDE = 0.02  # of a photo's width and height, for a box in it

Modality = Literal["image", "text", "both", "edit", "like"]
Sort = Literal["match", "cheap", "dear"]
Operator = Literal["<=", ">=", "!=", "!~", "<", ">", "=", "~"]
_OPERATORS = ("<=", ">=", "!=", "!~", "<", ">", "=", "~")

# The sentence for a value of the wrong type or out of range, by field.
_FAULTS = {
    "k": N_("the number of results must be between 1 and 1000, found {value}"),
    "weight": N_("the weight must be between 0 (words only) and 1 (photo only), found {value}"),
    "sort": N_("the order must be match, cheap or dear, found {value}"),
    "diversity": N_("diversity must be between 0 and 1, found {value}"),
    "turn": N_("a photo is turned by 0, 90, 180 or 270 degrees, found {value}"),
    "box": N_(
        "a box is left, top, right, bottom as shares of the photo from 0 to 1, as in 0.1,0.2,0.5,0.9; found {value}"
    ),
}
_TOO_LONG = N_("the words have {n:,} characters; at most {most:,} are read")
_WORDS = N_("{name} must be words, not {value}")
_TYPES = {
    "string_type": _WORDS,
    "string_unicode": _WORDS,
    "tuple_type": N_("{name} must be a list, not {value}"),
    "bool_type": N_("{name} must be true or false, not {value}"),
    "is_instance_of": N_("{name} must be a picture, not {value}"),
}


class _Request(BaseModel):
    """A value that does not change, and whose faults are an InputError of one sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _input_error(error) from None

    def with_(self, **changes: Any) -> Self:
        """A copy with some fields changed, checked like a new one."""
        return type(self)(**(dict(self) | changes))


def _input_error(error: ValidationError) -> InputError:
    """The first fault as one sentence."""
    fault = error.errors(include_url=False)[0]
    raised = fault.get("ctx", {}).get("error")
    if isinstance(raised, InputError):  # by a validator of ours
        return raised
    value, kind, name = fault["input"], fault["type"], str(fault["loc"][0]) if fault["loc"] else "query"
    if kind == "string_too_long":
        return InputError(_TOO_LONG, n=len(value), most=MAX_TEXT)
    if name in _FAULTS:
        return InputError(_FAULTS[name], value=str(value)[:40])
    if kind == "extra_forbidden":
        return InputError("a query has no field '{name}'", name=name[:40])
    if kind in _TYPES:
        return InputError(_TYPES[kind], name=name, value=ascii(str(value)[:40]))
    return InputError("{name} is at fault, found {value}", name=name, value=ascii(str(value)[:40]))


class Filter(_Request):
    """A condition on one column: `price<40`, `category=Mug|Vase` (any of), `colour!=blue`. Text ignores case.

    `text~leather|suede` looks for whole words in everything that is said of a product, `text!~leather` for none.

    Examples
    --------
    >>> Filter.parse("category = Mug|Vase")
    Filter(column='category', op='=', value='Mug|Vase')
    >>> str(Filter("price", "<", "40"))
    'price<40'
    """

    column: str = Field(description="A column of the catalogue.")
    op: Operator = Field(description="How the column compares with the value; ~ looks for whole words.")
    value: str = Field(description="A number, or words; | stands between alternatives.")

    def __init__(self, column: str, op: Operator, value: str) -> None:
        super().__init__(column=column, op=op, value=value)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InputError when `text` is not COLUMN OP VALUE."""
        if len(text) > MAX_TEXT:
            raise InputError("a filter has {n:,} characters; at most {most:,} are read", n=len(text), most=MAX_TEXT)
        # Split, not matched as a whole: a pattern with several runs of blanks takes minutes over a thousand of them.
        column, op, value = map(str.strip, [*re.split(r"(<=|>=|!=|!~|<|>|=|~)", text, maxsplit=1), "", ""][:3])
        if not column or "!" in column or not op or not value:
            raise InputError(
                "the filter '{filter}' was not understood: write a column, one of {signs} and a value, "
                "as in 'price<40' or 'category=Mug|Vase'",
                filter=text,
                signs=" ".join(_OPERATORS),
            )
        return cls(column, op, value)  # type: ignore[arg-type]  # the pattern gives no other operator

    @model_validator(mode="after")
    def _compares_with_a_number(self) -> Self:
        if self.op in ("<", "<=", ">", ">="):
            self.number  # noqa: B018 - raises now rather than in the middle of a search
        return self

    @property
    def number(self) -> float:
        """The value as a number; raises InputError when it is none."""
        try:
            number = float(self.value)
            if math.isnan(number):
                raise ValueError
            return number
        except ValueError:
            raise InputError(
                "the filter '{filter}' compares with '{value}', which is not a number; write it as in 'price<40'",
                filter=str(self),
                value=self.value,
            ) from None

    @property
    def choices(self) -> frozenset[str]:
        """The values of an `=` or `!=` filter, lower case."""
        return frozenset(v.strip().casefold() for v in self.value.split("|"))

    def __str__(self) -> str:
        return f"{self.column}{self.op}{self.value}"


class Taste(_Request):
    """Product ids that a shopper liked and disliked, in the order of the clicks.

    Examples
    --------
    >>> taste = Taste(likes=("mug-1", "mug-7"), dislikes=("vase-2",))
    >>> taste.clicks, bool(taste), bool(Taste())
    (3, True, False)
    """

    likes: tuple[str, ...] = Field(default=(), description="Ids of products that the shopper liked.")
    dislikes: tuple[str, ...] = Field(
        default=(), description="Ids of products that the shopper disliked; they are left out of the answer."
    )

    def __bool__(self) -> bool:
        return bool(self.likes or self.dislikes)

    @property
    def clicks(self) -> int:
        """How many clicks there were; it also seeds the draw, so that the same taste gives the same answer."""
        return len(self.likes) + len(self.dislikes)


class Refinement(_Request):
    """What was said after an answer, to change the request that it was given to.

    Examples
    --------
    >>> Refinement(refine="no, in green").refine
    'no, in green'
    """

    refine: str = Field(
        default="",
        max_length=MAX_TEXT,
        description='Words said after an answer, which change the other fields ("under 50", "no, in green", "without '
        'stripes", "the second one, but smaller"); the answer\'s `query` is the changed request, to be sent next time.',
    )


def _four_numbers(given: Any) -> Any:
    """The numbers of a box that is written '0.1,0.2,0.5,0.9', as a command line and a link have it."""
    return [part.strip() for part in given.split(",")] if isinstance(given, str) else given


def _inside(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    if not (0 <= left <= right - LEAST_SIDE and right <= 1 and 0 <= top <= bottom - LEAST_SIDE and bottom <= 1):
        raise ValueError
    return box


# In JSON a picture is a string that a surface decodes (an upload, a data URL, an id); a filter is written 'price<40'.
Picture = Annotated[Image.Image, WithJsonSchema({"type": "string"})]
FilterText = Annotated[
    Filter,
    BeforeValidator(lambda given: Filter.parse(given) if isinstance(given, str) else given),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string"}),
]
Text = Annotated[
    str,
    Field(
        max_length=MAX_TEXT,
        description='What is wanted in words, or what should differ from the photo ("in blue"). Prices, exclusions and '
        'edits are understood in English and Chinese ("a mug under 20, not glass").',
    ),
]
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_RESULTS, description="How many products to return.")]
Weight = Annotated[
    float,
    Field(
        strict=True,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="How much the photo counts when both are given: 0 only the words, 1 only the photo.",
    ),
]
Filters = Annotated[
    tuple[FilterText, ...],
    Field(description='Conditions such as "price<40" or "colour=blue|green"; all of them must hold.'),
]
Diversity = Annotated[
    float,
    Field(
        strict=True,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="0 for the nearest products, up to 1 for the most varied.",
    ),
]
Fold = Annotated[
    bool, Field(description="Whether variants of one product, and near-copies, are shown as one.", strict=True)
]


SortOrder = Annotated[
    Sort,
    Field(
        description='"match" for the best match first, "cheap" for the lowest price first, "dear" for the highest; '
        "what has no price comes last."
    ),
]
KindName = Annotated[
    str,
    Field(
        max_length=MAX_TEXT,
        description="The kind of thing that comes first: empty for what the words, the photo or the reference say, "
        '"any" for every kind alike, or a noun. It sorts and hides nothing.',
    ),
]
Box = Annotated[
    tuple[float, float, float, float],
    BeforeValidator(_four_numbers),
    AfterValidator(_inside),
    WithJsonSchema({"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "maxItems": 4}),
]
Turn = Literal[0, 90, 180, 270]


def part_of(picture: Image.Image, box: Box, turn: Turn) -> Image.Image:
    """The part of a picture in a box, turned by this many degrees."""
    part = cropped(picture, box)
    return part.rotate(turn, expand=True) if turn else part


def cropped(picture: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """The part of a picture in a box, at least one pixel a side.

    >>> cropped(Image.new("RGB", (200, 100)), (0.25, 0.5, 0.5, 1.0)).size
    (50, 50)
    """
    (w, h), (left, top, right, bottom) = picture.size, box
    if box == WHOLE:
        return picture
    x, y = min(round(left * w), w - 1), min(round(top * h), h - 1)
    return picture.crop((x, y, max(x + 1, round(right * w)), max(y + 1, round(bottom * h))))


class Query(_Request):
    """One request: what to search by, how to weigh it, and which products may answer.

    Every field is optional, but a query that has nothing to search by (`empty`) is not answered. Lists are taken for
    tuples and 'price<40' for a `Filter`, so that plain JSON makes a query; pictures are decoded before.

    Parameters
    ----------
    image, text, k, weight, filters, like, unlike, reference, diversity, away, photos, unlike_photos, fold, taste, sort,
    kind, box, history, turn
        As `Query.help(name)` and the schema (`Query.model_json_schema()`) say; 0.5 as `weight` is the head's own
        mixture of photo and words.

    Raises
    ------
    InputError
        One sentence about the first value that is of another type, out of range or contradicts another.

    Examples
    --------
    >>> query = Query(text="a blue mug", filters=["price<40"], k=3)
    >>> query.with_(k=5).k, str(query.filters[0]), query.empty
    (5, 'price<40', False)
    """

    image: Picture | None = Field(default=None, description="A picture of what is wanted.")
    text: Text = ""
    k: Count = 12
    weight: Weight = 0.5
    filters: Filters = ()
    like: tuple[str, ...] = Field(
        default=(), description="Ids of products that the shopper likes; the answer goes towards them."
    )
    unlike: tuple[str, ...] = Field(
        default=(), description="Ids of products that the shopper does not like; the answer goes away from them."
    )
    reference: str = Field(
        default="", description="Id of a product to use as the photo; it is left out of its own answer."
    )
    diversity: Diversity = 0.0
    away: tuple[str, ...] = Field(default=(), description="Words to go away from.")
    photos: tuple[Picture, ...] = Field(default=(), description="More pictures, blended with the first.")
    unlike_photos: tuple[Picture, ...] = Field(default=(), description="Pictures to go away from.")
    fold: Fold = False
    taste: Taste = Field(default=Taste(), description="What the shopper liked and disliked before.")
    sort: SortOrder = "match"
    kind: KindName = ""
    box: Box | None = Field(
        default=None,
        description="The part of the picture that is searched by: left, top, right and bottom as shares of its width "
        "and height, from 0 to 1; null for all of it, or for the likeliest thing on it where its kind is uncertain.",
    )

    turn: Turn | None = Field(
        default=None,
        description="Degrees, counter-clockwise, that the picture is turned by before it is searched by: 0, 90, 180 or "
        "270; null for the way up in which its kind is most certain.",
    )
    history: tuple[str, ...] = Field(
        default=(),
        description="Ids of products that the shopper looked at or bought before, in any order: the answer goes where "
        "people go on to from there. With nothing else asked it is what is there for this shopper, the history left "
        "out.",
    )

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """The query of named values as JSON has them, its pictures decoded; null leaves a field at its default."""
        return cls(**{name: value for name, value in arguments.items() if value is not None})

    @classmethod
    def help(cls, name: str) -> str:
        """What a field means, for whoever fills it in."""
        return cls.model_fields[name].description or ""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.filters) + len(self.like) + len(self.unlike) > MAX_PARTS:
            raise InputError("a query has at most {most} filters and products that are liked or not", most=MAX_PARTS)
        if (characters := sum(len(condition.value) for condition in self.filters)) > MAX_FILTER_TEXT:
            raise InputError(
                "the filters have {n:,} characters together; at most {most:,} are read",
                n=characters,
                most=MAX_FILTER_TEXT,
            )
        if self.taste.clicks > MAX_CLICKS:
            raise InputError("a taste has at most {most} likes and dislikes; send the last ones", most=MAX_CLICKS)
        if len(self.history) > MAX_CLICKS:
            raise InputError("a history has at most {most} products; send the last ones", most=MAX_CLICKS)
        if self.image is not None and self.reference:
            raise InputError("give a photo or a reference product, not both")
        if self.box is not None and self.image is None:
            raise InputError("a box marks a part of a photo; give the photo too")
        return self

    @property
    def seen(self) -> Image.Image | None:
        """What of the picture is searched by: the part in the box, else all of it, turned upright."""
        return None if self.image is None else part_of(self.image, self.box or WHOLE, self.turn or 0)

    @property
    def modality(self) -> Modality:
        """What the answer starts from: a photo, words, both, a reference product changed by words, or likes alone."""
        pictured = self.image is not None or self.photos or self.reference
        if not self.text.strip():
            return "image" if pictured else "like"
        if not pictured:
            return "text"
        return "edit" if self.reference else "both"

    @property
    def directed(self) -> bool:
        """Whether something is asked for, beyond what the shopper liked and looked at."""
        return self.image is not None or bool(self.photos or self.text.strip() or self.like or self.reference)

    @property
    def empty(self) -> bool:
        """Nothing to search by."""
        return not (self.directed or self.taste.likes or self.history)
