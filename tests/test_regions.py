"""The things on a photo: where they are, of which kind, and which of them is searched by."""

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.scenes import CutOut, scene
from mmdemo.core.errors import InputError
from mmdemo.core.request import WHOLE, Query
from mmdemo.encode.box_head import CELL, FILE, SIDE, BoxHead, box_head, decoded
from mmdemo.search import recommender
from mmdemo.search.recommender import UNLIKELY, Recommender
from mmdemo.search.regions import CERTAIN, FRAMED, MOST, Region, common, find_regions
from tests.toys import picture
from training.boxes import targets, union_share

LEFT, RIGHT = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)


@pytest.fixture
def room() -> Image.Image:
    """A red mug on the left, a blue tray on the right."""
    photo = Image.new("RGB", (192, 96), "white")
    photo.paste(picture("mug", "red"), (0, 0))
    photo.paste(picture("tray", "blue"), (96, 0))
    return photo


class Kinds:
    """Tells a red part from another, and is less certain of the darker ones."""

    def likeliest(self, row):
        return ("Mug" if row[0, 0] > row[0, 2] else "Tray"), float(row[0].max())


def colours(pictures):
    return np.array([np.asarray(p.convert("RGB"), float).mean((0, 1)) / 255 for p in pictures])


def found(boxes, chances, photo):
    return find_regions(photo, lambda _: (np.array(boxes, float), np.array(chances)), colours, Kinds())


def test_things_come_with_their_kind_the_most_certain_first(room):
    regions = found([RIGHT, LEFT], [0.9, 0.5], room)
    assert [(r.box, r.kind) for r in regions] == [(LEFT, "Mug"), (RIGHT, "Tray")]
    assert regions[0].certainty >= regions[1].certainty > CERTAIN
    assert regions[0].as_dict() == {
        "box": list(regions[0].box),
        "kind": regions[0].kind,
        "certainty": round(regions[0].certainty, 3),
    }


def test_of_two_boxes_of_one_thing_the_better_framed_one_is_left(room):
    near = (0.0, 0.0, 0.45, 1.0)
    assert [r.box for r in found([near, LEFT], [0.5, 0.9], room)] == [LEFT]
    assert found([LEFT], [FRAMED - 0.01], room) == [], "what is hardly a thing is not marked"
    assert found([LEFT], [0.9], Image.new("RGB", (20, 20))) == [], "a thing of no kind is not sold here"
    grid = [(x / 5, y / 5, x / 5 + 0.2, y / 5 + 0.2) for x in range(5) for y in range(5)]
    assert len(found(grid, np.linspace(0.4, 0.9, 25), room)) <= MOST


def test_parts_of_one_thing_are_one_mark_around_them_and_things_beside_each_other_are_two(room):
    upper, lower = (0.0, 0.0, 0.5, 0.6), (0.0, 0.25, 0.5, 1.0)
    assert [r.box for r in found([upper, lower], [0.9, 0.8], room)] == [LEFT]
    assert {r.box for r in found([LEFT, RIGHT], [0.9, 0.8], room)} == {LEFT, RIGHT}
    two = Image.new("RGB", (192, 96), "white")
    for left in (0, 96):
        two.paste(picture("mug", "red"), (left, 0))
    assert {r.box for r in found([LEFT, RIGHT], [0.9, 0.8], two)} == {LEFT, RIGHT}


def test_what_two_boxes_have_in_common():
    np.testing.assert_allclose(common(LEFT, np.array([LEFT, RIGHT, (0.25, 0, 0.75, 1)])), [1, 0, 1 / 3])


def test_the_network_is_taught_where_the_middle_of_a_thing_is_and_its_edges_decode_to_its_box(room):
    from benchmarks.scenes import Scene

    wanted = targets(Scene(room, [LEFT, RIGHT], [0, 1]), SIDE // CELL)
    boxes = decoded(torch.from_numpy(wanted[1:])).numpy() * CELL / SIDE * [1, 2, 1, 2]  # the photo is twice as wide
    middle = wanted[0].ravel() > 0
    assert middle.any() and not middle.all()
    for box in boxes[middle]:
        assert any(np.allclose(box, side, atol=1e-5) for side in (LEFT, RIGHT))
    edges = torch.tensor([[1.0, 1, 1, 1]])
    assert union_share(edges, edges * 2).tolist() == [0.25] and union_share(edges, edges).tolist() == [1.0]


def test_a_network_comes_back_from_its_file_and_another_file_is_a_fault(tmp_path):
    torch.manual_seed(0)
    head, maps = BoxHead(8).eval(), torch.rand(1, 8, 4, 4)
    head.save(tmp_path)
    again = BoxHead.load(tmp_path)
    for one, other in zip(head(maps), again(maps), strict=True):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=2e-2)
    (tmp_path / FILE).write_bytes(b"nothing")
    with pytest.raises(InputError, match="no network that finds things"):
        BoxHead.load(tmp_path)


