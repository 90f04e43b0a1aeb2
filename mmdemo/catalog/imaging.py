"""Decodes pictures from unknown sources, as no other module does, and makes thumbnails of them.

It takes a path, bytes, an open file or a Pillow image, and returns an upright RGB picture in sRGB without metadata, or
raises InputError. It knows nothing of catalogues, encoders or the web.
"""

import io
import math
import os
import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, TiffImagePlugin

from mmdemo.catalog import decoder_process
from mmdemo.core.errors import InputError
from mmdemo.core.messages import N_, Message

MAX_PIXELS = 40_000_000
MOST_REDUCED = 178_000_000  # pixels of a JPEG whose decoder skips detail: past that, Pillow itself opens none
PROBED = 512  # pixels, the longest side at which a picture is used
MAX_SIDE = 65_535  # pixels; no camera makes a longer line, and a decoder holds at least several lines in memory
MAX_BYTES = 256 * 1024 * 1024
MAX_MEMORY = 360_000_000  # bytes that reading one picture may take
MAX_SCANS = 100  # of a progressive JPEG, each a pass over the whole picture; encoders write about ten
LARGE = (
    4_000_000  # pixels; larger pictures are decoded one at a time, so that many visitors take no more memory than one
)
BAND = 1_000_000  # pixels converted at a time
_one_at_a_time = threading.Lock()

Source = str | os.PathLike | bytes | bytearray | memoryview | IO[bytes] | Image.Image

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
_JPEGS = ("JPEG", "MPO")  # MPO is Pillow's name for a JPEG with a second picture in it, as phones write them
_IN_CHILD = ("AVIF", "HEIF")  # decoded by `decoder_process`
NAMELESS = N_("The picture")  # what a message calls a picture without a file name
SUFFIXES = frozenset(".jpg .jpeg .jpe .png .webp .gif .bmp .tif .tiff .avif .heic .heif".split())
READABLE = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC"

# What Pillow and its codecs raise on damaged files: caught in `_pillow_errors_as_input_errors` alone.
PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    EOFError,
    RuntimeError,
    MemoryError,
    AssertionError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

# Pillow warns of large pictures (the limit here is lower, and raises) and of odd metadata (which is dropped).
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112


def decode(source: Source, max_side: int | None = None) -> Image.Image:
    """Decode a picture to RGB: first frame, upright, transparent parts on white, colours in sRGB, no metadata.

    It takes less than 400 MB of memory, whatever size the file claims to have; the process that decodes AVIF and HEIC
    takes up to `decoder_process.memory`.

    Parameters
    ----------
    source : path, bytes or PIL.Image.Image
        A path, the bytes of a file, or a picture that Pillow has opened.
    max_side : int, optional
        The longest that the longer side may be, in pixels; a larger picture is reduced, none is enlarged.

    Returns
    -------
    PIL.Image.Image
        A picture of mode "RGB".

    Raises
    ------
    InputError
        One sentence, where the file is no picture, is damaged, or has too many pixels.

    Examples
    --------
    >>> picture = decode(Image.new("RGBA", (400, 200)), max_side=100)
    >>> picture.mode, picture.size, picture.getpixel((0, 0))
    ('RGB', (100, 50), (255, 255, 255))
    """
    if max_side is not None and max_side < 1:
        raise ValueError(f"max_side must be at least 1, got {max_side}")
    return _decode(source, max_side, in_child=True)


def decode_here(data: bytes, max_side: int | None = None) -> Image.Image:
    """`decode` within this process for every kind of picture: `decoder_child` calls it."""
    return _decode(data, max_side, in_child=False)


def _decode(source: Source, max_side: int | None, in_child: bool) -> Image.Image:
    name = _name(source)
    with _pillow_errors_as_input_errors(name):
        with _opened(source, name, max_side) as (image, stream):
            if in_child and image.format in _IN_CHILD and stream:
                stream.seek(0)
                return decoder_process.decode(stream.read(), max_side)
            if max_side and image.format in _JPEGS and not isinstance(source, Image.Image):
                # The JPEG decoder itself skips detail, which takes a fraction of the time and memory.
                image.draft(None, _reduced_size(image, max_side))
            large = image.width * image.height > LARGE or "progressive" in image.info
            with _one_at_a_time if large else nullcontext():
                image.load()
                rgb, transposition = _to_rgb(image, max_side), _transposition(image)
        return rgb.transpose(transposition) if transposition is not None else rgb


def probe(source: Source) -> tuple[str, int, int]:
    """(kind, width, height) from the header alone, which is cheap but does not show whether the pixels are good.

    Sizes are as stored, before any EXIF rotation. Raises InputError for what `decode` would refuse by its header.
    """
    name = _name(source)
    with _pillow_errors_as_input_errors(name), _opened(source, name, PROBED) as (image, _):
        kind = "JPEG" if image.format in _JPEGS else image.format or ""
        return kind, image.width, image.height


