"""The page: one file for each tab, and the parts that tabs share; templates, scripts and styles lie in assets/ui.

Nothing imports it but the command line and app.py.
For the rooms above: page.build, page.serve.
"""
