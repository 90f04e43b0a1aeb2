"""Pictures that no camera made: cut, lying, bombs, polyglots, and files of other kinds, each made by code.

`corpus()` gives name -> bytes; the part of a name before the colon is its sort. None may do more than be refused in one
sentence or come out as plain RGB pixels.
"""

import base64
import io
import random
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, ImageCms

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


# A flat AVIF of 12,000 x 9,000 pixels whose container says 100 x 100: making it takes a gigabyte, so here it is.
HUGE_INSIDE = (
    "c-muNU{FXasVqn=%S>Yc0uY^>nP!-qnV9D5Xy^zOdYzkElE?r7iWw<6MNl?FL1uCZ0~+8f$SlbPvlxL`E;A=T8N_h`@fjhajKT~I"
    "Y-K>UMrLMS8eFXukdw*;<t3IG7&_<Y<b&<X$}A`<0Mg!>1<Cn9S|qc$AQfs~3KR<zWL9K?1eiHEIDiySVws_Hqdi!SaB_Z5QC@OR"
    "1<+((2DS#Eka%W6F3e9rhp{j+HM0O+RhOHRSR%y0#clsR?|#qRB`hXV4n|LSg!w-uwY>lT|6}?C28NLHr!<dGvAMnedv{*?vVSI8"
    "_t(5#^inXF&w8!t(o_Y0R;kY_hNeYN&o*>UTFoo$+c~NIPucvv@!19ajRuQ5Z>Z0@P|Fq<RBCr&>x`<mu@7tyWu7_KFqBLUCfd~Q"
    "n61;rT|-vQ(~<wZaKHV&lD_iUqRqxVTml=<oUV|t)o+tX*|aY+ec}g~(O?}7)}a%uld0|0-{HaktuEazUd%r0TGWZI%u=I{-6nZD"
    "CjUR}{51JWaW}`=9gjtC9$9j(y6;&`__5I58(S488-6}oeB_ydp1~%2gZ-KbqmClhQB+P6Sye&(YYJs6BIdF@`^U@pEcK0$jeeS5"
    "zt<7(;H2xNOb!dW8D6IPOymE+K6S^#d#<)oK@A5dZob{wDEPkV+b<oSLyLC+09tTs82"
)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def noise(width: int = 40, height: int = 30, mode: str = "RGB", seed: int = 0) -> Image.Image:
    bands = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, (width, height), random.Random(seed).randbytes(width * height * bands))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, width: int = 8, height: int = 8, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    """A PNG with this header and these chunks after it."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


PIXELS = chunk(b"IDAT", zlib.compress(bytes(25 * 8)))


def jpeg_sized(width: int, height: int, **options: object) -> bytes:
    data = bytearray(encoded(noise(), "JPEG", **options))
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def webp(*chunks: bytes, size: int | None = None) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def webp_canvas(width: int, height: int, flags: int = 0) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size)


def tiff(tags: dict[int, tuple[int, int, int]], data: bytes = bytes(300), following: int = 0) -> bytes:
    """A little-endian TIFF: tag -> (type, count, value); the data lies at offset 8, the directory behind it."""
    data += bytes(len(data) % 2)
    entries = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(tags.items()))
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory


PLAIN_TIFF = {
    256: (3, 1, 10),
    257: (3, 1, 10),
    258: (3, 1, 8),
    259: (3, 1, 1),
    262: (3, 1, 1),
    273: (4, 1, 8),
    277: (3, 1, 1),
    278: (3, 1, 10),
    279: (4, 1, 100),
}


def bmp(
    width: int, height: int, bits: int = 24, compression: int = 0, colours: int = 0, data: bytes = bytes(300)
) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54) + header + data


def gif(width: int, height: int, *blocks: bytes) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + b"".join(blocks) + b";"


def gif_frame(width: int, height: int, x: int = 0, y: int = 0, data: bytes = b"\x02\x02\x4c\x01\0") -> bytes:
    return b"," + struct.pack("<HHHHB", x, y, width, height, 0) + data


def avif_claiming(width: int, height: int, real: tuple[int, int] = (40, 30)) -> bytes:
    """An AVIF whose container says one size and whose stream holds another."""
    data = bytearray(encoded(noise(*real), "AVIF", speed=10))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def many_scans(count: int, side: int) -> bytes:
    """A progressive JPEG that sends the same coefficients `count` times over."""
    data = jpeg_sized(side, side, progressive=True)
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    return data[:second] + data[second:-2] * count + b"\xff\xd9"


def zeros_packed(count: int) -> bytes:
    """So many zero bytes as a zlib stream, made a piece at a time."""
    pack = zlib.compressobj(9)
    block = bytes(1 << 20)
    parts = [pack.compress(block[: min(1 << 20, count - at)]) for at in range(0, count, 1 << 20)]
    return b"".join([*parts, pack.flush()])


def _cut() -> Iterator[tuple[str, bytes]]:
    for kind in KINDS:
        data = encoded(noise(64, 48), kind)
        places = [1, 2, 4, 8, 12, 16, 20, 25, 33, 50, *(len(data) * n // 8 for n in range(1, 8)), len(data) - 1]
        for at in sorted({place for place in places if 0 < place < len(data)}):
            yield f"{kind} after {at} bytes", data[:at]


def _flipped() -> Iterator[tuple[str, bytes]]:
    chance = random.Random(1)
    for kind in KINDS:
        whole = encoded(noise(), kind)
        for number in range(6):
            data = bytearray(whole)
            for _ in range(1 + 3 * number):
                data[chance.randrange(len(data) if number % 2 else min(64, len(data)))] ^= 1 << chance.randrange(8)
            yield f"{kind} {number}", bytes(data)


def _sized() -> Iterator[tuple[str, bytes]]:
    for width, height in ((0, 0), (0, 5), (5, 0), (1, 65535), (65535, 65535), (30000, 30000)):
        yield f"PNG {width}x{height}", png(PIXELS, width=width, height=height)
        yield f"JPEG {width}x{height}", jpeg_sized(width, height)
        yield f"GIF {width}x{height}", gif(width, height, gif_frame(width, height))
        yield f"BMP {width}x{height}", bmp(width, height)
        tags = {**PLAIN_TIFF, 256: (4, 1, width), 257: (4, 1, height)}
        yield f"TIFF {width}x{height}", tiff(tags)
        yield f"AVIF {width}x{height}", avif_claiming(width, height)
    for width, height in ((2**31 - 1, 2**31 - 1), (2**32 - 1, 1), (2**31, 2**31)):
        yield f"PNG {width}x{height}", png(PIXELS, width=width, height=height)
        yield f"AVIF {width}x{height}", avif_claiming(width, height)
        yield f"TIFF {width}x{height}", tiff({**PLAIN_TIFF, 256: (4, 1, width), 257: (4, 1, height)})
    yield "BMP upside down", bmp(10, -10)
    yield "BMP least height", bmp(10, -(2**31))
    yield "BMP negative width", bmp(-10, 10)
    yield "WEBP canvas of 2^24", webp(webp_canvas(2**24, 2**24), webp_chunk(b"VP8L", b"\x2f" + bytes(9)))
    yield "WEBP lossless 16384", webp(webp_chunk(b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(9)))
    yield "WEBP lossy 16383", webp(webp_chunk(b"VP8 ", bytes(3) + b"\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(9)))
    yield "AVIF small outside, large inside", avif_claiming(40, 30, real=(3000, 2000))
    yield "AVIF large outside, small inside", avif_claiming(5000, 4000)


def _bombs() -> Iterator[tuple[str, bytes]]:
    zeros = zeros_packed(30_000_000)
    text = zlib.compress(b"a" * 80_000_000, 9)
    yield "PNG pixels beyond the picture", png(chunk(b"IDAT", zeros))
    yield "PNG text", png(chunk(b"zTXt", b"k\0\0" + text), PIXELS)
    yield "PNG international text", png(chunk(b"iTXt", b"k\0\1\0\0\0" + text), PIXELS)
    yield "PNG profile", png(chunk(b"iCCP", b"k\0\0" + text), PIXELS)
    yield "PNG text, ten thousand times", png(chunk(b"tEXt", b"k\0" + b"v" * 50) * 10_000, PIXELS)
    yield "PNG at the cap, one line", png(chunk(b"IDAT", zeros_packed(120_000_001)), width=40_000_000, height=1)
    yield "PNG at the cap, interlaced", png(chunk(b"IDAT", zeros), width=8000, height=5000, interlace=1)
    for name, depth, colour, pixel in (
        ("grey", 8, 0, 1),
        ("deep grey", 16, 0, 2),
        ("colour", 8, 2, 3),
        ("alpha", 8, 6, 4),
        ("deep alpha", 16, 6, 8),
        ("grey alpha", 8, 4, 2),
    ):
        body = chunk(b"IDAT", zeros_packed((8000 * pixel + 1) * 5000))
        yield f"PNG at the cap, {name}", png(body, width=8000, height=5000, depth=depth, colour=colour)
    beyond = chunk(b"IDAT", zeros_packed((11_000 * 3 + 1) * 11_000))  # what Pillow alone would read, in 480 MB
    yield "PNG of three times the cap", png(beyond, width=11_000, height=11_000)
    yield "JPEG of thousands of scans", many_scans(400, 6000)
    yield "JPEG of as many scans as are read", many_scans(10, 5000)
    yield (
        "JPEG comments",
        encoded(noise(), "JPEG")[:2] + (b"\xff\xfe\xff\xff" + bytes(65533)) * 200 + encoded(noise(), "JPEG")[2:],
    )
    yield "GIF of 5,000 frames", gif(64, 64, gif_frame(64, 64) * 5000)
    yield "GIF frame beyond its screen", gif(10, 10, gif_frame(65535, 65535))
    yield "GIF at a far corner", gif(10, 10, gif_frame(10, 10, 65000, 65000))
    yield "GIF comment without an end", gif(9, 9, b"!\xfe" + b"\xffx" * 9999)
    frames = [Image.new("RGB", (8, 8), (n % 256, 0, 0)) for n in range(1500)]
    for kind in ("PNG", "WEBP", "TIFF"):
        yield f"{kind} of 1,500 frames", encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    yield "APNG of four thousand million frames", png(chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0)), PIXELS)
    yield "TIFF of one endless circle", tiff(PLAIN_TIFF, following=308)
    yield (
        "TIFF tile larger than its picture",
        tiff(
            {
                **{k: v for k, v in PLAIN_TIFF.items() if k not in (273, 278, 279)},
                259: (3, 1, 5),
                322: (4, 1, 60000),
                323: (4, 1, 60000),
                324: (4, 1, 8),
                325: (4, 1, 100),
            }
        ),
    )
    yield "TIFF strip of four gigabytes", tiff({**PLAIN_TIFF, 259: (3, 1, 5), 279: (4, 1, 2**32 - 1)})
    yield "TIFF strip outside", tiff({**PLAIN_TIFF, 273: (4, 1, 2**32 - 9)})
    yield "TIFF of 65,535 samples", tiff({**PLAIN_TIFF, 277: (3, 1, 65535)})
    deep = zeros_packed(8 * 7400 * 4000)
    for width in (7400, 8000):
        tags = {
            **PLAIN_TIFF,
            256: (4, 1, width),
            257: (4, 1, 4000),
            258: (3, 4, 8),
            259: (3, 1, 8),
            262: (3, 1, 2),
            273: (4, 1, 16),
            277: (3, 1, 4),
            278: (4, 1, 4000),
            279: (4, 1, len(deep)),
            338: (3, 1, 2),
        }
        yield f"TIFF of deep colours in one strip {width} wide", tiff(tags, struct.pack("<4H", 16, 16, 16, 16) + deep)
    yield "BMP run", bmp(6000, 6000, bits=8, compression=1, data=bytes(1024) + b"\xff\x01" * 2000)
    yield "BMP run that jumps", bmp(6000, 6000, bits=8, compression=1, data=bytes(1024) + b"\0\2\xff\xff" * 500)
    yield "BMP of endless colours", bmp(8, 8, bits=8, colours=2**31 - 1)
    yield "WEBP flat and wide", encoded(Image.new("RGB", (16383, 2000)), "WEBP", lossless=True, method=0)
    yield "AVIF small outside, huge inside", zlib.decompress(base64.b85decode(HUGE_INSIDE))
    yield "AVIF flat and large", encoded(Image.new("L", (4200, 4200)), "AVIF", speed=10, quality=1)


def _lying() -> Iterator[tuple[str, bytes]]:
    good = encoded(noise(), "PNG")
    yield "PNG chunk longer than the file", good.replace(struct.pack(">I", 13), struct.pack(">I", 2**31 - 1), 1)
    yield "PNG two headers", png(good[8:33], PIXELS)
    yield "PNG pixels before the header", good[:8] + PIXELS + good[8:]
    yield "PNG no pixels", png()
    yield "PNG no end", good[:-12]
    yield "PNG pixels that do not unpack", png(chunk(b"IDAT", b"nonsense"))
    yield "PNG palette missing", png(PIXELS, colour=3)
    yield "PNG palette too long", png(chunk(b"PLTE", bytes(3 * 500)), PIXELS, colour=3)
    yield "PNG palette of half a colour", png(chunk(b"PLTE", bytes(4)), PIXELS, colour=3)
    yield "PNG transparency too long", png(chunk(b"PLTE", bytes(6)), chunk(b"tRNS", bytes(999)), PIXELS, colour=3)
    yield "PNG transparency too short", png(chunk(b"tRNS", b"\0"), PIXELS)
    for depth, colour in ((0, 2), (3, 0), (255, 255), (16, 3), (1, 6)):
        yield f"PNG depth {depth} colour {colour}", png(PIXELS, depth=depth, colour=colour)
    data = encoded(noise(), "JPEG")
    for marker, name in (
        (b"\xff\xc0", "frame"),
        (b"\xff\xc4", "Huffman table"),
        (b"\xff\xdb", "quantisation table"),
        (b"\xff\xda", "scan"),
    ):
        at = data.index(marker)
        yield f"JPEG {name} of no length", data[: at + 2] + b"\0\0" + data[at + 4 :]
        yield f"JPEG {name} too long", data[: at + 2] + b"\xff\xff" + data[at + 4 :]
        yield f"JPEG without {name}", data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]
    at = data.index(b"\xff\xc0")
    for parts in (0, 2, 5, 255):
        yield f"JPEG of {parts} parts", data[: at + 9] + bytes([parts]) + data[at + 10 :]
    for bits in (0, 12, 16):
        yield f"JPEG of {bits} bits", data[: at + 4] + bytes([bits]) + data[at + 5 :]
    for kind in (0xC3, 0xC5, 0xC9, 0xCF):
        yield f"JPEG process {kind:x}", data[: at + 1] + bytes([kind]) + data[at + 2 :]
    yield "WEBP size of zero", webp(webp_chunk(b"VP8 ", bytes(20)), size=0)
    yield "WEBP size of four gigabytes", webp(webp_chunk(b"VP8 ", bytes(20)), size=2**32 - 1)
    yield "WEBP canvas without a picture", webp(webp_canvas(40, 30))
    yield "WEBP animation without a frame", webp(webp_canvas(40, 30, 2), webp_chunk(b"ANIM", bytes(6)))
    yield (
        "WEBP frame beyond its canvas",
        webp(
            webp_canvas(40, 30, 2),
            webp_chunk(b"ANIM", bytes(6)),
            webp_chunk(b"ANMF", b"\xff" * 16 + webp_chunk(b"VP8L", b"\x2f" + bytes(9))),
        ),
    )
    inside = encoded(noise(), "WEBP")[12:]
    yield "WEBP canvas of another size", webp(webp_canvas(4000, 3000), inside)
    yield "WEBP a picture twice", webp(inside, inside)
    for tag, entry in (
        (258, (3, 1, 77)),
        (259, (3, 1, 7)),
        (259, (3, 1, 999)),
        (262, (3, 1, 99)),
        (278, (4, 1, 0)),
        (273, (4, 99999, 8)),
        (256, (2, 1, 10)),
        (256, (4, 0, 10)),
        (277, (3, 1, 0)),
    ):
        yield f"TIFF tag {tag} {entry}", tiff({**PLAIN_TIFF, tag: entry})
    yield "TIFF without a directory", b"II*\0" + struct.pack("<I", 2**31)
    yield "TIFF directory of 65,535 tags", b"II*\0\x08\0\0\0\xff\xff" + bytes(100)
    yield "TIFF of the large kind", b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**63) + bytes(100)
    for bits in (0, 3, 255):
        yield f"BMP of {bits} bits", bmp(8, 8, bits=bits)
    for compression in (2, 3, 4, 5, 99):
        yield f"BMP packed as {compression}", bmp(8, 8, compression=compression)
    yield "GIF without a frame", gif(10, 10)
    yield "GIF code size of 255", gif(10, 10, gif_frame(10, 10, data=b"\xff\x02\x4c\x01\0"))
    yield "GIF codes that refer to nothing", gif(10, 10, gif_frame(10, 10, data=b"\x02\xff" + b"\xff" * 255 + b"\0"))
    data = encoded(noise(), "AVIF")
    for box in (b"ftyp", b"meta", b"iloc", b"iprp", b"mdat", b"av1C", b"pitm"):
        at = data.index(box) - 4
        for size in (0, 1, 7, 2**31, 2**32 - 1):
            yield f"AVIF box {box.decode()} of {size}", data[:at] + struct.pack(">I", size) + data[at + 4 :]


def _metadata() -> Iterator[tuple[str, bytes]]:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"):
        for name, exif in (
            ("cut", b"Exif\0\0MM\0*\0\0"),
            ("circular", b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08"),
            ("of huge counts", b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\xff\xff\xff\xff\xff\xff"),
            ("random", b"Exif\0\0II*\0" + random.Random(2).randbytes(300)),
        ):
            try:
                yield f"EXIF {name} in {kind}", encoded(noise(), kind, exif=exif)
            except Exception:  # this kind's writer refuses it, so a stranger's would have to be made by hand
                continue
        for name, icc in (
            ("cut", profile[:200]),
            ("random", random.Random(3).randbytes(700)),
            ("lying about its size", struct.pack(">I", 2**32 - 1) + profile[4:]),
            ("of endless tags", profile[:128] + b"\xff\xff\xff\xff" + profile[132:]),
            ("with a curve of gigabytes", profile.replace(b"para", b"curv") + b"\xff" * 50),
            ("of another device", profile[:16] + b"CMYK" + profile[20:]),
        ):
            yield f"ICC {name} in {kind}", encoded(noise(), kind, icc_profile=icc)


def _polyglots() -> Iterator[tuple[str, bytes]]:
    page = b"<html><script>alert(1)</script></html>"
    for kind in KINDS:
        data = encoded(noise(), kind)
        yield f"{kind} with a page behind", data + page
        yield f"{kind} with a ZIP behind", data + b"PK\x03\x04" + bytes(40)
        yield f"{kind} behind a page", page + data
    yield "GIF that is a script", b"GIF89a=1;/*" + encoded(noise(), "GIF")[11:] + b"*/;alert(1)"
    yield "PDF with a JPEG", b"%PDF-1.7\n" + encoded(noise(), "JPEG")
    yield "JPEG in the words of a PNG", png(chunk(b"tEXt", b"k\0" + encoded(noise(), "JPEG")), PIXELS)


def _others() -> Iterator[tuple[str, bytes]]:
    for kind in (
        "ICO",
        "PPM",
        "TGA",
        "PCX",
        "SGI",
        "IM",
        "DIB",
        "MSP",
        "EPS",
        "PDF",
        "XBM",
        "ICNS",
        "JPEG2000",
        "DDS",
        "SPIDER",
    ):
        try:
            yield (
                kind,
                encoded(
                    noise(16, 16).convert("1" if kind in ("MSP", "XBM") else "F" if kind == "SPIDER" else "RGB"), kind
                ),
            )
        except (KeyError, OSError, ValueError):
            continue
    yield "SVG that reads a file", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    yield "SVG entity bomb", b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaa">]><svg>&a;&a;</svg>'
    yield "PostScript that runs", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (r) file"
    yield "MVG", b"push graphic-context\nimage over 0,0 0,0 'https://127.0.0.1/x.png'"
    yield "playlist", b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\nfile:///etc/passwd"
    yield "pickle", b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x93."
    yield "numpy", b"\x93NUMPY\x01\x00" + bytes(100)
    yield "shell script", b"#!/bin/sh\nrm -rf /\n"
    yield "nothing", b""
    for size in (1, 3, 16, 4096):
        yield f"zeros {size}", bytes(size)
        yield f"ones {size}", b"\xff" * size
        yield f"random {size}", random.Random(size).randbytes(size)


SORTS = {
    "cut": _cut,
    "flipped": _flipped,
    "sized": _sized,
    "bomb": _bombs,
    "lying": _lying,
    "metadata": _metadata,
    "polyglot": _polyglots,
    "other": _others,
}


def corpus() -> Iterator[tuple[str, bytes]]:
    """Every bad picture as (name, bytes), one at a time: some are large."""
    for sort, make in SORTS.items():
        for name, data in make():
            yield f"{sort}: {name}", data
