"""Tokens of code, without what can be changed and leave the code the same: names, comments, layout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME, TEXT, NUMBER = "name", "text", "number"
"""What stands for any identifier, any string or letter, any number."""

CLOSING = frozenset(")]}")


@dataclass(frozen=True, slots=True)
class CodeTokens:
    """Tokens in order and the line of each, which counts from 1."""

    language: str
    tokens: Sequence[str]
    lines: Sequence[int]

    def __len__(self) -> int:
        return len(self.tokens)


def tokenise(code: str, file_name: str, language: str | None = None) -> CodeTokens:
    """Cut code into tokens.

    An identifier is `name`, a string `text`, a number `number`; comments, docstrings and whitespace are left out, and
    so is a comma in front of a closing bracket, which formatters put there. Keywords, operators and brackets stay.

    Args:
        file_name: tells the language, unless `language` does; else it is guessed from the code.

    Raises:
        UserError: `language` is no language.
    """
    lexer = lexer_of(code, file_name, language)
    tokens: list[str] = []
    lines: list[int] = []
    for token, line in _pieces(lexer, code):
        if token in CLOSING and tokens and tokens[-1] == ",":
            tokens.pop()
            lines.pop()
        tokens.append(token)
        lines.append(line)
    return CodeTokens(lexer.name, tokens, lines)


def lexer_of(code: str, file_name: str, language: str | None = None) -> Any:  # Any: pygments has no types
    """Give the lexer of a language by its name, a file's name, or a guess.

    Raises:
        UserError: pygments knows no such language.
    """
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename, guess_lexer  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    from copycat.errors import UserError

    if language is not None:
        try:
            return get_lexer_by_name(language, stripnl=False)
        except ClassNotFound as error:
            raise UserError(
                f"'{language}' is no language that pygments knows\n"
                "  needed: a short name such as python, c, java, javascript, go, rust"
            ) from error
    try:
        return get_lexer_for_filename(file_name, code, stripnl=False)
    except ClassNotFound:
        return guess_lexer(code, stripnl=False)


def is_code_file(file_name: str) -> bool:
    """Whether a file's name is that of a programming language: no text, no data, no markup of documents."""
    from pygments.lexers import find_lexer_class_for_filename  # type: ignore[import-untyped]

    lexer = find_lexer_class_for_filename(file_name)
    return lexer is not None and not set(lexer.aliases) & _NO_CODE


_NO_CODE = frozenset(
    (
        *("text", "output", "json", "jsonld", "json-object", "yaml", "xml", "html", "md", "markdown", "rst", "csv"),
        *("restructuredtext", "tex", "latex", "ini", "cfg", "toml", "diff", "udiff", "properties", "irc", "pot", "po"),
        *("svg", "groff", "nroff", "man", "registry"),
    )
)


def _pieces(lexer: Any, code: str) -> Iterator[tuple[str, int]]:
    """Give tokens with their lines; strings that follow each other are one token, as "a" "b" is in many languages."""
    line, before = 1, ""
    for kind, value in lexer.get_tokens(code):
        here, line = line, line + value.count("\n")
        for token in _tokens_of(kind, value):
            if token != TEXT or before != TEXT:
                yield token, here
            before = token


def _tokens_of(kind: Any, value: str) -> Iterator[str]:
    """Give the tokens of one piece that the lexer names."""
    from pygments.token import Comment, Literal, Name, Number, Operator, Punctuation, String  # type: ignore[import-untyped]

    if kind is Comment.Preproc:
        yield from _tokens_of_directive(value)
    elif kind is Comment.PreprocFile:
        yield TEXT
    elif kind in Comment or kind is String.Doc or not value.strip():
        return
    elif kind in Name:
        yield NAME
    elif kind in Number:
        yield NUMBER
    elif kind in Literal:
        yield TEXT
    elif kind in Punctuation or (kind in Operator and not value.isalpha()):
        yield from (letter for letter in value if not letter.isspace())
    else:
        yield value.strip()


def _tokens_of_directive(value: str) -> Iterator[str]:
    """Cut a directive of a preprocessor: its word stays, other words are names."""
    for match in _DIRECTIVE.finditer(value):
        word = match.group()
        if word[0].isdigit():
            yield NUMBER
        elif word.isidentifier() and word not in _DIRECTIVES:
            yield NAME
        else:
            yield word


_DIRECTIVE = re.compile(r"\d\w*|[^\W\d]\w*|[^\w\s\\]")
_DIRECTIVES = frozenset(
    (
        "include",
        "define",
        "undef",
        "ifdef",
        "ifndef",
        "if",
        "elif",
        "else",
        "endif",
        "defined",
        "pragma",
        "error",
        "line",
    )
)
