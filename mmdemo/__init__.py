"""A photo and a sentence in, product recommendations out, each with its reason."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mmdemo.core.version import __version__

if TYPE_CHECKING:
    from mmdemo.catalog.catalog import Catalog
    from mmdemo.core.errors import InputError
    from mmdemo.core.request import Query
    from mmdemo.pipeline.build import build
    from mmdemo.search.recommender import Recommender

__all__ = ["Catalog", "InputError", "Query", "Recommender", "__version__", "build"]

_MODULES = {  # imported when they are first used, so that `import mmdemo` stays light (PEP 562)
    "Catalog": "mmdemo.catalog.catalog",
    "InputError": "mmdemo.core.errors",
    "Query": "mmdemo.core.request",
    "Recommender": "mmdemo.search.recommender",
    "build": "mmdemo.pipeline.build",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'mmdemo' has no attribute '{name}'")
    return getattr(import_module(_MODULES[name]), name)
