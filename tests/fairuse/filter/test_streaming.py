"""What a filter shows: allowances, actions, evasions, and the same decision whatever the pieces."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from copycat.errors import UserError
from copycat.fairuse.filter import Decision, OutputFilter, Policy
from copycat.fairuse.filter.records import TRIM_MARK
from copycat.fairuse.works import LoadedWork, WithheldGrams

from .conftest import NOVEL, UNRELATED, work_of

Under = Callable[..., OutputFilter]

SENTENCE = NOVEL[NOVEL.index("She thought") : NOVEL.index('"Your uncle,"')]
"""Of 27 words."""

POLICIES: dict[str, dict[str, object]] = {
    "trim": {"quote_words": 8, "work_words": 20},
    "trim all": {"quote_words": 0, "work_words": 0, "cite": True},
    "block": {"quote_words": 8, "work_words": 20, "beyond": "block"},
    "rewrite": {"quote_words": 8, "work_words": 20, "beyond": "rewrite", "cite": True},
    "rewrite in vain": {"quote_words": 8, "work_words": 20, "beyond": "rewrite"},
}


def in_pieces(owner: OutputFilter, text: str, sizes: list[int], prompt: str = "") -> tuple[str, Decision]:
    stream, at, shown = owner.stream(prompt), 0, ""
    while at < len(text):
        size = sizes[at % len(sizes)]
        shown += stream.push(text[at : at + size])
        at += size
    last, decision = stream.close()
    return shown + last, decision


def mixed_text(rng: random.Random) -> str:
    parts = []
    for _ in range(rng.randint(1, 6)):
        source = rng.choice([NOVEL, NOVEL, UNRELATED])
        start = rng.randrange(len(source))
        part = source[start : start + rng.choice([5, 30, 80, 160, 400])]
        style = rng.random()
        part = part.upper() if style < 0.15 else " ".join(part) if style < 0.25 else part
        words = part.split(" ")
        if style > 0.7:
            words = [word if rng.random() < 0.8 else "other" for word in words]
        parts.append(" ".join(words))
    return rng.choice(["", "\n", " and then, "]).join(parts)


@pytest.mark.parametrize("name", POLICIES)
def test_u7_the_decision_is_the_same_whatever_the_pieces(under: Under, name: str) -> None:
    rewriter = (lambda text: text) if name == "rewrite in vain" else (lambda text: text[::-1])
    owner = under(rewriter, **POLICIES[name])
    rng = random.Random(name)
    actions = set()
    for _ in range(12):
        text = mixed_text(rng)
        decision = owner.check(text)
        actions.add(decision.action)
        for sizes in ([1], [2], [7], [64], [rng.randint(1, 64) for _ in range(50)]):
            assert in_pieces(owner, text, sizes) == (decision.text, decision)
    assert len(actions) > 1


@pytest.fixture(scope="module")
def shelf(novel: LoadedWork, public_domain: list[LoadedWork]) -> OutputFilter:
    """Works of all kinds, one of them withheld, one open, one with numbered lines."""
    lines = UNRELATED.replace("\n", " ").split(", ")
    numbered = work_of("\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1)), "recipe", "open")
    grams = WithheldGrams.of_text(novel.work, novel.readable)
    return OutputFilter.of_works([public_domain[0], numbered, LoadedWork(grams.file.work, withheld=grams)])


ODD = (
    "\u200b",
    "\u0301",
    "\u00ad",
    "\n7. ",
    "\n 8) ",
    "\ud83d",
    "\U0001f600",
    "'",
    "-\n",
    "\r\n",
    "\ufb01",
    "\u30ab\u3099",
    "\0",
)


@pytest.mark.parametrize("beyond", ["trim", "rewrite", "block"])
def test_u7_with_prompts_several_works_and_odd_letters(shelf: OutputFilter, beyond: str) -> None:
    rng = random.Random(beyond)
    for _ in range(25):
        policy = Policy.model_validate(
            {
                **{"quote_words": rng.choice([0, 3, 8, 25]), "work_words": rng.choice([0, 20, 100])},
                **{"beyond": beyond, "cite": rng.random() < 0.5, "attribute": rng.choice([(), ("open",)])},
            }
        )
        owner = shelf.with_policy(policy, rng.choice([lambda text: text, lambda text: text[::-1], lambda _: NOVEL]))
        text = "".join(c if rng.random() < 0.97 else rng.choice(ODD) for c in mixed_text(rng))
        prompt = rng.choice(["", mixed_text(rng), text[: rng.randrange(len(text))]])
        decision = owner.check(text, prompt)
        for sizes in ([1], [rng.randint(1, 64) for _ in range(50)]):
            assert in_pieces(owner, text, sizes, prompt) == (decision.text, decision)


def test_u7_every_size_of_tokens_from_1_to_64(under: Under) -> None:
    owner = under(quote_words=8)
    text = UNRELATED[:200] + NOVEL[:300] + UNRELATED[200:]
    tokens = [text[i : i + 4] for i in range(0, len(text), 4)]
    decision = owner.check(text)
    for size in range(1, 65):
        stream = owner.stream()
        shown = "".join(stream.push("".join(tokens[i : i + size])) for i in range(0, len(tokens), size))
        last, streamed = stream.close()
        assert (shown + last, streamed) == (decision.text, decision)


def test_a_quotation_within_the_allowance_is_shown(under: Under) -> None:
    decision = under(quote_words=30).check(f"As it says: {SENTENCE} So far the book.")
    assert (decision.action, [s.outcome for s in decision.spans]) == ("allow", ["quoted"])
    assert decision.text == f"As it says: {SENTENCE} So far the book."
    assert decision.spans[0].words == 27


def test_more_is_trimmed_to_the_allowance_and_what_is_left_is_allowed(under: Under) -> None:
    owner = under(quote_words=10)
    decision = owner.check(f"As it says: {SENTENCE}So far the book.")
    assert decision.action == "trim"
    assert (
        decision.text
        == f"As it says: She thought this over while the windows hummed. Below them {TRIM_MARK}. So far the book."
    )
    assert decision.longest == 27
    assert owner.check(decision.text).action == "allow"


def test_a_block_shows_what_stood_before_the_passage_and_nothing_behind(under: Under) -> None:
    decision = under(quote_words=10, beyond="block").check(f"As it says: {SENTENCE} So far the book.")
    assert (decision.action, decision.text) == ("block", "As it says: ")
    assert "27 words of 'Tenth Storm'" in decision.reason


def test_a_stream_tells_when_it_is_blocked_so_that_the_model_may_stop(under: Under) -> None:
    stream = under(quote_words=10, beyond="block").stream()
    pushed = 0
    for letter in NOVEL:
        stream.push(letter)
        pushed += 1
        if stream.is_blocked:
            break
    assert stream.is_blocked
    assert pushed < 150


def test_at_most_a_window_of_letters_waits_in_a_text_of_ones_own(under: Under) -> None:
    stream, shown = under().stream(), 0
    for place, letter in enumerate(UNRELATED):
        shown += len(stream.push(letter))
        assert place + 1 - shown <= 24 + 12  # and the gaps between them


def test_a_quotation_is_shown_with_its_source_where_the_policy_cites(under: Under) -> None:
    decision = under(quote_words=30, cite=True).check(SENTENCE)
    assert decision.action == "attribute"
    assert decision.text == f'{SENTENCE}\n\n[From "Tenth Storm" by A. Writer]'


def test_a_work_under_an_open_licence_is_shown_with_its_source() -> None:
    loaded = work_of(NOVEL, status="open")
    loaded = LoadedWork(loaded.work.model_copy(update={"licence": "CC-BY-4.0"}), NOVEL)
    decision = OutputFilter.of_works([loaded]).check(NOVEL)
    assert decision.action == "attribute"
    assert decision.text.endswith('[From "Tenth Storm" by A. Writer, CC-BY-4.0]')


def test_short_quotations_of_one_work_add_up(under: Under) -> None:
    """U8: stitched quotes of eight words each, none of which is long by itself."""
    words = NOVEL.split()
    pieces = [" ".join(words[i : i + 8]) for i in range(0, 120, 20)]
    text = " \u2014 this I made up with great care and nobody else ever wrote it down before \u2014 ".join(pieces)
    decision = under(quote_words=15, work_words=30).check(text)
    assert decision.action == "trim"
    assert max(span.words for span in decision.spans) <= 9
    assert under(quote_words=15, work_words=60).check(text).action == "allow"


def test_u9_what_the_user_wrote_may_be_repeated(under: Under) -> None:
    owner = under(quote_words=5)
    asked = f"Please correct this:\n{NOVEL[:600]}"
    assert owner.check(NOVEL[:600], asked).action == "allow"
    decision = owner.check(NOVEL[:900], asked)
    assert decision.action == "trim"
    assert decision.text.startswith(NOVEL[:590])


def test_u12_public_domain_works_are_never_touched(built: OutputFilter, public_domain: list[LoadedWork]) -> None:
    strict = built.with_policy(Policy(quote_words=0, work_words=0, beyond="block"))
    for loaded in public_domain:
        decision = strict.check(loaded.readable)
        assert (decision.action, decision.text) == ("allow", loaded.readable)
        assert {span.outcome for span in decision.spans} == {"allowed"}
    assert strict.check(UNRELATED) == Decision(action="allow", text=UNRELATED)


def test_a_public_domain_passage_inside_a_protected_work_may_be_copied(public_domain: list[LoadedWork]) -> None:
    poem = public_domain[1].readable
    book = work_of(f"{NOVEL}\n{poem}\n{NOVEL[::-1]}", "anthology")
    owner = OutputFilter.of_works([*public_domain, book], Policy(quote_words=0, work_words=0))
    assert owner.check(poem).action == "allow"
    assert owner.check(NOVEL).action == "trim"


def test_a_work_of_the_allow_list_may_be_copied(under: Under) -> None:
    assert under(quote_words=0, allow_works=("tenth-storm",)).check(NOVEL).text == NOVEL


EVASIONS: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "leet": lambda text: text.translate(str.maketrans("aeoi", "4301")),
    "spaced letters": " ".join,
    "no spaces": lambda text: text.replace(" ", ""),
    "look-alikes": lambda text: text.translate(str.maketrans("aeopc", "\u0430\u0435\u043e\u0440\u0441")),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "zero-width": "\u200b".join,
    "soft hyphens": "\u00ad".join,
    "accents": lambda text: "".join(c + "\u0301" if c in "aeiou" else c for c in text),
    "a line each": lambda text: "\n".join(f"{n}. {' '.join(text.split()[n * 5 - 5 : n * 5])}" for n in range(1, 9)),
    "hyphens": lambda text: "-".join(text.split()),
}


@pytest.mark.parametrize("name", EVASIONS)
def test_u4_evasions_change_nothing(under: Under, name: str) -> None:
    decision = under(quote_words=5).check(EVASIONS[name](NOVEL[:300]))
    assert decision.action == "trim"
    assert decision.spans[0].words >= 35


def test_changed_wording_is_found_by_the_near_stage_alone(under: Under) -> None:
    words = NOVEL.split()
    text = " ".join(word if i % 4 else "something" for i, word in enumerate(words))
    decision = under(quote_words=25).check(text)
    assert decision.action == "trim"
    assert any(span.is_near for span in decision.spans)


def test_a_passage_is_written_anew_until_it_holds_nothing_beyond_the_allowance(under: Under) -> None:
    asked: list[str] = []

    def rewriter(passage: str) -> str:
        asked.append(passage)
        return passage if len(asked) == 1 else "He told her, in short, to leave."

    decision = under(rewriter, quote_words=10, beyond="rewrite").check(f"I say: {SENTENCE}So it is.")
    assert (decision.action, len(asked)) == ("rewrite", 2)
    assert decision.text == "I say: He told her, in short, to leave.. So it is."


def test_a_passage_that_stays_as_it_is_is_trimmed(under: Under) -> None:
    decision = under(lambda passage: passage, quote_words=10, beyond="rewrite").check(SENTENCE)
    assert decision.action == "trim"
    assert decision.text.startswith(f"She thought this over while the windows hummed. Below them {TRIM_MARK}")


def test_a_policy_that_rewrites_needs_somebody_who_does(built: OutputFilter) -> None:
    with pytest.raises(UserError, match="nothing to rewrite with"):
        built.with_policy(Policy(beyond="rewrite"))


def test_a_withheld_work_is_found_as_a_plain_one_is(novel: LoadedWork) -> None:
    grams = WithheldGrams.of_text(novel.work, novel.readable)
    owner = OutputFilter.of_works([LoadedWork(grams.file.work, withheld=grams)], Policy(quote_words=10))
    decision = owner.check(f"As it says: {SENTENCE.upper()}So far the book.")
    assert (decision.action, decision.spans[0].words, decision.spans[0].work) == ("trim", 27, "tenth-storm")
    assert owner.check(UNRELATED).action == "allow"
    for size in (1, 3, 50):
        assert in_pieces(owner, NOVEL[40:500], [size])[1] == owner.check(NOVEL[40:500])


@pytest.mark.parametrize("name", EVASIONS)
def test_u4_evasions_do_not_hide_a_withheld_work(novel: LoadedWork, name: str) -> None:
    grams = WithheldGrams.of_text(novel.work, novel.readable)
    owner = OutputFilter.of_works([LoadedWork(grams.file.work, withheld=grams)], Policy(quote_words=5))
    decision = owner.check(EVASIONS[name](NOVEL[:300]))
    assert decision.action == "trim"
    assert decision.spans[0].words >= 35


def test_withheld_works_are_looked_at_once_a_word_and_every_eight_letters_where_there_are_none(
    novel: LoadedWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    grams = WithheldGrams.of_text(novel.work, novel.readable)
    owner = OutputFilter.of_works([LoadedWork(grams.file.work, withheld=grams)])
    (work,) = owner.withheld
    hashed: list[bytes] = []
    plain = type(work).hash
    monkeypatch.setattr(type(work), "hash", lambda self, window: hashed.append(window) or plain(self, window))
    words = len(UNRELATED.split())
    owner.check(UNRELATED)
    assert words - 10 <= len(hashed) <= words
    hashed.clear()
    owner.check(UNRELATED.replace(" ", "").replace("\n", ""))
    assert len(hashed) == pytest.approx(len("".join(UNRELATED.split())) / 8, abs=5)


@pytest.mark.parametrize("text", ["", "\0\x01\x02", "\u200b" * 50, "\ud800 lone", "\n" * 99, "12345"])
def test_outputs_without_words_are_shown_as_they_are(built: OutputFilter, text: str) -> None:
    assert built.check(text) == Decision(action="allow", text=text)


def test_a_passage_that_stands_twice_in_a_work_is_one_span() -> None:
    owner = OutputFilter.of_works(
        [work_of(f"{SENTENCE}\n{UNRELATED}\n{SENTENCE}")], Policy(quote_words=30, work_words=30)
    )
    decision = owner.check(f"{UNRELATED[::-1]} {SENTENCE}")
    assert [(span.words, span.outcome) for span in decision.spans] == [(27, "quoted")]


def test_a_text_that_repeats_itself_takes_no_longer_for_it() -> None:
    owner = OutputFilter.of_works([work_of("a b " * 5000, "repeats")], Policy(quote_words=5))
    assert owner.check("a b " * 2000).action == "trim"
