"""What may come in as a picture, what comes out, and what is refused, each with its reason."""

import base64
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pillow_heif
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile

from mmdemo.catalog import decoder_process, imaging
from mmdemo.catalog.imaging import MAX_PIXELS, decode, probe, thumbnail
from mmdemo.core.errors import InputError

# The module silences these for its users; pytest puts them back.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning", "ignore::UserWarning")

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"]
pillow_heif.register_heif_opener()  # so that Pillow can write the HEIC pictures here


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def noise(size=(48, 32), mode="RGB") -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], bands), dtype=np.uint8)
    return Image.fromarray(pixels.squeeze() if bands == 1 else pixels, mode)


def close(colour, expected, tolerance=12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(colour, expected, strict=True))


def png(width: int, height: int, depth=8, colour=2, data=b"") -> bytes:
    """A PNG built by hand, so that its header can claim anything."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def heic_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded(noise(), "HEIF"))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def jpeg_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded(noise(), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_claiming(width: int, height: int) -> bytes:
    data = bytearray(encoded(noise(mode="RGBA"), "WEBP", lossless=False))
    assert data[12:16] == b"VP8X"
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_kind_comes_out_as_rgb_of_the_same_size_and_colour(kind):
    picture = decode(encoded(Image.new("RGB", (20, 10), (200, 40, 90)), kind))
    assert (type(picture), picture.mode, picture.size) == (Image.Image, "RGB", (20, 10))
    assert close(picture.getpixel((5, 5)), (200, 40, 90))


def test_a_path_bytes_an_open_file_and_a_pillow_image_give_the_same_pixels(tmp_path):
    data = encoded(noise(), "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with open(path, "rb") as stream:
        results = [
            decode(path),
            decode(str(path)),
            decode(data),
            decode(bytearray(data)),
            decode(stream),
            decode(noise()),
        ]
        assert not stream.closed
    assert all(result.tobytes() == noise().tobytes() for result in results)


def test_the_content_decides_and_not_the_extension(tmp_path):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(encoded(noise(), "PNG"))
    assert probe(path) == ("PNG", 48, 32)
    assert decode(path).tobytes() == noise().tobytes()


def test_a_pillow_image_that_is_passed_in_stays_as_it_was():
    mine = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    mine.info["comment"] = "mine"
    out = decode(mine, max_side=4)
    assert out is not mine and (mine.mode, mine.size, mine.info) == ("RGBA", (8, 8), {"comment": "mine"})


@pytest.mark.parametrize(("size", "expected"), [((400, 100), (100, 25)), ((100, 400), (25, 100)), ((60, 30), (60, 30))])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_max_side_caps_the_longer_side_keeps_the_shape_and_never_enlarges(kind, size, expected):
    assert decode(encoded(Image.new("RGB", size), kind), max_side=100).size == expected


def test_a_sliver_keeps_at_least_one_pixel():
    assert decode(encoded(Image.new("RGB", (3000, 1)), "PNG"), max_side=50).size == (50, 1)


def test_max_side_below_one_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="max_side") as caught:
        decode(noise(), max_side=0)
    assert not isinstance(caught.value, InputError)


def test_something_that_is_no_source_is_a_mistake_of_the_caller():
    with pytest.raises(TypeError, match="int"):
        decode(42)


# The picture has a red top-left and a green top-right corner once it is upright.
UPRIGHT = np.zeros((16, 24, 3), dtype=np.uint8)
UPRIGHT[:8, :8], UPRIGHT[:8, 16:], UPRIGHT[8:, :8] = RED, GREEN, BLUE
STORED = {  # how a camera that writes each orientation lays the pixels down
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_ends_upright(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](UPRIGHT)))
    lossless = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95, "subsampling": 0}, "HEIF": {"quality": -1}}
    picture = decode(encoded(stored, kind, exif=exif.tobytes(), **lossless.get(kind, {})))
    assert picture.size == (24, 16)
    corners = [picture.getpixel(at) for at in ((2, 2), (21, 2), (2, 13), (21, 13))]
    assert all(close(*pair, 40) for pair in zip(corners, (RED, GREEN, BLUE, (0, 0, 0)), strict=True)), corners


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_changes_nothing(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert close(decode(encoded(Image.fromarray(UPRIGHT), "PNG", exif=exif)).getpixel((2, 2)), RED)


def test_unreadable_exif_is_dropped_and_the_picture_kept():
    data = encoded(noise(), "JPEG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff garbage")
    assert decode(data).size == (48, 32)


def _palette() -> Image.Image:
    image = Image.new("P", (4, 4), 0)
    image.putpalette([0, 0, 0, *RED])
    image.putpixel((1, 1), 1)
    return image


@pytest.mark.parametrize(
    ("data", "seen_at_0_0", "seen_at_1_1"),
    [
        pytest.param(encoded(Image.new("RGBA", (4, 4), (255, 0, 0, 0)), "PNG"), WHITE, WHITE, id="rgba-clear"),
        pytest.param(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG"), (127,) * 3, (127,) * 3, id="rgba-half"),
        pytest.param(encoded(Image.new("LA", (4, 4), (0, 0)), "PNG"), WHITE, WHITE, id="la-clear"),
        pytest.param(encoded(_palette(), "PNG", transparency=0), WHITE, RED, id="palette-index"),
        pytest.param(encoded(_palette(), "PNG", transparency=b"\x00\xff"), WHITE, RED, id="palette-table"),
        pytest.param(encoded(_palette(), "GIF", transparency=0), WHITE, RED, id="gif-index"),
        pytest.param(encoded(Image.new("RGB", (4, 4)), "PNG", transparency=(0, 0, 0)), WHITE, WHITE, id="rgb-key"),
        pytest.param(encoded(Image.new("L", (4, 4)), "PNG", transparency=0), WHITE, WHITE, id="grey-key"),
        pytest.param(encoded(Image.new("RGBA", (4, 4), (9, 9, 9, 0)), "WEBP", lossless=True), WHITE, WHITE, id="webp"),
    ],
)
def test_transparent_parts_show_white(data, seen_at_0_0, seen_at_1_1):
    picture = decode(data)
    assert close(picture.getpixel((0, 0)), seen_at_0_0, 2) and close(picture.getpixel((1, 1)), seen_at_1_1, 2)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, GREEN, BLUE)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert close(decode(data).getpixel((4, 4)), RED)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_levels(kind):
    levels = np.array([[0, 32768, 65535]], dtype=np.uint16)
    picture = decode(encoded(Image.fromarray(levels), kind))
    assert [picture.getpixel((x, 0))[0] for x in range(3)] == [0, 128, 255]


def test_sixteen_bit_colour_is_read():
    row = b"\x00" + struct.pack(">6H", 65535, 0, 0, 0, 32768, 65535)
    picture = decode(png(2, 1, depth=16, colour=2, data=row))
    assert close(picture.getpixel((0, 0)), RED, 1) and close(picture.getpixel((1, 0)), (0, 128, 255), 1)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        pytest.param(np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255], id="floats-to-one"),
        pytest.param(np.array([[0.0, 128.0, 255.0]], np.float32), [0, 128, 255], id="floats-to-255"),
        pytest.param(np.array([[np.nan, np.inf, 1.0]], np.float32), [0, 0, 255], id="not-numbers"),
        pytest.param(np.array([[-5, 128, 255]], np.int32), [0, 128, 255], id="32-bit-small"),
        pytest.param(np.array([[0, 50_000_000, 100_000_000]], np.int32), [0, 128, 255], id="32-bit-large"),
    ],
)
def test_scientific_grey_is_scaled_and_not_clipped(levels, expected):
    picture = decode(encoded(Image.fromarray(levels), "TIFF"))
    assert [picture.getpixel((x, 0))[0] for x in range(3)] == expected


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_prints_as_its_colour(kind):
    picture = decode(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), kind))
    assert close(picture.getpixel((4, 4)), RED, 30)


@pytest.mark.parametrize(
    ("mode", "colour"), [("1", 1), ("L", 255), ("LAB", (255, 128, 128)), ("YCbCr", (255, 128, 128))]
)
def test_other_colour_models_of_white_are_white(mode, colour):
    assert close(decode(Image.new(mode, (4, 4), colour)).getpixel((1, 1)), WHITE, 3)


def _swapped_profile() -> bytes:
    """An sRGB profile with the red and green primaries exchanged, under another name."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_a_colour_profile_is_applied():
    picture = decode(encoded(Image.new("RGB", (8, 8), RED), "PNG", icc_profile=_swapped_profile()))
    assert close(picture.getpixel((4, 4)), GREEN, 8)


