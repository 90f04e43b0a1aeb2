"""The rooms of the house: imports point down one list, functions are short, and the page about it is true."""

import ast

import pytest

from tests import house


def test_every_package_is_a_room_of_the_list() -> None:
    assert {path.parent.name for path in house.PACKAGE.glob("*/__init__.py")} == set(house.ROOMS)


def test_imports_point_down_the_list_of_rooms() -> None:
    assert house.upward() == []


def test_no_imports_go_round_in_a_circle() -> None:
    assert house.circles() == []


@pytest.mark.parametrize("room", house.ROOMS)
def test_every_room_says_what_it_promises(room: str) -> None:
    words = ast.get_docstring(house.tree(house.PACKAGE / room / "__init__.py"))
    assert words and "For the rooms above:" in words


def test_every_module_says_what_it_does() -> None:
    assert [name for name, path in house.modules().items() if not house.first_sentence(path)] == []


def test_no_function_is_longer_than_a_screen() -> None:
    assert [f for f in house.functions() if f.lines > house.LONGEST] == []


def test_no_public_function_takes_more_parameters_than_one_can_hold_in_mind() -> None:
    assert [f for f in house.functions() if f.public and f.parameters > house.MOST_PARAMETERS] == []


def test_the_page_about_the_house_is_as_the_code_is() -> None:
    text = house.PAGE.read_text(encoding="utf-8")
    assert house.page(text) == text, "write it anew: python -m tests.house"