def test_scenes_are_the_same_for_the_same_seed_and_their_things_lie_apart():
    things = [CutOut.of(picture(shape, colour)) for shape in ("mug", "tray") for colour in ("red", "blue", "black")]
    one, same = (scene(things, [Image.new("RGB", (60, 40), "gray")], np.random.default_rng(5)) for _ in range(2))
    assert one.photo.tobytes() == same.photo.tobytes() and one.boxes == same.boxes
    assert 2 <= len(one.boxes) <= 5 and len(set(one.things)) == len(one.things)
    for n, box in enumerate(one.boxes):
        assert 0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1
        assert common(box, np.delete(np.array(one.boxes), n, 0)).max(initial=0) < 0.1
    assert CutOut.of(Image.new("RGB", (50, 50), "white")) is None


class Certainties:
    """Says how certain the kind of each photo is that it is asked about, one after the other; the last goes on."""

    def __init__(self, *chances: float) -> None:
        self.said = list(chances)

    def certainty(self, row):
        return self.said.pop(0) if len(self.said) > 1 else self.said[0]

    def likeliest(self, row):
        return None

    def chances(self, row):
        return {}


@pytest.fixture
def marking(toy_recommender, monkeypatch):
    """The toy shop where the kinds of photos are this certain, and a tray and a mug are marked on the room."""
    regions = [Region(RIGHT, "Tray", 0.9), Region(LEFT, "Mug", 0.6)]
    monkeypatch.setattr(Recommender, "regions", lambda self, photo: regions if photo.width == 192 else [])

    def made(*certain: float) -> Recommender:
        shop = Recommender(toy_recommender.index, toy_recommender.encoder)
        shop.photo_kinds, shop.matcher = Certainties(*certain), toy_recommender.matcher
        return shop

    return made


def test_the_likeliest_thing_is_searched_by_where_the_whole_photo_is_unlikely_and_no_box_is_named(marking, room):
    def first(shop, **asked):
        product = shop.recommend(Query(**asked, k=1))[0].product
        return product.category, product.attributes["colour"]

    assert first(marking(0.1), image=room) == ("Tray", "Blue")
    assert first(marking(UNLIKELY), image=room, box=LEFT) == ("Mug", "Red")
    assert marking(0.1).prepare(Query(image=room)).given.box == RIGHT
    for shop, asked in (
        (marking(UNLIKELY), Query(image=room)),
        (marking(0.95), Query(image=room)),
        (marking(0.1), Query(image=picture("mug", "red"))),
        (marking(0.1), Query(image=room, photos=(picture("mug", "red"),))),  # photos of one thing
    ):
        assert shop.prepare(asked).given.box is None
    assert marking(UNLIKELY).prepare(Query(image=room, box=WHOLE)).query.seen is room


def test_a_photo_whose_kind_is_unlikely_is_turned_to_where_it_is_nearly_certain(marking, room):
    def turned(*certain, **asked):
        return marking(*certain).prepare(Query(image=room, box=LEFT, **asked)).query

    query = turned(0.1, 0.3, 0.95, 0.1)
    assert query.turn == 180 and query.seen.tobytes() == Query(image=room, box=LEFT).seen.rotate(180).tobytes()
    assert turned(0.1, 0.3, 0.8, 0.1).turn in (None, 0), "no other way up is nearly certain"
    assert turned(UNLIKELY, 0.99).turn in (None, 0), "likely as it is, no other way is tried"
    assert turned(0.1, 0.95, turn=0).turn == 0 and turned(0.1, 0.95, turn=270).turn == 270
    with pytest.raises(InputError, match="0, 90, 180 or 270 degrees, found 45"):
        Query(image=room, turn=45)


def test_without_what_finds_things_nothing_is_marked(toy_recommender, room):
    assert box_head(toy_recommender.encoder) is None
    assert toy_recommender.regions(room) == [] and toy_recommender.prepare(Query(image=room)).given.box is None


def test_marks_of_a_photo_are_kept_by_what_is_on_it(toy_recommender, room, monkeypatch):
    looked = []
    monkeypatch.setattr(recommender, "find_regions", lambda photo, *_: looked.append(photo) or [])
    shop = Recommender(toy_recommender.index, toy_recommender.encoder)
    shop.photo_kinds, shop.box_head = Kinds(), BoxHead(8)
    for photo in (room, room.copy(), room.rotate(180)):
        assert shop.regions(photo) == []
    assert len(looked) == 2
