"""Products, vectors and head as one folder that is whole or refused, searched by FAISS or Milvus.

It knows nothing of queries in words or pictures.
For the rooms above: product_index.ProductIndex, manifest.Manifest, store.VectorStore, verify.
"""
