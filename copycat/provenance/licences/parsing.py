"""What datasets write about licences -> SPDX expressions, with how each was read; never surer than it is.

SPDX: annex D of the SPDX specification 2.3 (licence expressions; ids and operators in any letter case), with the list
of licences that license-expression 30.4 ships, offline. What is not on the list is a fault, with near names; a
`LicenseRef-` is somebody's own licence, and so a known unknown.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, Literal

from copycat.provenance.licences.addresses import is_address, licence_at
from copycat.provenance.licences.facts import facts_of
from copycat.provenance.licences.naming import HUB_IDS, OLD_IDS, UNKNOWN, named
from copycat.schema import Record

MAX_LETTERS, MAX_NAMES, MAX_DEPTH = 2_000, 100, 20
"""Of an expression; a larger one is a fault."""

Method = Literal["spdx", "hub-id", "address", "name", "list", "unknown", "none"]
"""How a text was read: as an expression; an id of the Hub; an address of a licence; a name; several with commas between
them; as the statement that nothing is known; not at all."""

_REF = re.compile(r"(DocumentRef-[A-Za-z0-9.\-]+:)?LicenseRef-[A-Za-z0-9.\-]+")
_OPERATOR = re.compile(r"\b(AND|OR|WITH)\b|[()]")
"""What makes a text meant as an expression; "and" and "with" in small letters stand in any sentence."""

_CC_PORTED = re.compile(r"CC-(BY(?:-NC)?(?:-ND|-SA)?)-([123]\.\d)-[A-Z]{2,}")
_WORD = re.compile(r"[A-Za-z0-9.\-+_:]+")


class ParsedLicence(Record):
    """What a text says of a licence.

    Attributes:
        text: what was read, shortened. expression: in SPDX, with the ids in their own spelling; None where there is
            none, because nothing is known (`is_unknown`) or because of a `fault`.
        method: how it was read.
        deprecated: ids in it that SPDX has replaced.
        note: what was assumed.
    """

    text: str
    expression: str | None = None
    method: Method = "none"
    is_unknown: bool = False
    deprecated: tuple[str, ...] = ()
    note: str = ""
    fault: str = ""

    @property
    def near(self) -> tuple[str, ...]:
        """Names that were perhaps meant, where there is a fault. Worked out when asked for: it takes milliseconds."""
        return near_names(self.text) if self.fault else ()

    @property
    def is_family(self) -> bool:
        """Whether a licence in it is named without its version."""
        return any((facts := facts_of(name)) is not None and facts.family for name in names_in(self.expression or ""))


def parse_licence(text: object) -> ParsedLicence:
    """Read what a dataset says of a licence: an expression, a name, an id of the Hub, an address, a list of these."""
    if isinstance(text, list | tuple):
        return _several([str(one) for one in text], "a list that does not say whether all of them or any one hold")
    if text is None or (isinstance(text, str) and not text.strip()):
        return ParsedLicence(text="", is_unknown=True, method="unknown", note="nothing is stated")
    if not isinstance(text, str):
        return ParsedLicence(text=str(text)[:80], fault=f"is {type(text).__name__}, not the name of a licence")
    return _parse(text.strip()) if len(text) <= MAX_LETTERS else _too_long(text)


@lru_cache(maxsize=65_536)
def _parse(text: str) -> ParsedLicence:
    readers = (_json_list, _unknown, _address, _hub_id, _expression, _name, _said_twice, _list)
    found = next((read for reader in readers if (read := reader(text)) is not None), None)
    if found is not None:
        return found
    read = _spdx(text)
    said = read.fault if _OPERATOR.search(text) else "is neither on SPDX's list nor a name or address that is known"
    return _fault(text, said)


def _json_list(text: str) -> ParsedLicence | None:
    if text[0] != "[":
        return None
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parse_licence(listed) if isinstance(listed, list) and all(isinstance(one, str) for one in listed) else None


def _unknown(text: str) -> ParsedLicence | None:
    if _low(text) not in UNKNOWN:
        return None
    return ParsedLicence(text=text[:160], is_unknown=True, method="unknown", note="says that no licence is known")


def _address(text: str) -> ParsedLicence | None:
    if not is_address(text):
        return None
    found = licence_at(text)
    return _as("address", found, text) if found else _fault(text, "is the address of no licence that is known")


def _hub_id(text: str) -> ParsedLicence | None:
    low = _low(text)
    if low in OLD_IDS:
        return _spdx(OLD_IDS[low]).model_copy(update={"text": text[:160], "deprecated": (text,)})
    return _as("hub-id", HUB_IDS[low], text) if low in HUB_IDS else None


def _expression(text: str) -> ParsedLicence | None:
    read = _spdx(text)
    return None if read.expression is None else read


def _name(text: str) -> ParsedLicence | None:
    name = named(text)
    return None if name is None else _as("name", name, text)


def _said_twice(text: str) -> ParsedLicence | None:
    """Read "Creative Commons Attribution 4.0 International (CC BY 4.0)": a name, and the same once more in brackets."""
    found = re.fullmatch(r"([^()]{3,200})\(([^()]{2,60})\)([^()]{0,80})", text)
    if found is None:
        return None
    outside, inside = named(f"{found.group(1)} {found.group(3)}"), _parse(found.group(2).strip())
    if outside is None or inside.expression is None:
        return None
    read = _as("name", outside, text)
    return read if read.expression == inside.expression else None


def _list(text: str) -> ParsedLicence | None:
    parts = [part.strip() for part in re.split(r"\s*[,;|/&]\s*", text) if part.strip()]
    if not 1 < len(parts) <= MAX_NAMES:
        return None
    several = _several(parts, "does not say whether all of them or any one hold")
    return None if several.expression is None else several.model_copy(update={"text": text[:160]})


def _low(text: str) -> str:
    return " ".join(text.casefold().split())


def _as(method: Method, name: str, shown: str) -> ParsedLicence:
    read = _spdx(name)
    if read.expression is None and _CC_PORTED.fullmatch(name):
        read = _spdx(f"LicenseRef-{name}").model_copy(update={"note": "SPDX has no id for this country's version"})
    if read.expression is None:
        return _fault(shown, f"is read as '{name}', which is not on SPDX's list")
    note = read.note
    facts = facts_of(read.expression)
    if facts is not None and facts.family:
        note = "the version, or the country, is not told"
    elif read.deprecated or (method == "address" and re.fullmatch(r"(A|L)?GPL-.*-only", read.expression)):
        note = "'or later' is not told, so this version alone is taken"
    return read.model_copy(update={"text": shown[:160], "method": method, "note": note, "deprecated": ()})


def _several(parts: list[str], why: str) -> ParsedLicence:
    shown = ", ".join(parts)[:160]
    if len(parts) == 1:
        return parse_licence(parts[0])
    if not parts or len(parts) > MAX_NAMES:
        return ParsedLicence(text=shown, fault=f"names {len(parts)} licences; at most {MAX_NAMES} are read")
    read = [parse_licence(part) for part in parts]
    wrong = next((one for one in read if one.fault), None)
    if wrong is not None:
        return ParsedLicence(text=shown, fault=f"of several, '{wrong.text}' {wrong.fault}")
    open_ = next((one for one in read if one.expression is None), None)
    if open_ is not None:
        note = f"of several, '{open_.text}' says that no licence is known"
        return ParsedLicence(text=shown, is_unknown=True, method="unknown", note=note)
    names = dict.fromkeys(f"({one.expression})" if " " in str(one.expression) else one.expression for one in read)
    joined = _spdx(" AND ".join(str(name) for name in names))
    note = f"{why}; all of them are taken to hold"
    return joined.model_copy(update={"text": shown, "method": "list", "note": note})


def _too_long(text: str) -> ParsedLicence:
    return ParsedLicence(text=text[:160], fault=f"has {len(text)} letters; an expression has at most {MAX_LETTERS}")


def _fault(shown: str, fault: str) -> ParsedLicence:
    return ParsedLicence(text=shown[:160], fault=fault)


# ------------------------------------------------------------------------------------- SPDX


def _spdx(text: str) -> ParsedLicence:
    """Read an SPDX expression."""
    import license_expression as library  # type: ignore[import-untyped]

    shown = text[:160]
    depth = _depth(text)
    if depth > MAX_DEPTH or len(_WORD.findall(text)) > 2 * MAX_NAMES:
        return _fault(shown, f"is larger than an expression may be ({MAX_NAMES} names, {MAX_DEPTH} levels)")
    licensing = _licensing()
    try:
        parsed = licensing.parse(_WORD.sub(_with_plus, text), strict=True)
    except (library.ExpressionError, library.ExpressionParseError, RecursionError) as error:
        said = str(error).partition(" for token")[0]
        return _fault(shown, f"is no SPDX expression: {' '.join(said.split())[:160]}")
    except Exception as error:  # noqa: BLE001 - the library raises TypeError, IndexError and others for odd texts
        return _fault(shown, f"is no SPDX expression ({type(error).__name__})")
    if parsed is None:
        return _fault(shown, "is empty")
    strange = [key for key in licensing.unknown_license_keys(parsed) if not (_REF.fullmatch(key) or _is_plus(key))]
    if strange:
        listed = ", ".join(f"'{key}'" for key in strange[:3])
        return _fault(shown, f"{listed} {'are' if len(strange) > 1 else 'is'} not on SPDX's list")
    old = tuple(
        word for word in dict.fromkeys(_WORD.findall(text)) if word.casefold() in _deprecated() and "Ref-" not in word
    )
    return ParsedLicence(text=shown, expression=str(parsed), method="spdx", deprecated=old)


def _is_plus(key: str) -> bool:
    """Whether it is a licence "or any later version", where SPDX has no name of its own for that."""
    return key.endswith("+") and key[:-1].casefold() in _known_names() and key[:-1].casefold() not in HUB_IDS


def _with_plus(word: re.Match[str]) -> str:
    """Spell a licence with "+" as SPDX does."""
    key = word.group()
    return f"{_known_names()[key[:-1].casefold()]}+" if _is_plus(key) else key


def tree_of(expression: str) -> Any:
    """Give the parsed tree of an expression that `parse_licence` gave: AND, OR, symbols, symbols WITH an exception."""
    return _licensing().parse(expression)


def names_in(expression: str) -> Iterator[str]:
    """Yield the ids of the licences in an expression that `parse_licence` gave, without exceptions."""
    for word in re.sub(r"WITH\s+\S+", " ", expression).replace("(", " ").replace(")", " ").split():
        if word not in ("AND", "OR"):
            yield word


@cache
def _licensing() -> Any:
    """Give the library with SPDX's list; aliases that say `LicenseRef-` are left out: such a name is its user's own."""
    import license_expression as library  # type: ignore[import-untyped]

    symbols = [
        library.LicenseSymbol(
            key=symbol.key,
            aliases=tuple(alias for alias in symbol.aliases if not alias.startswith("LicenseRef-")),
            is_exception=symbol.is_exception,
        )
        for symbol in library.get_spdx_licensing().known_symbols.values()
    ]
    return library.Licensing(symbols)


@cache
def _deprecated() -> frozenset[str]:
    """Ids that SPDX has replaced, such as GPL-3.0, in small letters."""
    return frozenset(
        alias.casefold()
        for symbol in _licensing().known_symbols.values()
        for alias in symbol.aliases
        if " " not in alias
    )


@cache
def _known_names() -> dict[str, str]:
    names = {
        key.casefold(): key
        for key, symbol in _licensing().known_symbols.items()
        if not key.startswith("LicenseRef-") and not symbol.is_exception
    }
    return names | {name: name for name in HUB_IDS}


@lru_cache(maxsize=1024)
def near_names(text: str) -> tuple[str, ...]:
    """Give names like a text; of an expression or list, like its first word that is not known."""
    words = [word for word in _WORD.findall(text) if word.casefold() not in ("and", "or", "with")]
    strange = next((word for word in words if word.casefold() not in _known_names()), "")
    for wanted in (text, strange):
        low = wanted.casefold()[:60].replace(" ", "-")
        found = difflib.get_close_matches(low, _known_names(), n=3, cutoff=0.75)
        if found:
            return tuple(_known_names()[name] for name in found)
    return ()


def _depth(text: str) -> int:
    depth = most = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        most = max(most, depth)
    return most
