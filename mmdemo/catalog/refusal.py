"""What was left out of a catalogue: the place in its table, and the reason."""

from dataclasses import dataclass

from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message


@dataclass(frozen=True)
class Refusal:
    """Why a row, or one cell of it, was left out. `row` is the 1-based line in the file, 0 without a table."""

    row: int
    id: str
    column: str
    reason: str

    def __str__(self) -> str:
        return str(self.message)

    @property
    def message(self) -> Message:
        """The whole sentence: the place in the table, and the reason."""
        place = Message("line {line}", line=self.row) if self.row else Message("picture")
        template = (
            "{place}" + (" ({id})" if self.id else "") + ": " + ("{column}: " if self.column else "") + "{reason}"
        )
        return Message(template, place=place, id=self.id, column=self.column, reason=self.reason)


def clause(error: InputError) -> Message:
    """The sentence of an error within a longer one: without its full stop."""
    return Message("{sentence:clause}", sentence=error)
