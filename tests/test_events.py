"""Events beside a catalogue: read, checked, made anonymous, and split by time."""

import numpy as np
import pytest

from mmdemo.behaviour.events import read_events
from mmdemo.core.errors import InputError

ROWS = {"mug-1": 0, "mug-2": 1, "mug-3": 2}


def read(folder, text: str, name: str = "events.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return read_events(folder / name, ROWS)


def test_a_person_and_product_count_once_at_their_last_time(tmp_path):
    events, notes = read(
        tmp_path,
        "user,id,event,time\nanna@example.com,mug-1,view,2024-03-01T10:00:00\nanna@example.com,mug-1,view,2024-03-02\n"
        "ben,mug-2,purchase,1709251200000\nben,mug-9,view,5\nben,mug-3,dislike,1709251200\nben,mug-1,view,soon\n",
    )
    assert sorted(zip(events.person.tolist(), events.product.tolist(), strict=True)) == [(0, 0), (1, 1)]
    assert events.time[0] == 1709337600 and events.time[1] == 1709251200
    assert [str(note) for note in notes] == [
        "1 lines have no person, or a time that is neither a date nor a number",
        "1 lines name a product that is not in the catalogue",
        "1 lines say that somebody did not like a product; they teach nothing yet",
        "3 products have fewer than 3 events: their pictures and words stand in",
        "2 of 2 people have fewer than 3 events",
    ]


def test_no_name_of_a_person_stays(tmp_path):
    events, notes = read(tmp_path, "user,id,time\nanna@example.com,mug-1,1\nanna@example.com,mug-2,2\n")
    assert "anna" not in repr(events) + repr(vars(events)) + repr(notes)


def test_ratings_from_seven_tenths_of_the_highest_on_are_likes(tmp_path):
    events, _ = read(tmp_path, "userId,movieId,rating,timestamp\n1,mug-1,5.0,1\n1,mug-2,3.5,2\n1,mug-3,3.0,3\n")
    assert events.product.tolist() == [0, 1]


def test_what_somebody_paid_is_no_rating(tmp_path):
    bought, rated = "u,mug-1,purchase,1,4.90\nu,mug-2,purchase,2,99\n", "u,mug-3,rating,3,2\nv,mug-1,rating,4,5\n"
    events, _ = read(tmp_path, f"user,id,event,time,value\n{bought}{rated}")
    assert sorted(zip(events.person.tolist(), events.product.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0)]


def test_an_export_of_orders_names_the_customer_in_its_first_line(tmp_path):
    events, _ = read(
        tmp_path,
        "Name,Email,Created at,Lineitem quantity,Lineitem sku\n"
        "#1001,anna@example.com,2024-03-01 10:00:00 +0100,1,mug-1\n#1001,,,2,mug-2\n"
        "#1002,ben@example.com,2024-03-02 10:00:00 +0100,1,mug-2\n",
    )
    assert sorted(zip(events.person.tolist(), events.product.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 1)]


def test_time_splits_part_the_past_from_the_future(tmp_path):
    events, _ = read(tmp_path, "user,id,time\n" + "".join(f"u{i % 7},mug-{1 + i % 3},{i}\n" for i in range(21)))
    split = events.at_share(0.5)
    before, after = events.before(split), events.since(split)
    assert len(before) + len(after) == len(events) and before.time.max() < split <= after.time.min()
    assert before.matrix.shape == after.matrix.shape == (7, 3)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("user,id\nu,mug-1\n", "no column 'time'"),
        ("user,id,time\nu,plate,1\n", "none of the 1 lines of 'events.csv'"),
        ("\n", "empty"),
    ],
)
def test_a_file_without_events_is_refused_with_what_was_expected(tmp_path, text, fault):
    with pytest.raises(InputError, match=fault):
        read(tmp_path, text)


def test_events_of_an_unknown_order_have_products_as_columns(tmp_path):
    events, _ = read(tmp_path, "id,time,user\nmug-3,1,u\n")
    np.testing.assert_array_equal(events.matrix.toarray(), [[0, 0, 1]])
