"""Read a judge's answer strictly: the one answer that it clearly gives, or none at all. Never a guess.

An unreadable answer costs one more question. A misread one would be a wrong verdict that nobody sees.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from copycat.names import fold

MAX_NAMES, MAX_NAME_LENGTH, MAX_WORDS = 20, 100, 10
MAX_TEXT = 20_000
MIN_YES_NO = 0.05
"""With less probability on yes and no together, the model is saying something else."""

T = TypeVar("T")


class UnreadableError(ValueError):
    """There is no clear answer in the text; it says why."""


class OpenAnswer(NamedTuple):
    """Whom the judge names, in its own spelling; empty if it says that there is nobody."""

    names: tuple[str, ...]


def read_open(text: str) -> OpenAnswer:
    """Read the answer to the open question: a JSON object {"characters": [names]}, or one name without the list.

    Raises:
        UnreadableError: anything else.
    """
    return OpenAnswer(_the_one_answer(text, "characters", _names))


def read_closed(text: str) -> bool:
    """Read the answer to the closed question: a JSON object {"shown": true} or {"shown": false}.

    Raises:
        UnreadableError: anything else.
    """
    return _the_one_answer(text, "shown", _truth)


def yes_probability(p_yes: float, p_no: float) -> float | None:
    """Give P(Yes) / (P(Yes) + P(No)); None where the model would rather say something else.

    VQAScore (arXiv:2404.01291, section 3) is the plain probability of "Yes". What other words take from it depends on
    the model and not on the picture, so it is taken out here; the figure is called CONS, and is not VQAScore.

    Args:
        p_yes, p_no: probabilities of the next token, each summed over the spellings of the word.
    """
    both = p_yes + p_no
    return min(1.0, max(0.0, p_yes / both)) if both >= MIN_YES_NO else None


def from_top_logprobs(tokens: Sequence[tuple[str, float]]) -> float | None:
    """Give P(Yes) from the likeliest first tokens of an API's answer, with their natural log-probabilities."""
    p_yes, p_no = (
        # Services round: a logarithm a hair above 0 is a probability of 1, and exp must not overflow.
        sum(math.exp(min(logprob, 0.0)) for token, logprob in tokens if fold(token) == word and math.isfinite(logprob))
        for word in ("yes", "no")
    )
    return yes_probability(p_yes, p_no)


# ------------------------------------------------------------------------------------ the object in the text


_END = re.compile(
    r"(?:(?:<\|(?:im_end|endoftext|eot_id|end|end_of_text)\|>|</s>|<eos>|<end_of_(?:turn|utterance)>)\s*){1,4}\Z"
)
"""Marks that servers leave at the very end of an answer; anywhere else a mark may fake another turn."""

_RESERVED = re.compile(
    r"<[|\uff5c]|[|\uff5c]>|\[/?INST\]|<</?SYS>>"
    r"|</?(?:s|think|image|img|eos|bos|pad|unk|start_of_\w+|end_of_\w+)>",
    re.IGNORECASE,
)
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff"  # control, half letters, private use
    "\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f\U000f0000-\U0010ffff]"  # turned writing, invisible ASCII
)
"""Characters with which a text is not what one sees. Line ends and tabs may stand between words, not in a name."""

_MARKDOWN = re.compile(r"```(?:json)?|[*`.]", re.IGNORECASE)
_QUOTES = tuple("\"'\u2018\u201c\u201e\u00ab\u300c")

_REFUSAL = re.compile(
    r"\b(?:sorry|apologi[sz]e|cannot|can not|can t|could not|couldn t|unable|not able|won t|will not"
    r"|(?:do not|don t) know|not sure|unsure|not certain|as an ai|refuse|decline|not identif\w+|unidentif\w+"
    r"|unrecogni[sz]\w+|tut mir leid|leider|kann \w* ?nicht|nicht in der lage|desolee?|ne peux pas"
    r"|lo siento|no puedo|mi dispiace|non posso|desculpe|nao posso|nao consigo|kan \w* ?niet|helaas"
    r"|nie moge|przepraszam|не могу|извините|к сожалению|uzgunum|xin loi|khong the|maaf|tidak (?:dapat|bisa))\b"
    r"|抱歉|对不起|對不起|无法|無法|不能|申し訳|できません|わかりません|죄송|수 없|عذر|لا يمكن|لا استطيع|माफ|नहीं"
)
"""Folded. A refusal beside an object, or in the place of a name, is not an answer."""


def _the_one_answer(text: str, key: str, read: Callable[[Any], T]) -> T:
    """Give what the one object of a text says under its one key; twice the same object is the same answer."""
    answers = [read(_only_value(pairs, key)) for pairs in _objects_in(_clean(text))]
    if not answers:
        raise UnreadableError("no whole JSON object")
    if any(answer != answers[0] for answer in answers):
        raise UnreadableError("several answers that differ")
    return answers[0]


def _clean(text: str) -> str:
    """Leave out what surrounds an answer without a meaning; refuse what could fake one."""
    if len(text) > MAX_TEXT:
        raise UnreadableError(f"{len(text)} letters; an answer is short")
    stripped = _END.sub("", text.strip()).strip().removeprefix("\ufeff").strip()
    if not stripped:
        raise UnreadableError("empty")
    _require_plain(stripped)
    return stripped


