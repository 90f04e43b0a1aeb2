"""Turns HTML, which shop systems export in descriptions, into plain sentences.

Headings, list items, cells and paragraphs that end without a sign become sentences of their own. It knows nothing of
products.
"""

import html
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

# Elements that begin and end a line; the words of all others flow on.
_BLOCKS = frozenset(
    "address article aside blockquote br caption dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header "
    "hr img li main nav ol p pre section table tbody tfoot thead tr ul".split()
)
_CELLS = frozenset(("td", "th"))
_SILENT = frozenset("head iframe noscript object script style svg template".split())
_INLINE = frozenset("a abbr b u big body em font html i ins label mark s small span strike strong sub sup u".split())
# Elements by which a text is known to be HTML: "<M>" alone is none.
_MARKUP = re.compile(rf"</?(?:{'|'.join(sorted(_BLOCKS | _CELLS | _SILENT | _INLINE))})(?:\s[^<>]*)?/?>|<!--", re.I)
_ANY_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
MOST_TAGS = 4000  # in one text; a parser takes quadratic time for elements nested without end
_SPACES = re.compile(r"\s+")
_ENDS = ".!?:;,。！？：；，…"


def plain_text(text: str) -> str:
    """The words of a text without markup and entities; one without either stays as it is.

    >>> plain_text("<p>A mug of <b>clay</b></p><ul><li>350&nbsp;ml</li><li>Dishwasher safe</li></ul>")
    'A mug of clay. 350 ml. Dishwasher safe'
    >>> plain_text("Size &lt; 5 &amp; up"), plain_text("3 < 4 > 2")
    ('Size < 5 & up', '3 < 4 > 2')
    """
    if "<" not in text or not _MARKUP.search(text):
        return _SPACES.sub(" ", html.unescape(text)).strip() if "&" in text else text
    if text.count("<") > MOST_TAGS:
        return _SPACES.sub(" ", html.unescape(_ANY_TAG.sub(" ", text))).strip()
    body = LexborHTMLParser(text).body
    lines: list[str] = [""]
    if body is not None:
        _collect(body, lines)
    lines = [line for line in (_SPACES.sub(" ", line).strip() for line in lines) if line]
    return _as_sentences(lines)


def _collect(node: LexborNode, lines: list[str]) -> None:
    """Add the words below a node to the lines, the last of which is still open."""
    stack: list[LexborNode | str] = [node]  # not by recursion: elements may be nested without end
    while stack:
        current = stack.pop()
        if isinstance(current, str):
            _break(current, lines)
            continue
        tag = current.tag or ""
        if tag == "-text":
            lines[-1] += current.text_content or ""
        elif tag not in _SILENT:
            if tag in _BLOCKS or tag in _CELLS:
                _break(tag, lines)
                stack.append(tag)
            children = []
            child = current.child
            while child is not None:
                children.append(child)
                child = child.next
            stack.extend(reversed(children))


def _break(tag: str, lines: list[str]) -> None:
    if tag in _CELLS:
        lines[-1] += " "  # the cells of a row are one sentence: "Height 9 cm"
    else:
        lines.append("")


def _as_sentences(lines: list[str]) -> str:
    """The lines one after the other, those above the last with a full stop where they have no sign of their own."""
    return " ".join([*(line if line[-1] in _ENDS else f"{line}." for line in lines[:-1]), *lines[-1:]])
