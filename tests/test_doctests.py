"""The examples in the docstrings of the whole package run, and every entry point has one."""

import doctest
import importlib
import inspect

import pytest

from tests.house import modules

MODULES = [name for name, path in modules().items() if ">>>" in path.read_text(encoding="utf-8")]
ENTRY_POINTS = (
    "core.request.Query",
    "core.request.Filter",
    "core.request.Taste",
    "catalog.catalog.Catalog",
    "encode.encoder.Encoder",
    "encode.encoder.Encoder.load",
    "fusion.heads.FusionHead",
    "fusion.fit.fit",
    "fusion.calibration.calibrate",
    "index.store.VectorStore",
    "index.product_index.ProductIndex",
    "index.product_index.ProductIndex.load",
    "search.recommender.Recommender",
    "search.recommender.Recommender.load",
    "search.recommender.Recommender.prepare",
    "search.recommender.Recommender.recommend",
    "search.recommender.Recommender.similar",
    "search.recommender.Recommender.explain",
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_give_what_they_say(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_an_entry_point_has_an_example(name):
    room, module, *attributes = name.split(".")
    entry_point = importlib.import_module(f"mmdemo.{room}.{module}")
    for attribute in attributes:
        entry_point = getattr(entry_point, attribute)
    assert doctest.DocTestParser().get_examples(inspect.getdoc(entry_point) or "")
