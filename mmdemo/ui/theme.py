"""How the page looks: the theme, the style sheet, and the scripts and templates read from assets/ui."""

from __future__ import annotations

from functools import cache
from typing import Any

import gradio as gr
from gradio.themes import colors, sizes
from gradio.themes.utils.fonts import LocalFont

from mmdemo.core.paths import HOME
from mmdemo.serve.gradio_patches import missing_words

ASSETS = HOME / "assets" / "ui"

# Both families come with Gradio and are served from this machine: a page must not call a font host.
FONTS = (LocalFont("IBM Plex Sans", weights=(400, 700)), LocalFont("Montserrat", weights=(700,)))


@cache
def asset(name: str) -> str:
    """The text of one file of assets/ui."""
    return (ASSETS / name).read_text(encoding="utf-8")


def look() -> dict[str, Any]:
    """The arguments that every page is launched or mounted with."""
    return {
        "footer_links": ["api"],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "show_error": True,
        "i18n": missing_words(),
        "max_file_size": "20mb",
        "theme": theme(),
        "css": asset("style.css"),
    }


def theme() -> gr.themes.Base:
    """Warm paper and ink, one teal accent; the rest of the look is in assets/ui/style.css."""
    return gr.themes.Base(
        primary_hue=colors.teal,
        secondary_hue=colors.amber,
        neutral_hue=colors.stone,
        radius_size=sizes.radius_lg,
        font=(*FONTS, "ui-sans-serif", "system-ui", "sans-serif"),
        font_mono=("ui-monospace", "Consolas", "monospace"),
    ).set(
        body_background_fill="#faf8f5",
        body_background_fill_dark="#141312",
        body_text_color="*neutral_800",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1f1d1b",
        background_fill_secondary="#f5f2ed",
        background_fill_secondary_dark="#191817",
        block_background_fill="#ffffff",
        block_background_fill_dark="#1f1d1b",
        block_border_width="0px",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_border_width="0px",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_400",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_title_text_weight="600",
        block_title_text_size="*text_sm",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_400",
        block_shadow="none",
        block_padding="0px",
        input_background_fill="#ffffff",
        input_background_fill_dark="#171614",
        input_border_color="#d9d3ca",
        input_border_color_dark="#3a3733",
        input_border_width="1px",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_400",
        input_shadow_focus="0 0 0 3px color-mix(in srgb, var(--primary-500) 22%, transparent)",
        border_color_primary="#e6e0d8",
        border_color_primary_dark="#34312d",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_500",
        button_primary_text_color="#ffffff",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
        checkbox_label_background_fill="transparent",
        checkbox_label_background_fill_dark="transparent",
    )
