"""Check digits against published examples, and against what the standards promise of them."""

from __future__ import annotations

import random

import pytest

from copycat.provenance.datasheet.personal import digits
from copycat.provenance.datasheet.personal.digits import Check

# Numbers that the issuers, standards or registers publish as examples; they belong to nobody.
EXAMPLES: list[tuple[Check, str]] = [
    (digits.luhn, "79927398713"),  # the example of Luhn's algorithm in the literature
    (digits.is_card, "5454545454545454"),  # a test number of an acquirer
    (digits.is_iban, "GB82WEST12345698765432"),  # ISO 13616
    (digits.is_iban, "DE89370400440532013000"),
    (digits.is_iban, "FR1420041010050500013M02606"),
    (digits.is_nhs, "9434765919"),
    (digits.is_steuer_id, "86095742719"),
    (digits.is_steuer_id, "47036892816"),
    (digits.is_nir, "255081416802538"),
    (digits.is_dni, "12345678Z"),
    (digits.is_dni, "X1234567L"),
    (digits.is_codice_fiscale, "RSSMRA85T10A562S"),
    (digits.is_bsn, "111222333"),
    (digits.is_pesel, "44051401359"),
    (digits.is_personnummer, "8112289874"),
    (digits.is_hetu, "131052-308T"),
    (digits.is_cpf, "11144477735"),
    (digits.is_resident_id, "11010519491231002X"),  # GB 11643-1999
    (digits.verhoeff, "2363"),
    (digits.luhn, "046454286"),  # the example of the Canadian SIN
]
ONE_ERROR = {digits.luhn, digits.is_iban, digits.is_nir, digits.verhoeff, digits.is_cpf, digits.is_resident_id}
"""Those that find every single wrong digit."""


@pytest.mark.parametrize(
    ("check", "number"), EXAMPLES, ids=[f"{check.__name__}-{number}" for check, number in EXAMPLES]
)
def test_a_published_example_passes(check: Check, number: str) -> None:
    assert check(number)


@pytest.mark.parametrize(
    ("check", "number"),
    [(check, number) for check, number in EXAMPLES if check in ONE_ERROR],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_every_single_wrong_digit_is_found(check: Check, number: str) -> None:
    for at, letter in enumerate(number):
        if letter.isdigit():
            others = [str(digit) for digit in range(10) if str(digit) != letter]
            assert not any(check(f"{number[:at]}{other}{number[at + 1 :]}") for other in others), at


def test_verhoeff_finds_every_swap_of_neighbours() -> None:
    number = next(f"836427195{last}" for last in range(10) if digits.verhoeff(f"836427195{last}"))
    swapped = [number[:at] + number[at + 1] + number[at] + number[at + 2 :] for at in range(len(number) - 1)]
    assert not any(map(digits.verhoeff, swapped))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "length", "most"),
    [(digits.luhn, 12, 0.1), (digits.verhoeff, 12, 0.1), (digits.is_nhs, 10, 1 / 11), (digits.is_bsn, 9, 1 / 11),
     (digits.is_cpf, 11, 0.01), (digits.is_nir, 15, 1 / 97)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)  # fmt: skip
def test_random_numbers_pass_as_often_as_the_docstring_says(check: Check, length: int, most: float) -> None:
    draw = random.Random(1)
    passed = sum(check("".join(draw.choices("0123456789", k=length))) for _ in range(3000))
    assert passed / 3000 == pytest.approx(most, abs=0.02)


@pytest.mark.parametrize("number", ["000121234", "666121234", "900121234", "123001234", "123450000", "078051120"])
def test_a_social_security_number_that_is_never_issued_does_not_pass(number: str) -> None:
    assert not digits.is_ssn(number)


def test_cards_made_for_tests_and_unknown_issuers_do_not_pass() -> None:
    assert digits.luhn("4111111111111111") and not digits.is_card("4111111111111111")
    assert digits.luhn("1234567812345670") and not digits.is_card("1234567812345670")
