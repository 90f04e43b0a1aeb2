"""What people did, as a third modality: events read and pseudonymised, models learnt from them, and their gate.

It knows nothing of encoders, stores, pages and of who anybody is: people are numbers from the moment a file is read.
For the rooms above: events.read_events, fit.fit_behaviour and the Behaviour that it gives.
"""
