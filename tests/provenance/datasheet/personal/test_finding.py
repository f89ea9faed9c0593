"""D3: what is planted is found, what only looks like it is not, and nothing is shown."""

from __future__ import annotations

import random
import re

import pytest

from copycat.provenance.datasheet.personal import find_personal
from copycat.provenance.datasheet.personal.finding import mask
from copycat.provenance.datasheet.personal.kinds import COVERED

# Invented, or published by issuers as examples.
PLANTED = [
    ("e-mail address", "Write to ines.vogt+tiles@mail.planted-fixture.org for the key."),
    ("e-mail address", "mailto:QUILL_7@planted-fixture.co.uk"),
    ("e-mail address", "(reach me: o'neil: k.oneil@sub.planted-fixture.de)"),
    ("telephone number", "Ring me on +44 20 7946 0958 after six."),
    ("telephone number", "+49 30 901820"),
    ("telephone number", "His number is (212) 736-5000, ask for the desk."),
    ("telephone number", "call 212-736-5000"),
    ("telephone number", "Phone: 212 736 5000"),
    ("IBAN", "Pay to DE89 3704 0044 0532 0130 00 by Friday."),
    ("IBAN", "GB82WEST12345698765432"),
    ("payment card", "5454 5454 5454 5454 exp 09/29"),
    ("payment card", "her card: 5454545454545454"),
    ("US social security number", "SSN 536-90-4399"),
    ("UK national insurance number", "NI number AB 12 34 56 C"),
    ("NHS number", "NHS no. 943 476 5919"),
    ("German tax id", "Steuer-ID: 86 095 742 719"),
    ("French social security number", "2 55 08 14 168 025 38"),
    ("Spanish DNI or NIE", "DNI 12345678Z"),
    ("Spanish DNI or NIE", "mi NIE es X-1234567-L"),
    ("Italian codice fiscale", "RSSMRA85T10A562S"),
    ("Dutch BSN", "BSN 111222333"),
    ("Polish PESEL", "PESEL 44051401359"),
    ("Swedish personnummer", "811228-9874"),
    ("Finnish henkilötunnus", "131052-308T"),
    ("Brazilian CPF", "CPF 111.444.777-35"),
    ("Indian Aadhaar", "Aadhaar 2341 2341 2346"),
    ("Chinese resident id", "11010519491231002X"),
    ("Canadian SIN", "SIN: 046 454 286"),
    ("IP address", "login from 84.17.45.211 at night"),
    ("IP address", "2a02:8109:9a80:1f4c::52d1 was seen"),
]

HARMLESS = [
    "ISBN 978-3-16-148410-0 and ISSN 0378-5955",
    "numpy 1.2.34.5 and Foo 9.8.77.6",
    "version 4.2.17.33 of the driver, build 10.0.19045.3570",
    "Chrome/120.0.6099.129 on Windows 10.0",
    "in 1999-2004, 2,500,000 people; pages 123-145; 12:30:45",
    "doi 10.1145/3442188.3445922, arXiv:2406.14526",
    "user@example.com, you@yourdomain.com, git@github.com:org/repo.git",
    "icon@2x.png and logo@3x.webp",
    "order 4512-8871-0032-9954, invoice 20240517001, ticket 800-555-0199-22",
    "SHA 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "localhost 127.0.0.1, 192.168.1.10 and 10.0.0.5; 0.0.0.0",
    "the point 52.520008, 13.404954 at 4.5 m; 3.14159265358979",
    "std::vector<int>::iterator a::b; 2024:10:11",
    "id 123456789, no. 111222333, 44051401359 rows",
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
    "scores 536-904 and 21-14, 12-03-2024, 2024-03-12 10:22:33",
    "1234567890123456 tokens, 5454545454545454 nanoseconds",
    "4111 1111 1111 1111",
    "ABCDEF12X34Y567Z",
    "@handle, #tag, e-mail me at the office",
    "3,704,004,405,320.13 and 1.000.000,00",
]


@pytest.mark.parametrize(("kind", "text"), PLANTED, ids=[text[:30] for _, text in PLANTED])
def test_d3_what_is_planted_is_found(kind: str, text: str) -> None:
    assert [hit.kind for hit in find_personal(text)] == [kind]


@pytest.mark.parametrize("text", HARMLESS, ids=[text[:30] for text in HARMLESS])
def test_d3_what_only_looks_like_it_is_not_found(text: str) -> None:
    assert find_personal(text) == []


def test_every_kind_of_the_table_has_a_planted_example() -> None:
    assert {kind for kind, _ in PLANTED} == set(COVERED)


def test_national_numbers_are_known_by_region() -> None:
    text = "Telefon 030 901820"
    assert find_personal(text, "US") == []
    assert [hit.kind for hit in find_personal(text, "DE")] == ["telephone number"]
    assert [hit.kind for hit in find_personal(text, "EU")] == ["telephone number"]


@pytest.mark.slow
def test_example_numbers_of_all_regions_are_found_with_their_code() -> None:
    """Google's table of example numbers, one for each region: an independent list."""
    import phonenumbers

    missed = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number(region)
        assert number is not None
        text = (
            f"Write or ring: {phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)} (day)"
        )
        missed += [region] if [hit.kind for hit in find_personal(text)] != ["telephone number"] else []
    assert missed == []


def test_places_are_those_of_the_whole_text() -> None:
    text = "1 2 3\r\nWrite to ines@planted-fixture.org\u2028or ring +49 30 901820\nnow"
    assert [text[hit.start : hit.end] for hit in find_personal(text)] == ["ines@planted-fixture.org", "+49 30 901820"]


def test_a_mask_shows_nothing_that_could_be_used() -> None:
    for kind, text in PLANTED:
        hit = find_personal(text)[0]
        value = text[hit.start : hit.end]
        shown = mask(kind, value).removeprefix(kind)
        assert len(re.sub(r"[ …@]", "", shown)) <= 2 and value not in shown


def test_recall_and_false_alarms_on_planted_texts() -> None:
    """Each planted text amid ordinary sentences with numbers: all are found, and nothing beside them."""
    draw = random.Random(3)
    missed, false = 0, 0
    for _ in range(120):
        kind, planted = draw.choice(PLANTED)
        around = draw.sample(HARMLESS, 4)
        at = draw.randrange(5)
        kinds = [hit.kind for hit in find_personal("\n".join([*around[:at], planted, *around[at:]]))]
        missed += kind not in kinds
        false += len(kinds) - (kind in kinds)
    assert (missed, false) == (0, 0)


@pytest.mark.parametrize(
    "text", ["", "@" * 5000, "1" * 5000, "1-" * 4000, "a@b." * 3000, "+" * 3000, "٣" * 40, "\ud800@x.de", ":" * 5000]
)
def test_strange_texts_are_read_quickly_and_never_fail(text: str) -> None:
    find_personal(text, "XX")
