"""Pictures as phones write them: a second picture or a film within or beside the file, panoramas, portrait."""

import io
import zipfile

import pillow_heif
import pytest
from PIL import Image

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode

RED, BLUE = (200, 30, 30), (30, 30, 200)
GAIN_MAP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:'
    b'Description xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/></rdf:RDF></x:xmpmeta>'
)
FILM = b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(200)


def red(kind: str, size: tuple[int, int] = (64, 48), **options) -> bytes:
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    Image.new("RGB", size, RED).save(file, kind, **options)
    return file.getvalue()


def burst() -> bytes:
    """A HEIC of several pictures, of which the first is the one that the phone shows."""
    several, file = pillow_heif.HeifFile(), io.BytesIO()
    several.add_from_pillow(Image.new("RGB", (64, 48), RED))
    several.add_from_pillow(Image.new("RGB", (32, 24), BLUE))
    several.save(file, primary_index=0)
    return file.getvalue()


def turned() -> bytes:
    """What a phone held upright says of pixels that lie on their side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


def two(**options) -> bytes:
    return red("MPO", save_all=True, append_images=[Image.new("L", (16, 12), 255)], **options)


PHONES = {
    "jpeg with a gain map (Ultra HDR)": (lambda: two(xmp=GAIN_MAP), (64, 48)),
    "jpeg of two pictures (MPO)": (two, (64, 48)),
    "jpeg of two pictures, portrait": (lambda: two(exif=turned()), (48, 64)),
    "jpeg with a film behind it (motion photo)": (lambda: red("JPEG") + FILM, (64, 48)),
    "heic of several pictures": (burst, (64, 48)),
    "jpeg, portrait": (lambda: red("JPEG", exif=turned()), (48, 64)),
    "heic, portrait": (lambda: red("HEIF", exif=turned()), (48, 64)),
    "panorama": (lambda: red("JPEG", (4096, 128)), (256, 8)),
    "panorama, portrait": (lambda: red("JPEG", (4096, 128), exif=turned()), (8, 256)),
}


@pytest.mark.parametrize("name", PHONES)
def test_the_picture_that_the_phone_shows_is_read_upright(name):
    write, size = PHONES[name]
    seen = decode(write(), max_side=256)
    assert seen.size == size and seen.mode == "RGB"
    middle = seen.getpixel((size[0] // 2, size[1] // 2))
    assert max(abs(a - b) for a, b in zip(middle, RED, strict=True)) < 12


FILES = {"a/IMG_1.HEIC": "HEIF", "a/IMG_2.JPG": "JPEG", "IMG_3.jpg": "JPEG"}
FILMS = ("a/IMG_1.MOV", "a/IMG_2.mov", "IMG_3.MP4", "elsewhere/IMG_4.MOV")


@pytest.mark.parametrize("table", ["", "id,title,image\n1,Mug,a/IMG_1.HEIC\n2,Cup,IMG_2\n3,Pot,IMG_3.jpg|IMG_3.MP4\n"])
def test_the_films_of_live_photos_are_left_out_which_is_said_once(tmp_path, table):
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as packed:
        for name, kind in FILES.items():
            packed.writestr(name, red(kind))
        for name in FILMS:
            packed.writestr(name, FILM)
        if table:
            packed.writestr("catalog.csv", table)
    catalog = Catalog.read(tmp_path / "shop.zip")
    assert {p.image for p in catalog} == FILES.keys() and not catalog.refused and not catalog.views
    said = [str(note) for note in catalog.warnings if "Live Photo" in str(note)]
    assert len(said) == 1 and "(3, such as 'IMG_1.MOV')" in said[0]
    named = [note for note in catalog.warnings if note.column == "image" and "film or a damaged" in str(note)]
    assert len(named) == bool(table), "a film that the table names as a picture is told on its own"
