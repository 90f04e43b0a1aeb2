"""Words without a meaning of their own, as stems, and whether a text has any other."""

import re

from mmdemo.language.stemming import stem

_WORD = re.compile(r"[一-鿿]|[^\W_一-鿿]+(?:['’][a-z]+)?", re.I)

# A sentence of these and of values alone is a wish to change the photo.
WORDS_OF_WISHES = frozenset(
    stem(word)
    for word in (
        "a an the in with of to please but and it one this that same i want would like do does you have can is there "
        "be made make version instead for my me show some colour color just "
        "的 要 我 想 一 个 但 是 用 请 款 样 "
        " 成 换 改 做 有 吗 它 这 和 同 给 带 种 可 以 没 能"
    ).split()
)

# After a value these begin something else: "navy where this is white" speaks of no navy where.
FUNCTION_WORDS = WORDS_OF_WISHES | frozenset(
    stem(word)
    for word in (
        "or nor than where when while if though although as at on by from so too also either neither not no only "
        "rather off out are was were will has had should could we they he she its which who because here there like "
        "thanks pls"
    ).split()
)


# What an exclusion leaves of "it has no dots".
_LEFT_OVER = frozenset(
    stem(word)
    for word in (
        "a an the and but or is are was has have had it this that i want me my show in with of to please 要 的"
    ).split()
)


def says_something(text: str) -> bool:
    """Whether a text from which words were taken still has any that an encoder can read.

    >>> says_something("is, and it"), says_something("just one colour"), says_something("要的")
    (False, True, False)
    """
    return any(stem(match[0]) not in _LEFT_OVER for match in _WORD.finditer(text))
