"""Pictures from strangers: the only place that decodes one.

A path, bytes, an open file or a Pillow image comes in; an upright RGB picture in sRGB without metadata goes out,
or an InputError. Knows nothing of catalogues, encoders or the web.
"""

import io
import math
import os
import stat
import struct
import uuid
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageCms

from mmdemo.errors import InputError

MAX_PIXELS = 40_000_000
MAX_BYTES = 256 * 1024 * 1024
_CAP = f"{MAX_PIXELS // 1_000_000} megapixels"

Source = str | os.PathLike | bytes | bytearray | memoryview | IO[bytes] | Image.Image

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_JPEGS = (
    "JPEG",
    "MPO",
)  # Pillow opens a JPEG with a second picture in it, as phones write them, under a name of its own
SUFFIXES = frozenset(".jpg .jpeg .jpe .png .webp .gif .bmp .tif .tiff .avif .heic .heif".split())
READABLE = "JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF"

# What Pillow and its codecs raise on damaged files, beside their own two: caught in `_blaming` and nowhere else.
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

# Pillow warns on standard error of large pictures (the cap here is lower and raises) and of odd metadata (dropped).
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
    """The picture as RGB: first frame, upright, transparent parts on white, colours in sRGB, no metadata.

    With `max_side` the longer side is at most that many pixels (never enlarged). Raises InputError.
    """
    if max_side is not None and max_side < 1:
        raise ValueError(f"max_side must be at least 1, got {max_side}")
    name = _name(source)
    with _blaming(name), _opened(source, name) as image:
        if max_side and image.format in _JPEGS and not isinstance(source, Image.Image):
            # Lets the JPEG decoder itself skip detail: a fraction of the time and memory.
            scale = min(1.0, max_side / max(image.size))
            image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
        image.load()
        upright = _upright(image)
        rgb = _rgb(upright)
        if max_side and max(rgb.size) > max_side:
            scale = max_side / max(rgb.size)
            size = max(1, round(rgb.width * scale)), max(1, round(rgb.height * scale))
            rgb = rgb.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        # Drawn onto a fresh canvas: nothing but pixels can come along.
        clean = Image.new("RGB", rgb.size)
        clean.paste(rgb)
        return clean


def probe(source: Source) -> tuple[str, int, int]:
    """(kind, width, height) from the header alone: cheap, and a good header does not promise good pixels.

    Sizes are as stored, before any EXIF rotation. Raises InputError for what `decode` would refuse unread.
    """
    name = _name(source)
    with _blaming(name), _opened(source, name) as image:
        kind = "JPEG" if image.format in _JPEGS else image.format or ""
        return kind, image.width, image.height


