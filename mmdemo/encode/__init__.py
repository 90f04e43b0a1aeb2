"""Pictures and sentences as unit vectors of one shared space, one by one or a whole catalogue in shards.

It knows nothing of fusion, indexes and ranking.
For the rooms above: encoder.Encoder, embed.embed, embeddings, batching.EmbeddingCache, ray_data, tuning.Setting.
"""
