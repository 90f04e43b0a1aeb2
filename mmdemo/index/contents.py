"""The parts of an index: what `verify.read` finds in a version's folder and a `ProductIndex` is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdemo.behaviour.behaviour import Behaviour
from mmdemo.catalog.links import Link
from mmdemo.catalog.product import Product
from mmdemo.catalog.starting_queries import StartingQuery
from mmdemo.catalog.thumbnails import Thumbnails
from mmdemo.core.vectors import Array
from mmdemo.encode.further_pictures import FurtherPictures
from mmdemo.fusion.heads import FusionHead
from mmdemo.fusion.related import Related
from mmdemo.index.manifest import Manifest
from mmdemo.index.store import VectorStore


@dataclass(frozen=True)
class Contents:
    """What an index holds, row by row in the order of its products.

    Attributes
    ----------
    products
        The n products.
    image, text
        Their embeddings as the encoder gives them, float32 (n, width of a picture) and (n, width of a text); zero
        where a product has no picture.
    head
        Fuses the two into one vector.
    manifest, report
        What made the index, and how good it is.
    folder
        The version's folder; of an index that was never saved, any path.
    thumbnails
        The pictures that the app shows, by row.
    links
        Which products go together; those that name an unknown product are left out.
    related
        Where what goes with a product lies, learnt from the links.
    starting_queries
        Queries that came with the catalogue, for the first page to offer.
    store
        Where the fused vectors are searched; made when it is first needed.
    vectors
        The fused vectors, float32 (n, width of the head), of length one; computed where they are not given.
    picture_hashes
        `Catalog.picture_hash` of each product, uint8 (n, 32), by which an update tells whose pictures are new; None
        where it is unknown.
    further
        The embeddings of the products' further pictures, by row.
    anchor
        The first numbers of each fused vector as they were saved, to compare with.
    behaviour
        What was learnt from what people did; None where nothing is known of it.
    """

    products: Sequence[Product]
    image: Array
    text: Array
    head: FusionHead
    manifest: Manifest
    report: dict[str, Any] = field(default_factory=dict)
    folder: Path = Path()
    thumbnails: Thumbnails = field(default_factory=Thumbnails)
    links: Sequence[Link] = ()
    related: Related | None = None
    starting_queries: Sequence[StartingQuery] = ()
    store: VectorStore | None = None
    vectors: Array | None = None
    picture_hashes: NDArray[np.uint8] | None = None
    anchor: Array | None = None
    further: FurtherPictures = field(default_factory=FurtherPictures)
    behaviour: Behaviour | None = None
