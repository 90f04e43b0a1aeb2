"""Measured figures: each beside its peer, kept as JSON, and shown as the table and the bars of docs/performance.md."""

import os
import platform
import re
import statistics
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

HOME = Path(__file__).resolve().parent.parent
OUT = HOME / "docs" / "performance"
PARTS = ("query", "throughput", "explain", "embedding", "start", "commands")
BAR, LEFT = 44, 620  # pixels of the drawing: a line's height, and the names' width

Figure = dict[str, Any]


def figure(name: str, unit: str, ours: list[float], peer: str, theirs: list[float], aim: str) -> Figure:
    """One line of the table: medians, the ratio of ours to the peer's, and all runs."""
    mine, other = statistics.median(ours), statistics.median(theirs)
    ratios = [a / b for a, b in zip(ours, theirs, strict=False)]
    return {
        "figure": name,
        "unit": unit,
        "value": mine,
        "peer": peer,
        "peer_value": other,
        "ratio": mine / other,
        "ratio_spread": [min(ratios), max(ratios)],
        "aim": aim,
        "runs": {"ours": ours, "peer": theirs},
    }


def machine() -> dict[str, Any]:
    """What this was measured on."""
    names = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    flags = next((line.split() for line in _lines("/proc/cpuinfo") if line.startswith("flags")), [])
    units = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "units": units,
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def table(parts: dict[str, Any]) -> str:
    """All kept figures as Markdown."""
    lines = ["| figure | here | beside | there | ratio [spread] | aim |", "|---|---|---|---|---|---|"]
    for f in every(parts):
        low, high = f["ratio_spread"]
        lines.append(
            f"| {f['figure']} | {f['value']:.3g} {f['unit']} | {f['peer']} | {f['peer_value']:.3g} {f['unit']} "
            f"| **{f['ratio']:.2f}** [{low:.2f}, {high:.2f}] | {f['aim']} |"
        )
    return "\n".join(lines)


def every(parts: dict[str, Any]) -> list[Figure]:
    """The figures of all parts, in order."""
    return [f for part in PARTS for f in parts.get(part, {}).get("figures", [])]


def bars(parts: dict[str, Any]) -> Image.Image:
    """The ratios as bars with their spread; a tick marks the aim."""
    figures = every(parts)
    font = ImageFont.load_default(size=18)
    image = Image.new("RGB", (1200, BAR * (len(figures) + 1)), "white")
    draw = ImageDraw.Draw(image)
    high = max([f["ratio_spread"][1] for f in figures] + [2.0])
    scale = (1200 - LEFT - 120) / high
    for n, f in enumerate(figures):
        top, (low, most) = BAR * n + 12, f["ratio_spread"]
        draw.text((10, top), f"{f['figure'][:34]} / {f['peer'][:32]}", "#1c1917", font=font)
        draw.rectangle((LEFT, top, LEFT + f["ratio"] * scale, top + 20), "#0d9488")
        draw.line((LEFT + low * scale, top + 10, LEFT + most * scale, top + 10), "#1c1917", 2)
        if number := re.search(r"[\d.]+\d|\d", f["aim"]):
            aim = LEFT + float(number[0]) * scale
            draw.line((aim, top - 5, aim, top + 25), "#be123c", 3)
        draw.text((LEFT + most * scale + 12, top), f"{f['ratio']:.2f}", "#1c1917", font=font)
    return image


def write_page(parts: dict[str, Any]) -> None:
    """Put the table between its marks in docs/performance.md, and the bars beside it."""
    page = HOME / "docs" / "performance.md"
    text = page.read_text(encoding="utf-8")
    host = next((parts[part]["machine"] for part in PARTS if part in parts), machine())
    caption = (
        f"{host['processor']}, {host['cores']} cores ({', '.join(host['units'])}), load {host['load_before']} before; "
        "medians, and the least and the greatest ratio of the runs.\n\n"
    )
    block = f"<!-- figures -->\n{caption}{table(parts)}\n<!-- end of figures -->"
    page.write_text(
        re.sub(r"<!-- figures -->.*<!-- end of figures -->", lambda _: block, text, flags=re.S), encoding="utf-8"
    )
    bars(parts).save(OUT / "ratios.png")
