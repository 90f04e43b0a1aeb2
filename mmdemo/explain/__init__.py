"""Why a product stands where it stands, each figure taken from the score that ranked it.

It knows nothing of how products are found: it asks a recommender that is handed to it.
For the rooms above: reasons, explanation.Explanation, counterfactual, occlusion.
"""
