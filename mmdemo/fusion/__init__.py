"""One vector from a picture's and a text's, trained on the catalogue itself, with the exact share of each in it.

It knows nothing of stores, index files and pages.
For the rooms above: heads.FusionHead, fit.fit, calibration.Calibration, query_expansion, related, pretrained_head.
"""
