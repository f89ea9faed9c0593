"""What is left of code: the tokens that no renaming, comment or layout changes."""

from __future__ import annotations

import pytest

from copycat.errors import UserError
from copycat.fairuse.code.tokens import is_code_file, tokenise


def test_names_strings_and_numbers_become_classes_and_comments_go() -> None:
    found = tokenise('def f(a):\n    """Say."""\n    return a + 0x1F * "x"  # why\n', "a.py")
    assert " ".join(found.tokens) == "def name ( name ) : return name + number * text"
    assert list(found.lines) == [1] * 6 + [3] * 6


def test_strings_in_a_row_and_their_escapes_are_one_token() -> None:
    assert list(tokenise('x = "a\\n" "b"', "a.py").tokens) == ["name", "=", "text"]
    assert list(tokenise('char *s = "a\\n"\n  "b";', "a.c").tokens) == ["char", "*", "name", "=", "text", ";"]


def test_a_comma_in_front_of_a_closing_bracket_is_layout() -> None:
    assert tokenise("f(a, b,)", "a.py").tokens == tokenise("f(a, b)", "a.py").tokens


def test_macros_are_cut_into_tokens() -> None:
    found = tokenise("#include <stdio.h>\n#define TOP(a) ((a) + 1)\n", "a.c").tokens
    assert " ".join(found) == "# include text # define name ( name ) ( ( name ) + number )"


def test_the_language_may_be_named_guessed_or_told_by_the_file() -> None:
    assert tokenise("x = 1", "answer", "python").language == "Python"
    assert tokenise("x = 1", "answer.rs").language == "Rust"
    assert tokenise("#!/usr/bin/python3\nimport os\n", "answer").language == "Python"


def test_an_unknown_language_is_told() -> None:
    with pytest.raises(UserError, match="'klingon' is no language that pygments knows"):
        tokenise("x", "a", "klingon")


@pytest.mark.parametrize("name", ["a.py", "b.c", "c.h", "d.rs", "e.go", "f.ts", "g.java", "Makefile", "h.sql"])
def test_programs_are_code(name: str) -> None:
    assert is_code_file(name)


@pytest.mark.parametrize("name", ["a.md", "b.txt", "c.json", "d.html", "e.yaml", "LICENSE", "f.png"])
def test_documents_and_data_are_not(name: str) -> None:
    assert not is_code_file(name)
