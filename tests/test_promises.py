"""Every promise in docs/security.md and docs/reliability.md names tests that exist, and how each was once broken."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGES = [TESTS.parent / "docs" / f"{name}.md" for name in ("security", "reliability")]
NAMED = re.compile(r"`((?:[\w/]+\.py)?(?:::\w+)?)`")


def promises(page: Path) -> list[list[str]]:
    """The cells of every row below a heading of promise, test, seen red by."""
    rows, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        inside = cells == ["promise", "test", "seen red by"] or (inside and bool(cells))
        if inside and len(cells) == 3 and cells[0] != "promise" and not cells[0].startswith("---"):
            rows.append(cells)
    return rows


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_promise_names_tests_that_exist_and_how_it_was_broken(page):
    rows = promises(page)
    assert len(rows) >= 10
    for promise, tests, broken in rows:
        assert broken, f"nobody has seen a test fail for: {promise}"
        file, found = "", 0
        for named in NAMED.findall(tests):
            path, _, test = named.partition("::")
            file = path or file
            if not (path or test):
                continue
            found += 1
            assert (TESTS / file).is_file(), f"{file} of: {promise}"
            assert not test or f"def {test}(" in (TESTS / file).read_text(encoding="utf-8"), f"{named} of: {promise}"
        assert found, promise