@pytest.mark.parametrize("profile", [b"nonsense", b"\x00" * 128, _swapped_profile()[:200]])
def test_a_broken_colour_profile_is_ignored(profile):
    picture = decode(encoded(Image.new("RGB", (8, 8), RED), "PNG", icc_profile=profile))
    assert close(picture.getpixel((4, 4)), RED, 2)


def test_a_profile_under_transparency_is_applied_too():
    picture = decode(encoded(Image.new("RGBA", (8, 8), (*RED, 255)), "PNG", icc_profile=_swapped_profile()))
    assert close(picture.getpixel((4, 4)), GREEN, 8)


def _with_metadata(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encoded(noise(), kind, exif=exif, icc_profile=profile)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_no_metadata_survives_decoding(kind):
    picture = decode(_with_metadata(kind))
    assert picture.info == {} and not dict(picture.getexif())


def test_no_metadata_survives_in_a_thumbnail():
    data = thumbnail(_with_metadata("JPEG"))
    assert not any(mark in data for mark in (b"EXIF", b"ICCP", b"XMP ", b"SecretCamera"))


def test_a_thumbnail_is_a_webp_of_the_wanted_side():
    data = thumbnail(Image.new("RGB", (1000, 500), RED), side=384)
    assert probe(data) == ("WEBP", 384, 192)
    assert close(decode(data).getpixel((100, 100)), RED)


def test_there_is_no_thumbnail_of_what_is_no_picture():
    with pytest.raises(InputError):
        thumbnail(b"no picture")


PNG, JPEG = encoded(noise(), "PNG"), encoded(noise(), "JPEG")
BAD = {
    "empty": b"",
    "one byte": b"\xff",
    "zeros": bytes(4096),
    "text": b"This is a picture of a shoe.",
    "web page": b"<!DOCTYPE html><html><body>404</body></html>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    "svg with a header": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "pdf": b"%PDF-1.7\n%....",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "zip": b"PK\x03\x04" + bytes(60),
    "photoshop": b"8BPS\x00\x01" + bytes(60),
    "heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(40),
    "film": b"\x00\x00\x00\x18ftypisom" + bytes(60),
    "icon": encoded(Image.new("RGB", (16, 16)), "ICO"),
    "ppm": encoded(noise(), "PPM"),
    "targa": encoded(noise(), "TGA"),
    "jpeg 2000": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(60),
    "only a png mark": b"\x89PNG\r\n\x1a\n",
    "only a jpeg mark": b"\xff\xd8\xff",
    "only a gif mark": b"GIF89a",
    "only a bmp mark": b"BM",
    "only a tiff mark": b"II*\x00",
    "only a webp mark": b"RIFF\x00\x00\x00\x00WEBP",
    "png of no size": png(0, 0),
    "png of no pixels": png(8, 8),
    "png with a broken checksum": PNG[:40] + bytes([PNG[40] ^ 255]) + PNG[41:],
    "png of an unknown depth": png(8, 8, depth=77),
    "png with a mark of jpeg": b"\xff\xd8\xff" + PNG[3:],
    "jpeg with a mark of png": b"\x89PNG\r\n\x1a\n" + JPEG[8:],
    "jpeg without its tables": JPEG[:2] + JPEG[JPEG.index(b"\xff\xc0") :],
    "jpeg of no size": jpeg_claiming(0, 0),
    "png bomb": png(12_000, 12_000),
    "png bomb of a line": png(2**31 - 1, 1),
    "png bomb beyond pillow's cap": png(60_000, 60_000),
    "jpeg bomb": jpeg_claiming(12_000, 12_000),
    "jpeg bomb of the largest kind": jpeg_claiming(65_500, 65_500),
    "heic that claims 144 megapixels": heic_claiming(12_000, 12_000),
    "heic of another size": heic_claiming(48, 48),
    "webp bomb": webp_claiming(16_000, 16_000),
    "webp bomb of the largest kind": webp_claiming(16_777_216, 200),
    "one pixel too many": png(MAX_PIXELS + 1, 1),
    **{f"{kind} cut in half": (data := encoded(noise((64, 64)), kind))[: len(data) // 2] for kind in FORMATS},
    **{f"{kind} cut after 24 bytes": encoded(noise((64, 64)), kind)[:24] for kind in FORMATS},
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_refused_in_one_sentence_that_names_it(name, tmp_path):
    path = tmp_path / "shoe 7.jpg"
    path.write_bytes(BAD[name])
    with pytest.raises(InputError) as caught:
        decode(path)
    message = str(caught.value)
    assert "'shoe 7.jpg'" in message and str(tmp_path) not in message and "\n" not in message
    assert message.endswith(".") and len(message) < 250 and "0x" not in message
    if name != "jpeg bomb":  # at an eighth it is no bomb, but a small picture of which most is missing
        with pytest.raises(InputError):
            decode(BAD[name], max_side=32)


@pytest.mark.parametrize("name", [name for name in BAD if "bomb" in name or "too many" in name])
def test_a_bomb_is_refused_from_its_header_and_costs_next_to_nothing(name):
    tracemalloc.start()
    with pytest.raises(InputError, match="megapixels"):
        decode(BAD[name])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_bomb_as_pillow_image_is_refused_unread():
    with pytest.raises(InputError, match="megapixels"):
        decode(Image.open(io.BytesIO(jpeg_claiming(12_000, 12_000))))


def test_a_large_jpeg_below_the_cap_is_scaled_while_it_is_read(monkeypatch):
    data = encoded(Image.new("RGB", (5000, 4000), BLUE), "JPEG")
    seen = []
    load = ImageFile.ImageFile.load

    def watch(image):
        seen.append(image.size)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", watch)
    assert decode(data, max_side=256).size == (256, 205)
    assert seen[0] == (625, 500)  # an eighth, the smallest that the format offers


# A HEIC of 8,064 x 6,048 pixels, blue beside red, as a phone of 48 megapixels writes it: making it takes minutes.
PHONE = (
    "c-rmOPe>F|90&0CX2d2l6?8Q>sobb^jlw9)M4D76gCaW^9V~apUG~+kJFKg1SfHikA!AACAOs$ye}sy+B$qrGMJWkdtWfAdBTMokh$;4F-8^"
    "`R`YAhyes71FH*eneeRkh4Z-)?)X7^rG9X6&AUR=zct<_!3Vkd-NaM`>TvRu*~6;4mMPE@9N$*N*vPIqXKBAHPB;f3B<J`$4kl<#&jR%s8NY"
    "OMx-ViUq=jv6IftH!C!>ssj&WU5Ey#~!9CZhoxg-3qCwHTgrGdS}SO;@lh|@nShoY>{a!U0TvQh*}R(+j@Hh*}^aGE1-1Ml{T^<k&BJ@r;0N"
    ">Dg|S#q_w`*c9Lx6kqt$(&(md<xs<55ot{d?>Eq3tNpu}=N@7*2ZTaVI=jSPHypo_YAJbYyN#diC6sEd<&mf<asCq$+;<M51s<7}0%zBtXJ2"
    "%Mz)0^pu@lU~EaAag?r3|cB8JvIB_i^cG{<rHHL$lWD1O0~d@BW)f=2JVu^YCw*k>!^rn;LV(u_KbXyKwUPvGzdD*W{A@{^8WYhWU>3_424e"
    "uDX*48a=d0O^@CE$IYn|<-h?F3U|rCXsW*@rr;#_y9-4s^h=91x8YMp_C9(6jpnwk!8MkZyaZ-<ufY`>YN4#y3TKmAK10K4@8PVi`UEuGS_f"
    "un%mW`VOrOA?AU*DE)Q9RZU^coPipCWGfJWmS&}95AA9QI<JPSp)HtVoRWbV;nMa&x*hel6B?+Yo7hd!sI3XEQv)nQF)Is?9^!(jB;wi#%25"
    "{$l`x(i)<4?)ev!wr!(>A}eV$Iwgp(8Zn(K!eRAY0y`l%TTk=Ek)e?5_wbDcoh18isztat`26I4(3%I%zKf40~EUc6EmQL`3_Aq(fliO6iqb"
    "IL=#Ok(L@tXG|@y8O*GL&6HPSHL=#Ok(OeIc`ka5tD)KKTbj!j"
)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_of_a_phone_s_largest_camera_is_read_at_an_eighth(progressive):
    """Grey, so that the test is quick: 108 megapixels."""
    data = encoded(Image.new("L", (12_000, 9000), 90), "JPEG", progressive=progressive)
    assert probe(data) == ("JPEG", 12_000, 9000)
    picture = decode(data, max_side=512)
    assert picture.size == (512, 384) and close(picture.getpixel((100, 100)), (90, 90, 90))
    with pytest.raises(InputError, match="12,000 x 9,000 pixels"):  # whole it would take too much memory
        decode(data)


def test_a_panorama_and_two_pictures_in_one_file_are_read():
    assert decode(encoded(Image.new("RGB", (16_000, 3000), BLUE), "JPEG"), max_side=512).size == (512, 96)
    both = io.BytesIO()
    Image.new("RGB", (64, 48), RED).save(both, "MPO", save_all=True, append_images=[Image.new("L", (16, 12))])
    assert probe(both.getvalue())[0] == "JPEG" and close(decode(both.getvalue(), 32).getpixel((9, 9)), RED)


def test_good_heic_pictures_in_a_row_never_fail_whatever_the_one_before_left(monkeypatch):
    good, bad = encoded(noise(), "HEIF"), encoded(noise((64, 64)), "HEIF")[:700]
    for data in (good, bad, good, good):
        if data is bad:
            with pytest.raises(InputError):
                decode(data)
        else:
            assert decode(data).size == (48, 32)
    assert decoder_process._child is not None
    decoder_process._child.kill()  # as the system does for want of memory, while the next picture is on its way
    monkeypatch.setattr(decoder_process._child, "poll", lambda: None)
    assert decode(good).size == (48, 32)


def test_a_heic_of_48_megapixels_is_read_where_there_is_memory_for_it(monkeypatch):
    data = zlib.decompress(base64.b85decode(PHONE))
    monkeypatch.setattr(decoder_process, "memory", lambda: decoder_process.MOST_MEMORY)
    assert probe(data) == ("HEIF", 8064, 6048)
    monkeypatch.setattr(decoder_process, "memory", lambda: decoder_process.LEAST_MEMORY)
    with pytest.raises(InputError, match="at most 27 megapixels of its kind"):
        decode(data, max_side=512)
    monkeypatch.undo()
    if decoder_process.memory() == decoder_process.MOST_MEMORY:  # by what is free now
        picture = decode(data, max_side=512)
        assert picture.size == (512, 384)
        assert close(picture.getpixel((9, 9)), (30, 60, 200)) and close(picture.getpixel((500, 9)), (200, 60, 40))


def test_a_missing_file_a_folder_and_a_text_stream_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no picture 'gone\.jpg'"):
        decode(tmp_path / "gone.jpg")
    with pytest.raises(InputError, match="not a file"):
        decode(tmp_path)
    with pytest.raises(InputError, match="binary"):
        decode(io.StringIO("text"))
    with pytest.raises(InputError, match="no picture"):
        decode("nul\0byte.png")


def test_a_file_beyond_the_byte_cap_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(imaging, "MAX_BYTES", 100)
    path = tmp_path / "big.png"
    path.write_bytes(PNG)
    for source in (path, io.BytesIO(PNG)):
        with pytest.raises(InputError, match="larger than"):
            decode(source)


def test_a_name_with_control_characters_is_shown_harmlessly(tmp_path):
    path = tmp_path / "a\n\x1b[31mred.png"
    path.write_bytes(b"nothing")
    with pytest.raises(InputError) as caught:
        decode(path)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


def test_probe_reads_only_the_header():
    assert probe(PNG[:60] + bytes(10)) == ("PNG", 48, 32)
    assert probe(JPEG) == ("JPEG", 48, 32)


SEEDS = [encoded(noise((12, 9)), kind) for kind in FORMATS]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=8), st.data())
def test_damaged_bytes_are_refused_or_give_an_rgb_image_and_nothing_else(seed, changes, data):
    damaged = bytearray(seed)
    for at, value in changes:
        damaged[at % len(damaged)] = value
    end = data.draw(st.integers(0, len(damaged)))
    for content in (bytes(damaged), bytes(damaged[:end])):
        try:
            picture = decode(content, max_side=64)
        except InputError:
            continue
        assert picture.mode == "RGB" and 1 <= max(picture.size) <= 64 and picture.info == {}


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", *(seed[:16] for seed in SEEDS)]))
def test_random_bytes_behind_any_mark_are_refused_or_give_an_rgb_image(body, mark):
    try:
        assert decode(mark + body).mode == "RGB"
    except InputError as error:
        assert "\n" not in str(error)
