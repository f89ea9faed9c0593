"""D3: addresses that are spelled out are found; code, logs, prices, books and places give no alarm."""

from __future__ import annotations

import time

import pytest

from copycat.provenance.datasheet.personal import find_personal
from copycat.provenance.datasheet.personal.finding import mask

SPELLED_OUT = [
    "zoravi [at] mail [dot] net",
    "zoravi(at)mail.net",
    "zoravi{at}mail.net",
    "zoravi @ mail . net",
    "zoravi@mail dot net",
    "z o r a v i @ m a i l . n e t",
    "zoravi&#64;mail.net",
    "zoravi\uff20mail.net",
    "mailto:zoravi%40mail.net",
    "zoravi\u200b@mail.net",
    "zoravi_at_mail_dot_net",
    "zoravi@m\u00fcller.de",
    "mail me: zoravi at mail dot net",
    "zoravi.k at mail dot net",
]


@pytest.mark.parametrize("text", SPELLED_OUT)
def test_an_address_that_is_spelled_out_is_found_and_shown_by_two_letters(text: str) -> None:
    (hit,) = find_personal(text)
    assert hit.kind == "e-mail address"
    shown = mask(hit.kind, text[hit.start : hit.end]).removeprefix("e-mail address ")
    assert sum(one.isalnum() for one in shown) <= 2
    assert shown.startswith("z")


@pytest.mark.parametrize(
    "text",
    [
        "commit 3f2b9a1c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a, sha 1234567890123456789012345678901234567890",
        "2025-11-29T23:36:26.123456Z INFO pid=12345 127.0.0.1 GET /index 200 1532",
        '10.0.0.5 - - [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326',
        "ISBN 978-3-16-148410-0, ISBN 0-306-40615-2, ISSN 2049-3630; 978-0-306-40615-7 is a book",
        "doi:10.1038/s41586-021-03819-2, arXiv:2501.08365v1, PMID 12345678, ORCID 0000-0002-1825-0097",
        "48.8584, 2.2945 and 40.7128 N, 74.0060 W; 51.5074, 4.895168",
        "Price: $1,234,567.89, EUR 1.234.567,89, 12 345 678 kr",
        "pi = 3.14159265358979323846; x = 1234567890 * 9876543210 - 1212",
        "123e4567-e89b-12d3-a456-426614174000, EAN 4006381333931, CAS 50-78-2, patent US 7,654,321 B2",
        "Python 3.11.4, Chrome/120.0.6099.109, Windows NT 10.0.19045.3803, pkg@1.0.0.beta",
        "call 2024-05-01 10:30 12:45; row 4155552671 of cell 1234567",
        "user@host:~$ ssh git@github.com; icon@2x.png; @property decorator@class.method; '@scope/pkg@1.2.3'",
        "sin 123 456 782 = 0.5 in figure 123-45-6788, vol. 219-09-9998, order no. 4539 1488 0343 6467",
        "In the film he gives the number 800-555-0199.",
        "we meet at noon dot com or not; look at it, it is available at hubs dot com",
        "192.168.1.1, 203.0.113.9, fe80::1, 2001:db8::1, 00:1A:2B:3C:4D:5E",
        "1700000000 1700000001 1700000002; 331 449 281 people; 1914-1918, pp. 123-456",
    ],
)
def test_code_logs_books_prices_and_places_give_no_alarm(text: str) -> None:
    assert find_personal(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SSN: 536 22 1234", "US social security number"),
        ("SSN no. 536-22-1234", "US social security number"),
        ("SIN 130 692 544", "Canadian SIN"),
    ],
)
def test_a_number_after_its_name_is_found(text: str, kind: str) -> None:
    assert [hit.kind for hit in find_personal(text)] == [kind]


@pytest.mark.parametrize("piece", ["a ", "a@", "a [at] ", " dot ", "a_at_b_dot_", "a.", "a @ b . ", "1 ", "&#0"])
def test_a_text_made_to_be_slow_is_searched_in_a_moment(piece: str) -> None:
    begun = time.process_time()
    find_personal(piece * (20_000 // len(piece)) + " dot ")
    assert time.process_time() - begun < 1
