"""How much personal data the scan of D3 finds, and how often it is wrong.

Recall: numbers that pass their checks are drawn at random for each kind, and set into sentences; telephone numbers are
the examples of Google's table for all regions. False alarms: texts in which nothing of the kind is known to stand, the
documentation and code of this project, and random numbers of many forms. Every hit there is printed, masked, with its
file, so that a person can say whether it is one.

    python benchmarks/provenance_pii.py
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

from copycat.provenance.datasheet.personal import find_personal
from copycat.provenance.datasheet.personal.finding import mask
from copycat.provenance.datasheet.personal.kinds import KINDS

ROOT = Path(__file__).resolve().parents[1]
N_OF_KIND = 200
WORDS = {"payment card": "card", "NHS number": "NHS", "German tax id": "Steuer-ID", "Spanish DNI or NIE": "DNI",
         "Dutch BSN": "BSN", "Polish PESEL": "PESEL", "Indian Aadhaar": "Aadhaar", "Canadian SIN": "SIN"}  # fmt: skip
FORMS = {
    "IBAN": "DE0000000000000000NNNN", "payment card": "4NNN NNNN NNNN NNNN", "US social security number": "NNN-NN-NNNN",
    "UK national insurance number": "AB NN NN NN C", "NHS number": "NNN NNN NNNN", "German tax id": "NN NNN NNN NNN",
    "French social security number": "2 NN 08 14 NNN NNN NN", "Spanish DNI or NIE": "NNNNNNNNL",
    "Italian codice fiscale": "LLLLLLNNANNLNNNL", "Dutch BSN": "NNNNNNNNN", "Polish PESEL": "NN0N1NNNNNN",
    "Swedish personnummer": "NN0N1N-NNNN", "Finnish henkilötunnus": "1N0NNN-NNNL", "Brazilian CPF": "NNN.NNN.NNN-NN",
    "Indian Aadhaar": "NNNN NNNN NNNN", "Chinese resident id": "NNNNNN19NN0N1NNNNN", "Canadian SIN": "NNN NNN NNN",
}  # fmt: skip


def drawn(form: str, draw: random.Random) -> str:
    """Fill a form: N a digit, L a letter; the rest stays."""
    return "".join(
        draw.choice("0123456789") if one == "N" else draw.choice("ABCDEFGHJKLMNPQRSTVWXYZ") if one == "L" else one
        for one in form
    )


def valid(kind: str, draw: random.Random) -> Iterator[str]:
    """Draw numbers until they pass the pattern and the check of their kind."""
    rows = [row for row in KINDS if row.name == kind]
    while True:
        number = drawn(FORMS[kind], draw)
        if kind == "IBAN":
            body = drawn("NNNNNNNNNNNNNNNNNN", draw)
            number = f"DE{98 - int(f'{body}131400') % 97:02d}{body}"
        for row in rows:
            plain = number.translate({ord(mark): None for mark in row.marks})
            if row.pattern.fullmatch(number) and row.check(plain):
                yield number


def recall(draw: random.Random) -> None:
    """Print the share found of each kind."""
    import phonenumbers

    for kind in FORMS:
        numbers = valid(kind, draw)
        texts = [
            f"It says {WORDS.get(kind, 'there')} {next(numbers)} on page {draw.randrange(90)}."
            for _ in range(N_OF_KIND)
        ]
        found = sum(kind in [hit.kind for hit in find_personal(text)] for text in texts)
        print(f"{kind:32} {found:4} of {N_OF_KIND}")
    for title, form in (("with its country's code", "INTERNATIONAL"), ("as it is written at home", "NATIONAL")):
        found = 0
        regions = sorted(phonenumbers.SUPPORTED_REGIONS)
        for region in regions:
            number = phonenumbers.example_number(region)
            assert number is not None, region
            text = f"Tel. {phonenumbers.format_number(number, getattr(phonenumbers.PhoneNumberFormat, form))}"
            found += "telephone number" in [hit.kind for hit in find_personal(text, region)]
        print(f"{f'telephone number, {title}':45} {found:4} of {len(regions)}")


def recall_spelled_out(draw: random.Random) -> None:
    """Print the share found of e-mail addresses that are written so that machines do not see them."""
    names = [f"{drawn('LLL', draw).lower()}{draw.choice(['', '.k', '_7'])}" for _ in range(N_OF_KIND)]
    forms = ("{}@mail.net", "{} [at] mail [dot] net", "{}(at)mail.net", "{} @ mail . net", "{}&#64;mail.net",
             "{}_at_mail_dot_net", "write to {} at mail dot net", "{} at mail dot net")  # fmt: skip
    for form in forms:
        found = sum(bool(find_personal(f"It says {form.format(name)} there.")) for name in names)
        print(f"{form.format('name'):32} {found:4} of {N_OF_KIND}")


def false_alarms(draw: random.Random) -> None:
    """Print what is found where nothing should be."""
    files = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("copycat/**/*.py"), *ROOT.glob("copycat/fairuse/works/**/*.txt")]
    n_letters = n_hits = 0
    begun = time.perf_counter()
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        for first in range(0, len(text), 20_000):
            part = text[first : first + 20_000]
            n_letters += len(part)
            for hit in find_personal(part):
                n_hits += 1
                print(f"  {path.relative_to(ROOT)}: {mask(hit.kind, part[hit.start : hit.end])}")
    seconds = time.perf_counter() - begun
    millions = n_letters / 1e6
    speed = f"{millions / seconds:.1f} million a second"
    print(f"{n_hits} hits in {millions:.1f} million letters of {len(files)} files, {speed}")
    forms = ["NNNNNNNNNN", "NNN-NN-NNN", "NNNN-NN-NN NN:NN:NN", "N.N.NN.N", "NNNNNNNNNNNNNNNN", "NNN NNN NNN",
    "978-N-NN-NNNNNN-N",
             "NN.NNN,NN", "NNN,NNN,NNN", "N.NNNNNNNN", "NNNNNNNNN", "NN/NN/NNNN", "(NNN) NNN",
             "NNNNNNNNNNN"]  # fmt: skip
    for form in forms:
        hits = sum(bool(find_personal(f"The value is {drawn(form, draw)} in all.")) for _ in range(2000))
        print(f"{re.sub('[LN]', '9', form):24} {hits:4} of 2000")


if __name__ == "__main__":
    recall(random.Random(1))
    recall_spelled_out(random.Random(3))
    false_alarms(random.Random(2))
