"""Text without what nobody sees: control characters, marks that turn the direction of text, and letters without a look.

By them words are shown in another order than they are read, or are read by a language model and seen by nobody.
Knows nothing of where a text comes from.
"""

import re

# Joiners (U+200C, U+200D) and the mark that makes an emoji of a sign (U+FE0F) stay: scripts and emoji need them.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufe00-\ufe0e\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufeff]+")


def without_marks(text: str) -> str:
    r"""One line of text without unseen marks; white space and control characters are one blank.

    >>> without_marks("a\u202e mug\x00\n of\U000e0041 clay ")
    'a mug of clay'
    """
    return _CONTROL.sub(" ", _UNSEEN.sub("", text)).strip()