def _require_plain(text: str) -> None:
    if _HIDDEN.search(text) or _RESERVED.search(text):
        raise UnreadableError("control characters or reserved marks")


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, so that a key that stands twice is seen."""


def _objects_in(text: str) -> list[_Pairs]:
    """Give every outermost JSON object; brackets beside them make the text unreadable."""
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs, parse_constant=_refuse)
    objects, prose, position = [], [], 0
    while (start := text.find("{", position)) >= 0:
        prose.append(text[position:start])
        try:
            value, position = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            raise UnreadableError("damaged or cut-off JSON") from error
        objects.append(value)
    prose.append(text[position:])
    if objects:
        _require_harmless(prose)
    return objects


def _require_harmless(prose: list[str]) -> None:
    """Refuse words around the objects that take them back: n + 1 pieces around n objects."""
    if any(bracket in piece for piece in prose for bracket in "}[]"):
        raise UnreadableError("brackets outside of a JSON object")
    if _REFUSAL.search(fold(" ".join(prose))):
        raise UnreadableError("a refusal beside the JSON object")
    bare = [_MARKDOWN.sub("", piece) for piece in prose]
    for before, after in pairwise(bare):
        led_by, followed_by = before.rpartition("\n")[2].strip(), after.partition("\n")[0].strip()
        if led_by and followed_by:
            raise UnreadableError("a JSON object in the middle of a sentence is talked about, not given")
        if led_by.endswith(_QUOTES) or fold(f"; {led_by}").split()[-1:] == ["not"]:
            raise UnreadableError("a JSON object that is quoted or denied")


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _only_value(pairs: _Pairs, key: str) -> Any:
    if len(pairs) != 1 or pairs[0][0].strip().lower() != key:
        raise UnreadableError(f'needed: the one key "{key}"')
    return pairs[0][1]


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnreadableError('"shown" is neither true nor false')
    return value


# ---------------------------------------------------------------------------------- what may be a name


_NOBODY = re.compile(
    r"none|none of .*|nobody|no ?one|nothing|n a|na|nil|nan|null|undefined|empty|yes|no|true|false|shown|not shown"
    r"|not (?:applicable|available|known|identifiable|clear|recogni[sz]able)"
    r"|(?:unknown|unnamed|unclear|uncertain|anonymous|generic|various|multiple|other)"
    r"(?: (?:fictional|animated|cartoon|anime|original))?(?: (?:characters?|figures?|persons?|names?))?"
    r"|no (?:\w+ ){0,4}(?:characters?|figures?|names?|persons?|people|match|answer)\b.*"
    r"|(?:the |character |characters |common |english )*(?:names?|characters?) ?[0-9a-z]?(?: here)?"
    r"|the common english name of .*|placeholder|example|string"
    r"|keiner?|niemand|unbekannt|personne|aucune?|inconnue?|ninguno|ninguna|nadie|desconocid[oa]|nessuno"
    r"|sconosciut[oa]|nenhuma?|ninguem|geen|nikt|brak|нет|никто|неизвестно|なし|不明|无|無|没有|沒有|未知|없음"
)
"""Folded words that stand where a name should, and are none."""

_SENTENCE = re.compile(
    r"\A(?:i|we|it|there|this|that|(?:the|this) (?:picture|image|photo|character)) (?:is|are|was|do|don|can|could|would"
    r"|see|think|believe|shows?|seems?|appears?|depicts?|contains?|features?|does|has|have)\b"
    r"|\b(?:ignore|instructions?|prompt|json|respond|answer)\b"
    r"|です|ます|ません|입니다|습니다|这是|這是|没有|沒有"
)
_TWO_SCRIPTS = re.compile("[a-z\u00c0-\u024f][\u0370-\u052f]|[\u0370-\u052f][a-z\u00c0-\u024f]", re.IGNORECASE)
"""A Latin letter beside a Greek or Cyrillic one: a name that looks like another."""


def _names(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or isinstance(names, _Pairs) or not all(isinstance(name, str) for name in names):
        raise UnreadableError('"characters" is no list of names')
    if isinstance(value, str) and ("," in value or ";" in value):
        raise UnreadableError("one text where a list of names should stand")
    if len(names) > MAX_NAMES:
        raise UnreadableError(f"{len(names)} names; at most {MAX_NAMES} can be meant")
    return tuple(_name(name) for name in names)


def _name(text: str) -> str:
    """Give a name as it was written; refuse what is none."""
    name = text.strip()
    folded = fold(name)
    _require_plain(name)
    if len(name) > MAX_NAME_LENGTH or len(name.split()) > MAX_WORDS:
        raise UnreadableError("a sentence where a name should stand")
    if any(sign in name for sign in "{}\n\r\t"):
        raise UnreadableError("more than a name where a name should stand")
    if _NOBODY.fullmatch(folded) or not any(letter.isalpha() for letter in folded):
        raise UnreadableError(f"'{name[:40]}' is no name")
    if _SENTENCE.search(folded) or _REFUSAL.search(folded):
        raise UnreadableError("a sentence where a name should stand")
    if _TWO_SCRIPTS.search(name):
        raise UnreadableError("a word in the letters of two scripts")
    return " ".join(name.split())
