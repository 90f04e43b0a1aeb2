"""How good the answers are, on products that no training saw, beside baselines and with intervals.

It knows nothing of how an index is built or shown.
For the rooms above: evaluation, tasks, report, report_page, plots.
"""
