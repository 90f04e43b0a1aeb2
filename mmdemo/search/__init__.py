"""Answers a query with ranked products, each with its reason.

It knows nothing of pages, servers or how an index is built.
For the rooms above: recommender.Recommender, live, facets, trace.
"""