def thumbnail(source: Source, side: int = 384) -> bytes:
    """`source` as WebP without metadata, its longer side at most `side` pixels; raises InputError as `decode` does."""
    content = io.BytesIO()
    decode(source, max_side=side).save(content, "WEBP", quality=60, method=6)
    return content.getvalue()


@contextmanager
def _pillow_errors_as_input_errors(name: str) -> Iterator[None]:
    """Turn any exception of Pillow into an InputError of one sentence about the picture."""
    try:
        yield
    except InputError as error:
        message = error.message
        if message.values.get("name") == NAMELESS:  # raised by the decoder process, which knows no names
            raise InputError(message.template, **{**message.values, "name": name}) from error
        raise
    except Image.DecompressionBombError as error:
        most = MAX_PIXELS // 1_000_000
        raise InputError("{name} has too many pixels; at most {n} megapixels are read.", name=name, n=most) from error
    except MemoryError as error:
        raise InputError("{name} needs more memory than there is; save a smaller copy.", name=name) from error
    except PILLOW_ERRORS as error:
        detail = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
        raise InputError(
            "{name} is damaged or incomplete and cannot be read ({detail}).", name=name, detail=detail
        ) from error


@contextmanager
def _opened(source: Source, name: str, max_side: int | None) -> Iterator[tuple[Image.Image, IO[bytes] | None]]:
    """The picture with its header read, its size checked for being used at `max_side`, and its pixels not yet decoded;
    and its bytes."""
    if isinstance(source, Image.Image):
        if source.format is not None and source.format not in (*_kinds(), *_JPEGS):
            raise InputError(
                "{name} is of the kind {kind}; expected {kinds}.", name=name, kind=source.format, kinds=READABLE
            )
        _check_size(source, name, None)
        yield source, None
        return
    stream = _stream(source, name)
    try:
        head = stream.read(32)
        stream.seek(0)
        if not head:
            raise InputError("{name} is empty; expected a {kinds} picture.", name=name, kinds=READABLE)
        _check_header(head, name)
        try:
            image = Image.open(stream, formats=_kinds())
        except Image.UnidentifiedImageError as error:
            content = Message(_content(head))
            raise InputError(
                "{name} is {guess}; expected a {kinds} picture.", name=name, guess=content, kinds=READABLE
            ) from error
        try:
            _check_size(image, name, max_side)
            if "progressive" in image.info:
                _check_scans(stream, name)
            yield image, stream
        finally:
            image.close()  # frees its pixels too
    finally:
        stream.close()


def _stream(source: Source, name: str) -> IO[bytes]:
    assert not isinstance(source, Image.Image)
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source)
    if isinstance(source, str | os.PathLike):
        try:
            status = os.stat(source)
        except (OSError, ValueError) as error:
            raise InputError("There is no picture {name}.", name=name) from error
        if not stat.S_ISREG(status.st_mode):
            raise InputError("{name} is not a file; expected a {kinds} picture.", name=name, kinds=READABLE)
        if status.st_size > MAX_BYTES:
            raise InputError("{name} is larger than {n} MB; save a smaller copy.", name=name, n=MAX_BYTES >> 20)
        try:
            return open(source, "rb")
        except OSError as error:
            raise InputError("{name} cannot be opened ({reason}).", name=name, reason=error.strerror) from error
    data = source.read(MAX_BYTES + 1)
    if not isinstance(data, bytes):
        raise InputError("{name} was opened as text; open it in binary mode.", name=name)
    if len(data) > MAX_BYTES:
        raise InputError("{name} is larger than {n} MB; save a smaller copy.", name=name, n=MAX_BYTES >> 20)
    return io.BytesIO(data)