def thumbnail(source: Source, path: str | os.PathLike, side: int = 384) -> None:
    """Write `source` to `path` as WebP without metadata, its longer side at most `side` pixels.

    The file appears whole or not at all. Raises InputError for the source, OSError for the target.
    """
    path = Path(path)
    image = decode(source, max_side=side)
    path.parent.mkdir(parents=True, exist_ok=True)
    half_done = path.with_name(f".{path.name[:80]}.{uuid.uuid4().hex}.tmp")
    try:
        image.save(half_done, "WEBP", quality=82, method=4)
        os.replace(half_done, path)
    finally:
        half_done.unlink(missing_ok=True)


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Turn whatever Pillow raises into one sentence about the picture."""
    try:
        yield
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError(f"{name} has too many pixels; at most {_CAP} are read.") from error
    except MemoryError as error:
        raise InputError(f"{name} needs more memory than there is; save a smaller copy.") from error
    except PILLOW_ERRORS as error:
        detail = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
        raise InputError(f"{name} is damaged or incomplete and cannot be read ({detail}).") from error


@contextmanager
def _opened(source: Source, name: str) -> Iterator[Image.Image]:
    """The picture with its header read and its size within the cap; pixels not yet decoded."""
    if isinstance(source, Image.Image):
        if source.format is not None and source.format not in (*_kinds(), *_JPEGS):
            raise InputError(f"{name} is of the kind {source.format}; expected {READABLE}.")
        _check_size(source, name)
        yield source
        return
    stream = _stream(source, name)
    try:
        head = stream.read(32)
        stream.seek(0)
        if not head:
            raise InputError(f"{name} is empty; expected a {READABLE} picture.")
        _check_header(head, name)
        try:
            image = Image.open(stream, formats=_kinds())
        except Image.UnidentifiedImageError as error:
            raise InputError(f"{name} is {_guess(head)}; expected a {READABLE} picture.") from error
        with image:
            _check_size(image, name)
            yield image
    finally:
        stream.close()


def _stream(source: Source, name: str) -> IO[bytes]:
    assert not isinstance(source, Image.Image)
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source)
    if isinstance(source, str | os.PathLike):
        try:
            found = os.stat(source)
        except (OSError, ValueError) as error:
            raise InputError(f"There is no picture {name}.") from error
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{name} is not a file; expected a {READABLE} picture.")
        if found.st_size > MAX_BYTES:
            raise InputError(f"{name} is larger than {MAX_BYTES >> 20} MB; save a smaller copy.")
        try:
            return open(source, "rb")
        except OSError as error:
            raise InputError(f"{name} cannot be opened ({error.strerror}).") from error
    data = source.read(MAX_BYTES + 1)
    if not isinstance(data, bytes):
        raise InputError(f"{name} was opened as text; open it in binary mode.")
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES >> 20} MB; save a smaller copy.")
    return io.BytesIO(data)


def _check_size(image: Image.Image, name: str) -> None:
    _check_pixels(image.width, image.height, name)


def _check_pixels(width: int, height: int, name: str) -> None:
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels.")
    if width * height > MAX_PIXELS:
        raise InputError(f"{name} has {width:,} x {height:,} pixels; at most {_CAP} are read, so save a smaller copy.")


def _check_header(head: bytes, name: str) -> None:
    """Refuse what opening alone would make expensive or what a missing plug-in cannot read."""
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
        _check_pixels(width, height, name)
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevx"):
        if "HEIF" not in _kinds():
            raise InputError(f"{name} is a HEIC picture; install pillow-heif to read it, or save it as JPEG.")


@lru_cache(maxsize=1)
def _kinds() -> tuple[str, ...]:
    """The kinds that are read; HEIC joins them where pillow-heif is installed."""
    Image.preinit()
    try:
        import pillow_heif  # type: ignore[import-not-found]
    except ImportError:
        return KINDS
    pillow_heif.register_heif_opener()
    return (*KINDS, "HEIF")


def _guess(head: bytes) -> str:
    """What a file that is no picture seems to be."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:16].lower()
    for magic, kind in (
        (b"%pdf", "a PDF"),
        (b"<svg", "an SVG drawing"),
        (b"<?xml", "an XML or SVG file"),
        (b"<!doctype", "a web page"),
        (b"<html", "a web page"),
        (b"pk\x03\x04", "a ZIP archive"),
        (b"8bps", "a Photoshop file"),
        (b"version https://", "a Git LFS pointer"),
    ):
        if start.startswith(magic):
            return kind
    return "a film or a damaged HEIC or AVIF picture" if head[4:8] == b"ftyp" else "not a picture that can be read"


def _name(source: Source) -> str:
    """How a message calls the picture: its file name where it has one, never its folder."""
    if isinstance(source, str | os.PathLike):
        name = os.path.basename(os.fspath(source)) or str(source)
    elif not isinstance(source, bytes | bytearray | memoryview | Image.Image) and not hasattr(source, "read"):
        raise TypeError(f"expected a path, bytes, an open file or a Pillow image, got {type(source).__name__}")
    else:
        given = getattr(source, "name", None) or getattr(source, "filename", None)
        name = os.path.basename(given) if isinstance(given, str) else ""
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    printable = "".join(c if c.isprintable() else "?" for c in name)
    return f"'{printable[:100]}'" if printable else "The picture"


def _upright(image: Image.Image) -> Image.Image:
    try:
        turn = _TRANSPOSE.get(image.getexif().get(_ORIENTATION, 1))
    except PILLOW_ERRORS:  # unreadable EXIF is no reason to refuse readable pixels
        turn = None
    return image.transpose(turn) if turn is not None else image


def _rgb(image: Image.Image) -> Image.Image:
    """Eight bits, sRGB, alpha on white."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I") or image.mode == "F":
        image, profile = _eight_bits(image), None
    if image.has_transparency_data:
        image = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        alpha = image.getchannel("A")
        canvas = Image.new("RGB", image.size, "white")
        canvas.paste(_to_srgb(image.convert("RGB"), profile), mask=alpha)
        return canvas
    if image.mode in ("1", "P"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return _to_srgb(image, profile)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    own = None
    try:
        if image.mode == "LAB":
            own = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        elif profile and image.mode in ("RGB", "L", "CMYK"):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "srgb" in ImageCms.getProfileDescription(own).lower():
                own = None
        if own is not None:
            return ImageCms.profileToProfile(image, own, _srgb(), outputMode="RGB") or image
    except (ImageCms.PyCMSError, *PILLOW_ERRORS):
        pass  # a broken or mismatched profile: the plain conversion below is close enough
    return image.convert("RGB")


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey levels of 16 or 32 bits, or floats, as 8 bits; Pillow alone would clip them to white."""
    levels = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
    top = float(levels.max(initial=0.0))
    if image.mode.startswith("I;16"):
        levels = levels / 257.0
    elif image.mode == "F" and top <= 1.0:
        levels = levels * 255.0
    elif top > 65535.0:
        levels = levels * (255.0 / top)
    elif top > 255.0:
        levels = levels / 257.0
    return Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))
