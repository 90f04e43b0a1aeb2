"""An encoder trained or fine-tuned on catalogues, and what it learnt and forgot.

It knows nothing of indexes or searches.
For the rooms above: align.align, dataset, retrieval_eval, model_folder.
"""
