"""From a catalogue to an index, and from an index to a larger or smaller one: the one place that knows the whole line.

It knows nothing of pages or servers.
For the rooms above: build.build, build.add, build.remove, update.update, export.export.
"""
