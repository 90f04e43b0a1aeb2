"""What shops export, as rows of our own form: one file a shop system, all behind `convert`.

They know nothing of pictures, models or files: a table comes in and a table goes out.
For the rooms above: convert.convert.
"""
