"""Whose address it is. Hosts as browsers read them: golden cases from the WHATWG URL standard's traps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copycat.errors import UserError
from copycat.provenance.lookup.domains import domain_spellings, is_below, spellings_of

OURS = ("example.org",)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://example.org/a/b.png?x=1#y",
        "http://www.example.org:8080/",
        "HTTPS://IMG.Example.ORG/x",
        "//cdn.example.org/x",
        "example.org/x",
        "example.org:8080/x",
        "example.org.",
        "https://example.org./x",
        "https://user:secret@example.org/x",
        "https:\\\\example.org\\x",
        "https://ex%61mple.org/x",
        "https://exa\tmple.org/x",
        "https://example。org/x",
        "https://ｅｘａｍｐｌｅ.org/x",
        "  https://example.org  ",
        "ftp://files.example.org/x",
    ],
)
def test_an_address_on_the_domain_is_found_however_it_is_written(url: str) -> None:
    assert is_below(url, OURS)


@pytest.mark.parametrize(
    "url",
    [
        "https://notexample.org/",
        "https://example.org.evil.example/",
        "https://example.com/example.org",
        "https://evil.example/?u=https://example.org/",
        "https://example.org@evil.example/",
        "https://evil.example#example.org",
        "https://example.orgs/",
        "data:image/png;base64,example.org",
        "",
        "://",
        "https://[::1]/example.org",
    ],
)
def test_the_letters_of_a_domain_elsewhere_are_not_the_domain(url: str) -> None:
    assert not is_below(url, OURS)


def test_a_domain_in_other_letters_is_found_in_both_spellings() -> None:
    asked = domain_spellings("bücher.example")

    assert "xn--bcher-kva.example" in asked
    assert is_below("https://www.xn--bcher-kva.example/1", asked)
    assert is_below("https://BÜCHER.example/1", asked)
    assert not is_below("https://bucher.example/1", asked)


def test_sharp_s_is_found_as_idna_2003_and_2008_spell_it() -> None:
    asked = domain_spellings("straße.example")

    assert set(asked) == {"xn--strae-oqa.example", "strasse.example"}


@pytest.mark.parametrize(
    ("asked", "host"),
    [
        ("https://www.example.org/my/page", "example.org"),
        ("*.example.org", "example.org"),
        ("WWW.Example.org.", "example.org"),
        ("me.github.io", "me.github.io"),
        ("example.co.uk", "example.co.uk"),
    ],
)
def test_what_people_type_becomes_a_domain(asked: str, host: str) -> None:
    assert domain_spellings(asked) == (host,)


@pytest.mark.parametrize("asked", ["com", "org.", "co.uk", "github.io", "https://www.wordpress.com/", "uk"])
def test_a_domain_that_strangers_share_is_refused(asked: str) -> None:
    with pytest.raises(UserError, match="too broad"):
        domain_spellings(asked)


@pytest.mark.parametrize("asked", ["a b.example", "exa_mple!.org", "-x.example", "..", "/", "@"])
def test_what_is_no_domain_is_refused(asked: str) -> None:
    with pytest.raises(UserError, match="is no domain"):
        domain_spellings(asked)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_any_text_as_an_address_gives_hosts_and_never_a_traceback(url: str) -> None:
    assert all(isinstance(host, str) for host in spellings_of(url))
