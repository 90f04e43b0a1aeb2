"""What a sentence means: its wishes as filters, exclusions and edits, over a catalogue's own values.

It knows nothing of vectors or indexes.
For the rooms above: grammar.Grammar, reading.Reading, language_model.
"""
