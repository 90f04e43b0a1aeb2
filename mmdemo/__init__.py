"""A photo and a sentence in, product recommendations out, each with its reason."""

__version__ = "0.1.0"
