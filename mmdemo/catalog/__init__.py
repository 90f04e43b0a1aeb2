"""A shop's products and pictures, read strictly from whatever file they come in.

It knows nothing of models, vectors or searches.
For the rooms above: catalog.Catalog, product.Product, imaging.decode.
"""
