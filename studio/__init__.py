"""The product studio: parametric objects, rendered into the demo's default catalogue.

Only :mod:`studio.render` needs Mitsuba; everything else runs on numpy, scipy and Pillow.
"""
