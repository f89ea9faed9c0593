"""Check digits. Each function takes the number without spaces and marks, and says whether it can be one.

A number that passes may still belong to nobody: one in 10 (Luhn, Verhoeff), 11, 23 or 97 random numbers passes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

Check = Callable[[str], bool]


def luhn(number: str) -> bool:
    """Check Luhn's digit (ISO/IEC 7812-1, annex B): from the right, every second digit doubled, sum divisible by 10."""
    total = 0
    for at, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def is_card(number: str) -> bool:
    """Check a payment card: issuer's prefix with its length, and Luhn's digit; not the numbers made for tests."""
    if number in TEST_CARDS:
        return False
    n, two, four = len(number), int(number[:2]), int(number[:4])
    is_known = (
        (number[0] == "4" and n in {13, 16, 19})
        or (n == 16 and (51 <= two <= 55 or 2221 <= four <= 2720 or four == 6011 or two == 65))
        or (n == 15 and two in {34, 37})
    )
    return is_known and luhn(number)


TEST_CARDS = {"4111111111111111", "4242424242424242", "5555555555554444", "378282246310005", "4012888888881881",
              "5105105105105100", "371449635398431", "6011111111111117"}  # fmt: skip

IBAN_LENGTHS = {"AD": 24, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
                "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27,
                "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25,
                "RO": 24, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "AE": 23, "IL": 23,
                "BR": 29}  # fmt: skip


def is_iban(number: str) -> bool:
    """Check an IBAN (ISO 13616): its country's length; first four letters to the end, A to Z as 10 to 35, mod 97."""
    if IBAN_LENGTHS.get(number[:2]) != len(number):
        return False
    return int("".join(str(int(letter, 36)) for letter in number[4:] + number[:4])) % 97 == 1


def is_ssn(number: str) -> bool:
    """Check a US Social Security number, which has no check digit: not area 000, 666, 9xx, group 00, serial 0000."""
    area, group, serial = number[:3], number[3:5], number[5:]
    known = {"078051120", "219099999", "123456789"}
    is_area = area not in {"000", "666"} and area[0] != "9"
    return is_area and group != "00" and serial != "0000" and number not in known


def is_nhs(number: str) -> bool:
    """Check a number of the NHS: weights 10 to 2, mod 11."""
    check = 11 - _weighed(number[:9], range(10, 1, -1)) % 11
    return check != 10 and check % 11 == int(number[9])


def is_nino(number: str) -> bool:
    """Check the prefix of a UK National Insurance number, which has no check digit."""
    return number[:2] not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}


def is_steuer_id(number: str) -> bool:
    """Check a German tax id: one digit two or three times among the first ten; ISO 7064, mod 11,10."""
    head = number[:10]
    most = max(head.count(digit) for digit in set(head))
    if head[0] == "0" or most not in {2, 3}:
        return False
    product = 10
    for digit in head:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(number[10])


def is_nir(number: str) -> bool:
    """Check a French number of the INSEE: 97 less the first 13 digits mod 97; 2A and 2B of Corsica are 19 and 18."""
    plain = number.replace("2A", "19").replace("2B", "18")
    return plain.isdigit() and 97 - int(plain[:13]) % 97 == int(plain[13:])


def is_dni(number: str) -> bool:
    """Check a Spanish DNI or NIE: its letter by the number mod 23; X, Y and Z are 0, 1 and 2."""
    head = number[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(head) % 23] == number[-1]


def is_codice_fiscale(number: str) -> bool:
    """Check an Italian codice fiscale: odd places by their table, even ones by value, mod 26."""
    odd = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                   (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8,
                    12, 14, 16, 10, 22, 25, 24, 23), strict=True))  # fmt: skip
    total = 0
    for at, letter in enumerate(number[:15]):
        total += odd[letter] if at % 2 == 0 else int(letter) if letter.isdigit() else ord(letter) - 65
    return chr(65 + total % 26) == number[15]


def is_bsn(number: str) -> bool:
    """Check a Dutch BSN: weights 9 to 2 and -1, mod 11."""
    return number != "000000000" and _weighed(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_pesel(number: str) -> bool:
    """Check a Polish PESEL: a day of birth (the century is in the month), weights 1 3 7 9, mod 10."""
    month = int(number[2:4])
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}[month // 20]
    is_day = _is_day(century + int(number[:2]), month % 20, int(number[4:6]))
    return is_day and _weighed(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def is_personnummer(number: str) -> bool:
    """Check a Swedish personnummer of ten digits: a day of birth, and Luhn's digit."""
    return _is_day(2000 + int(number[:2]), int(number[2:4]), int(number[4:6])) and luhn(number)


def is_hetu(number: str) -> bool:
    """Check a Finnish henkilotunnus: a day of birth, and the letter of day and serial mod 31."""
    letter = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(number[:6] + number[7:10]) % 31]
    return _is_day(2000 + int(number[4:6]), int(number[2:4]), int(number[:2])) and letter == number[10]


def is_cpf(number: str) -> bool:
    """Check a Brazilian CPF: two digits, weights 10 to 2 and 11 to 2, mod 11."""
    if len(set(number)) == 1:
        return False
    first = _weighed(number[:9], range(10, 1, -1)) * 10 % 11 % 10
    second = _weighed(number[:10], range(11, 1, -1)) * 10 % 11 % 10
    return number[9:] == f"{first}{second}"


def is_resident_id(number: str) -> bool:
    """Check a Chinese resident identity number (GB 11643-1999): a day of birth, ISO 7064 mod 11-2."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    is_day = _is_day(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return is_day and "10X98765432"[_weighed(number[:17], weights) % 11] == number[17].upper()


_D = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
      "5987604321", "6598710432", "7659821043", "8765932104", "9876543210")  # fmt: skip
_P = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258")


def verhoeff(number: str) -> bool:
    """Check Verhoeff's digit (1969): the dihedral group of order 10, from the right."""
    total = 0
    for at, digit in enumerate(reversed(number)):
        total = int(_D[total][int(_P[at % 8][int(digit)])])
    return total == 0


def _weighed(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
