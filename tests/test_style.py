"""The styles of the page: a class has one meaning."""

import re
from collections import Counter

from mmdemo.ui.theme import asset


def rules_of_one_class(css: str) -> list[str]:
    """The classes that a rule outside @media is about, each as often as there is such a rule."""
    css, depth, selector, found = re.sub(r"/\*.*?\*/", "", css, flags=re.S), 0, "", []
    for character in css:
        if character == "{" and depth == 0 and re.fullmatch(r"\.mm-[\w-]+", selector.strip()):
            found.append(selector.strip())
        depth += (character == "{") - (character == "}")
        selector = "" if character in "{}" else selector + character
    return found


def test_a_class_is_styled_in_one_place():
    css = ".mm-a { b: c; } /* .mm-a { } */ @media (d) { .mm-a { e: f; } } .mm-a { }"
    assert rules_of_one_class(css) == [".mm-a"] * 2
    twice = [name for name, times in Counter(rules_of_one_class(asset("style.css"))).items() if times > 1]
    assert twice == [], "two parts of the page may share a class by chance: give one of them another name"
