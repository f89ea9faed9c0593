"""The table of kinds of personal data that have a pattern and a check.

A pattern alone is not enough where one in ten numbers passes the check: then a word must stand before the number that
says what it is, or the number must be written in the groups of its kind.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from copycat.provenance.datasheet.personal import digits
from copycat.provenance.datasheet.personal.digits import Check


class Kind(NamedTuple):
    """A kind: its name, how it is written, its check, and the words before it without which it does not count.

    `marks` are taken out before the check.
    """

    name: str
    pattern: re.Pattern[str]
    check: Check
    words: re.Pattern[str] | None = None
    marks: str = " -."


def _pattern(text: str) -> re.Pattern[str]:
    """Give the pattern of a number that stands by itself: no letter, digit, dash or point beside it."""
    return re.compile(rf"(?<![\w.\-/@]){text}(?![\w@]|[.\-/]\w)", re.ASCII)


def _words(text: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{text})\b", re.IGNORECASE)


KINDS: tuple[Kind, ...] = (
    Kind("IBAN", _pattern(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?"), digits.is_iban),
    Kind("payment card", _pattern(r"(?:\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}|\d{4}[ -]\d{6}[ -]\d{5})"), digits.is_card),
    Kind("payment card", _pattern(r"\d{13,19}"), digits.is_card,
         _words(r"card|visa|mastercard|amex|credit|debit|karte|carte")),
    Kind("US social security number", _pattern(r"\d{3}-\d{2}-\d{4}"), digits.is_ssn),
    Kind("US social security number", _pattern(r"\d{3}[ -]?\d{2}[ -]?\d{4}"), digits.is_ssn,
         _words(r"ssn|social security")),
    Kind("UK national insurance number",
         _pattern(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"), digits.is_nino),
    Kind("NHS number", _pattern(r"\d{3}[ -]?\d{3}[ -]?\d{4}"), digits.is_nhs, _words(r"nhs")),
    Kind("German tax id", _pattern(r"\d{2} ?\d{3} ?\d{3} ?\d{3}"), digits.is_steuer_id,
         _words(r"steuer\w*|idnr|tax id|tin|steuer-id\w*|identifikationsnummer")),
    Kind("French social security number",
         _pattern(r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2A|2B) ?\d{3} ?\d{3} ?\d{2}"), digits.is_nir),
    Kind("Spanish DNI or NIE", _pattern(r"(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]"), digits.is_dni,
         _words(r"dni|nie|nif|identidad")),
    Kind("Italian codice fiscale", _pattern(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]"),
         digits.is_codice_fiscale),
    Kind("Dutch BSN", _pattern(r"\d{9}"), digits.is_bsn, _words(r"bsn|burgerservicenummer|sofinummer")),
    Kind("Polish PESEL", _pattern(r"\d{11}"), digits.is_pesel, _words(r"pesel")),
    Kind("Swedish personnummer", _pattern(r"\d{6}[-+]\d{4}"), digits.is_personnummer, marks="-+"),
    Kind("Finnish henkilötunnus", _pattern(r"\d{6}[-+A]\d{3}[0-9A-FHJ-NPR-Y]"), digits.is_hetu, marks=""),
    Kind("Brazilian CPF", _pattern(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), digits.is_cpf),
    Kind("Indian Aadhaar", _pattern(r"[2-9]\d{3} ?\d{4} ?\d{4}"), digits.verhoeff, _words(r"aadhaar|aadhar|uidai")),
    Kind("Chinese resident id", _pattern(r"[1-9]\d{16}[\dXx]"), digits.is_resident_id),
    Kind("Canadian SIN", _pattern(r"\d{3}[ -]\d{3}[ -]\d{3}"), digits.luhn, _words(r"(?-i:SIN|NAS)|social insurance")),
)  # fmt: skip

COVERED = ("e-mail address", "telephone number", "IP address", *dict.fromkeys(kind.name for kind in KINDS))
"""All kinds that are looked for. Names, postal addresses and faces are not: they need a model, and a person to look."""
