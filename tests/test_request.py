"""The request model: fields with limits and help, faults as one sentence, plain JSON in, the exported names."""

import subprocess
import sys

import pytest
from PIL import Image

import mmdemo
from mmdemo.core.errors import InputError
from mmdemo.core.request import Filter, Query, Taste


def test_every_field_has_a_help_text_and_the_schema_its_limits():
    assert all(Query.help(name) for name in Query.model_fields)
    fields = Query.model_json_schema()["properties"]
    assert (fields["k"]["minimum"], fields["k"]["maximum"]) == (1, 1000)
    assert (fields["weight"]["minimum"], fields["weight"]["maximum"]) == (0, 1)
    assert fields["filters"]["items"] == {"type": "string"} and fields["text"]["maxLength"] == 1000


def test_plain_json_makes_a_query():
    query = Query.from_arguments({"text": None, "filters": ["price<40"], "like": ["a"], "taste": {"likes": ["b"]}})
    same = Query(filters=(Filter("price", "<", "40"),), like=("a",), taste=Taste(likes=("b",)))
    assert query == same and hash(query) == hash(same)


def test_a_changed_copy_is_checked_like_a_new_query():
    assert Query(text="a").with_(k=3) == Query(text="a", k=3)
    with pytest.raises(InputError, match="between 1 and 1000, found 0"):
        Query(text="a").with_(k=0)
    with pytest.raises(ValueError, match="frozen"):
        Query().k = 3


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"k": True}, "between 1 and 1000"),
        ({"weight": float("nan")}, "between 0 (words only) and 1 (photo only), found nan"),
        ({"diversity": -1}, "diversity must be between 0 and 1, found -1"),
        ({"text": "x" * 1001}, "the words have 1,001 characters; at most 1,000 are read"),
        ({"text": 5}, "text must be words, not '5'"),
        ({"like": "abc"}, "like must be a list, not 'abc'"),
        ({"image": "a.png"}, "image must be a picture"),
        ({"filters": ["cheap"]}, "the filter 'cheap' was not understood"),
        ({"filters": ["price<x"]}, "which is not a number"),
        ({"like": ["a"] * 201}, "at most 200 filters"),
        ({"image": Image.new("RGB", (2, 2)), "reference": "a"}, "not both"),
        ({"colour": "red"}, "no field 'colour'"),
        *(
            ({"image": Image.new("RGB", (2, 2)), "box": box}, "left, top, right, bottom as shares of the photo")
            for box in (
                (0, 0, 2, 1),
                (0.5, 0, 0.4, 1),
                "0,0,1",
                "a,b,c,d",
                (0, 0, float("nan"), 1),
                (0, 0, 0.001, 1),
                5,
            )
        ),
        ({"text": "a", "box": (0, 0, 0.5, 0.5)}, "a box marks a part of a photo; give the photo too"),
    ],
)
def test_a_fault_is_one_sentence(values, says):
    with pytest.raises(InputError) as caught:
        Query(**values)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_box_is_the_part_of_the_photo_that_is_searched_by():
    photo = Image.new("RGB", (200, 100), "white")
    photo.paste("red", (100, 50, 150, 100))
    query = Query(image=photo, box="0.5, 0.5, 0.75, 1")
    assert query.box == (0.5, 0.5, 0.75, 1.0) and query == Query(image=photo, box=[0.5, 0.5, 0.75, 1])
    assert query.seen.size == (50, 50) and query.seen.getcolors() == [(2500, (255, 0, 0))]
    assert Query(image=photo).seen is photo and Query(text="a").seen is None


def test_the_package_exports_its_names_without_importing_what_is_heavy():
    assert all(getattr(mmdemo, name) is not None for name in mmdemo.__all__)
    assert mmdemo.Query is Query and mmdemo.InputError is InputError
    code = "import sys, mmdemo; mmdemo.Query; print([m for m in ('torch', 'gradio', 'open_clip') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="nothing"):
        mmdemo.nothing  # noqa: B018