def _check_size(image: Image.Image, name: str, max_side: int | None) -> None:
    if image.format in _IN_CHILD:
        most = 9 * decoder_process.memory() // (10 * _BYTES_PER_PIXEL[image.format])
        _check_pixels(image.width, image.height, name, most=most)
        return
    if image.format in _JPEGS and max_side and (reduction := _reduction(image, max_side)) > 1:
        costs = 8 / reduction**2 + ("progressive" in image.info) * 2 * _samples(image)
        _check_pixels(image.width, image.height, name, most=min(MOST_REDUCED, int(MAX_MEMORY / costs)))
        return
    costs = _BYTES_PER_PIXEL.get(image.format or "", 8)
    if "progressive" in image.info:  # two bytes for each coefficient, besides the picture itself
        costs = max(costs, 4 + 2 * len(image.getbands()))
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # one stored strip may be the whole picture
        bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (8,))
        costs = max(costs, 4 + -(-sum(bits if isinstance(bits, tuple) else (bits,)) // 8))
    _check_pixels(image.width, image.height, name, costs)


def _reduced_size(image: Image.Image, max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(image.size))
    return math.ceil(image.width * scale), math.ceil(image.height * scale)


def _reduction(image: Image.Image, max_side: int) -> int:
    """By how much the JPEG decoder divides each side of a picture that is used at `max_side`, as `Image.draft` says."""
    width, height = _reduced_size(image, max_side)
    room = min(image.width // max(width, 1), image.height // max(height, 1))
    return next(factor for factor in (8, 4, 2, 1) if factor <= max(room, 1))


def _samples(image: Image.Image) -> float:
    """Coefficients that a JPEG has for each pixel: three, or half of that where it has colours at half size."""
    layers = [(across, down) for _, across, down, _ in getattr(image, "layer", ())]
    if not layers:
        return float(len(image.getbands()))
    largest = max(across for across, _ in layers) * max(down for _, down in layers)
    return sum(across * down for across, down in layers) / max(largest, 1)


# Measured peaks of the codec and this module: the pixels as Pillow keeps them (4 bytes) and the RGB made of them (4),
# or the copies that the codec makes before.
_BYTES_PER_PIXEL = {"WEBP": 17, "AVIF": 20, "HEIF": 13}


def _check_pixels(width: int, height: int, name: str, costs: int = 8, most: int | None = None) -> None:
    if width < 1 or height < 1:
        raise InputError("{name} has no pixels.", name=name)
    most = min(MAX_PIXELS, MAX_MEMORY // costs) if most is None else most
    if width * height > most:
        raise InputError(
            "{name} has {width:,} x {height:,} pixels; at most {n} megapixels of its kind are read, so save a "
            "smaller copy.",
            name=name,
            width=width,
            height=height,
            n=most // 1_000_000,
        )
    if max(width, height) > MAX_SIDE:
        longest = max(width, height)
        raise InputError(
            "{name} is {n:,} pixels long; at most {most:,} pixels a side are read.",
            name=name,
            n=longest,
            most=MAX_SIDE,
        )


def _check_scans(stream: IO[bytes], name: str) -> None:
    """Refuse a JPEG of thousands of tiny scans, of which a few kilobytes would take the decoder hours."""
    position, scans, last = stream.tell(), 0, b""
    stream.seek(0)
    while block := stream.read(1 << 20):
        scans += (last + block).count(b"\xff\xda")
        last = block[-1:]
    stream.seek(position)
    if scans > MAX_SCANS:
        raise InputError(
            "{name} is a JPEG in {n:,} scans; at most {most} are read, so save it again.",
            name=name,
            n=scans,
            most=MAX_SCANS,
        )


def _check_header(head: bytes, name: str) -> None:
    """Refuse a picture that Pillow would spend much memory on while opening it."""
    if head[:4] == b"RIFF" and head[8:15] == b"WEBPVP8" and len(head) >= 30:
        # The WebP reader allocates its canvas on opening, so its size is read here first.
        if head[15:16] == b"X":
            width = int.from_bytes(head[24:27], "little") + 1
            height = int.from_bytes(head[27:30], "little") + 1
        elif head[15:16] == b"L":
            bits = int.from_bytes(head[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        else:
            width = int.from_bytes(head[26:28], "little") & 0x3FFF
            height = int.from_bytes(head[28:30], "little") & 0x3FFF
        _check_pixels(width, height, name, _BYTES_PER_PIXEL["WEBP"])


@lru_cache(maxsize=1)
def _kinds() -> tuple[str, ...]:
    """The kinds that are read, with Pillow's plug-ins for all of them registered."""
    import pillow_heif  # here: only decoding needs this codec

    Image.preinit()
    pillow_heif.register_heif_opener()
    return KINDS


def _content(head: bytes) -> str:
    """What a file that is no picture seems to hold, by its first bytes."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:16].lower()
    for magic, kind in (
        (b"%pdf", N_("a PDF")),
        (b"<svg", N_("an SVG drawing")),
        (b"<?xml", N_("an XML or SVG file")),
        (b"<!doctype", N_("a web page")),
        (b"<html", N_("a web page")),
        (b"pk\x03\x04", N_("a ZIP archive")),
        (b"8bps", N_("a Photoshop file")),
        (b"version https://", N_("a Git LFS pointer")),
    ):
        if start.startswith(magic):
            return kind
    if head[4:8] == b"ftyp":
        return N_("a film or a damaged HEIC or AVIF picture")
    return N_("not a picture that can be read")


def _name(source: Source) -> str:
    """What a message calls the picture: its file name where it has one, never its folder."""
    if isinstance(source, str | os.PathLike):
        name = os.path.basename(os.fspath(source)) or str(source)
    elif not isinstance(source, bytes | bytearray | memoryview | Image.Image) and not hasattr(source, "read"):
        raise TypeError(f"expected a path, bytes, an open file or a Pillow image, got {type(source).__name__}")
    else:
        path = getattr(source, "name", None) or getattr(source, "filename", None)
        name = os.path.basename(path) if isinstance(path, str) else ""
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    printable = "".join(c if c.isprintable() else "?" for c in name)
    return f"'{printable[:100]}'" if printable else Message(NAMELESS)


def _transposition(image: Image.Image) -> Image.Transpose | None:
    try:
        return _TRANSPOSE.get(image.getexif().get(_ORIENTATION, 1))
    except PILLOW_ERRORS:  # readable pixels are not refused for unreadable EXIF data
        return None


def _to_rgb(image: Image.Image, max_side: int | None) -> Image.Image:
    """The picture in eight bits and sRGB, alpha on white, on a new canvas, so that no metadata comes along.

    It is converted in bands of rows, each reduced by a whole factor at once, so that a large one takes little memory
    besides itself and the canvas.
    """
    width, height = image.size
    scale = max_side / max(width, height) if max_side and max_side < max(width, height) else 1.0
    factor = int(1 / scale / 3.0) or 1  # as `reducing_gap=3.0`: at least a factor of three is left to the better filter
    rows = max(1, BAND // (width * factor)) * factor
    convert = _converter(image, rows)
    canvas = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for top in range(0, height, rows):
        band = convert(image.crop((0, top, width, min(top + rows, height))))
        canvas.paste(band.reduce(factor) if factor > 1 else band, (0, top // factor))
    if scale == 1.0:
        return canvas
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return canvas.resize(size, Image.Resampling.LANCZOS, box=(0, 0, width / factor, height / factor))


def _converter(image: Image.Image, rows: int) -> Callable[[Image.Image], Image.Image]:
    """The function that turns any band of this picture into RGB."""
    if image.mode.startswith("I") or image.mode == "F":
        grey = _to_eight_bits(image, rows)
        return lambda band: grey(band).convert("RGB")
    opaque = image.mode not in ("La", "LA", "PA", "RGBA", "RGBa")
    kept = image.mode if opaque and not image.has_transparency_data else "RGB"
    to_srgb = _to_srgb({"1": "L", "P": "RGB"}.get(kept, kept), image.info.get("icc_profile"))
    if not image.has_transparency_data:
        return lambda band: to_srgb(band.convert("L" if band.mode == "1" else "RGB" if band.mode == "P" else band.mode))

    def on_white(band: Image.Image) -> Image.Image:
        band = (band.convert("LA") if band.mode == "La" else band).convert("RGBA")
        white = Image.new("RGB", band.size, "white")
        white.paste(to_srgb(band.convert("RGB")), mask=band.getchannel("A"))
        return white

    return on_white


def _to_srgb(mode: str, profile: bytes | None) -> Callable[[Image.Image], Image.Image]:
    """The function that turns pixels of this mode and colour profile into sRGB."""
    try:
        source = None
        if mode == "LAB":
            source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        elif profile and mode in ("RGB", "L", "CMYK"):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "srgb" in ImageCms.getProfileDescription(source).lower():
                source = None
        if source is not None:
            transform = ImageCms.buildTransform(source, _srgb(), mode, "RGB")
            return lambda band: ImageCms.applyTransform(band, transform) or band
    except (ImageCms.PyCMSError, *PILLOW_ERRORS):
        pass  # a broken or unfitting profile: the plain conversion is close enough
    return lambda band: band.convert("RGB")


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _to_eight_bits(image: Image.Image, rows: int) -> Callable[[Image.Image], Image.Image]:
    """Grey levels of 16 or 32 bits, or floats, as 8 bits; Pillow alone would clip them to white."""

    def levels(band: Image.Image) -> NDArray[np.float32]:
        return np.nan_to_num(np.asarray(band, dtype=np.float32), posinf=0.0, neginf=0.0)

    if image.mode.startswith("I;16"):
        share = 1 / 257.0
    else:
        bands = (image.crop((0, y, image.width, min(y + rows, image.height))) for y in range(0, image.height, rows))
        top = max(float(levels(band).max(initial=0.0)) for band in bands)
        share = 1.0
        if image.mode == "F" and top <= 1.0:
            share = 255.0
        elif top > 65535.0:
            share = 255.0 / top
        elif top > 255.0:
            share = 1 / 257.0
    return lambda band: Image.fromarray(np.clip(np.rint(levels(band) * share), 0, 255).astype(np.uint8))
