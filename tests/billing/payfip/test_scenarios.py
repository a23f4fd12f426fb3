"""docs/payfip.md: every scenario says what is seen, what is kept, and which tests play it.

That the tests exist is checked with those of docs/security.md (tests/test_consistency.py).
"""

import ast
import re

from django.conf import settings

HERE = "tests/billing/payfip"
PAGE = (settings.BASE_DIR / "docs/payfip.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d", line)
]


def named():
    return re.findall(r"`(tests/\S+?\.py)::(\S+?)`", PAGE)


def test_they_are_numbered_and_there_are_thirty_at_least():
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, len(ROWS) + 1)]
    assert len(ROWS) >= 30


def test_each_says_what_is_seen_and_kept_and_which_tests_play_it():
    incomplete = [row for row in ROWS if len(row) != 5 or not all(row)]

    assert incomplete == []
    assert [
        row[0] for row in ROWS if not re.fullmatch(r"(`tests/\S+?\.py::\S+?`\s*)+", row[4])
    ] == []


def test_no_scenario_is_told_twice():
    told = [row[1] for row in ROWS]

    assert sorted(set(told)) == sorted(told)


def test_whatever_needs_several_processes_is_in_the_list():
    tree = ast.parse((settings.BASE_DIR / HERE / "test_workers.py").read_text())
    played = {
        prefix + function.name
        for node in tree.body
        for prefix, inner in [
            (f"{node.name}::", node.body) if isinstance(node, ast.ClassDef) else ("", [node])
        ]
        for function in inner
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
    }

    assert played - {name for path, name in named() if path == f"{HERE}/test_workers.py"} == set()
