"""What a catalogue, its rows and its encoder are called on a page and in an answer. Knows the manifest alone."""

from __future__ import annotations

from mmdemo.catalog.translations import spoken
from mmdemo.index.manifest import Manifest
from mmdemo.serve.translation import language, noun, speaking, translate


def catalogue_name(manifest: Manifest) -> str:
    """The name of the catalogue."""
    return manifest.name or translate("catalogue")


def row_noun(manifest: Manifest, count: int = 2) -> str:
    """What this many rows of the catalogue are called: "products", unless its `catalog.json` says otherwise."""
    with speaking(language(), spoken(manifest.words, manifest.noun, language())):
        return noun(count)


def encoder_name(manifest: Manifest) -> str:
    """The name of the encoder."""
    return manifest.encoder.name or manifest.encoder.spec
