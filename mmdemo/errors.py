"""The one exception for faults that the user can mend."""


class InputError(ValueError):
    """What came in is at fault, not the program.

    The message is one sentence: what was expected, what was found and, where it helps, what to do next.
    """
