"""The one exception for faults that the user can mend."""

from mmdemo.core.messages import Message


class InputError(ValueError):
    """The input is at fault, not the program.

    One sentence, as a template and its values: what was expected, what was found and, where it helps, what to do next.
    `str(error)` is the English sentence; `message` is what a page translates.

    Examples
    --------
    >>> str(InputError("at most {n:,} rows are read", n=5000))
    'at most 5,000 rows are read'
    """

    def __init__(self, template: str, /, **values: object) -> None:
        self.message = Message(template, **values)
        super().__init__(str(self.message))
