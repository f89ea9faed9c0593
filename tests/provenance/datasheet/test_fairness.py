"""D1: honest cards get what they deserve, and what no reader sees, or says nothing of this dataset, gets nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from copycat.provenance.dataset import Card
from copycat.provenance.datasheet import DatasetFacts, completeness
from copycat.provenance.datasheet.fields import card_fields

MakeCard = Callable[[str], Card]
CARDS = Path(__file__).with_name("cards")
AS_OF = date(2026, 6, 1)
SIGNS = DatasetFacts(
    n_records=240,
    splits={"train": 192, "test": 48},
    languages={"en": 240},
    licences={"CC-BY-4.0": 240},
    sources={"signs.example.org": 240},
    domains={"signs.example.org": 240},
)
STEPS = DatasetFacts(n_records=500, splits={"train": 500}, sources={f"newsletter {at}": 80 for at in range(40, 46)})
SIGN_COLUMNS = ("id", "text", "place", "licence", "url")

TEXTS = [field for field in card_fields().fields if field.kind == "text"]
TITLES = [(field.headings or (field.title,))[0] for field in TEXTS]
STUFFED = [
    f"The {field.title} {' '.join(field.about)} has {at + 11} signs because Wget {at}.2 read it in Harbour{at}."
    for at, field in enumerate(TEXTS)
]


def sections(texts: list[str]) -> str:
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in zip(TITLES, texts, strict=True))


@pytest.mark.parametrize(
    ("name", "known", "columns"),
    [("signs", SIGNS, SIGN_COLUMNS), ("steps", STEPS, ("id", "text", "tools", "source"))],
)
def test_an_honest_card_in_plain_short_sentences_gets_nearly_all_points(
    card_of: MakeCard, name: str, known: DatasetFacts, columns: tuple[str, ...]
) -> None:
    found = completeness(card_of((CARDS / f"{name}.md").read_text(encoding="utf-8")), known, columns, AS_OF)
    assert [field.field for field in found.fields if not field.points] == []
    assert found.share > 0.95
    assert found.contradictions == () and found.unread == ()


def test_the_card_of_another_dataset_is_found_out(card_of: MakeCard) -> None:
    """Its own text is as good; its counts and columns are not those of the records."""
    text = (CARDS / "steps.md").read_text(encoding="utf-8")
    found = completeness(card_of(text), SIGNS, SIGN_COLUMNS, AS_OF)
    assert [(one.field, one.claim) for one in found.contradictions] == [("record", "500 rows")]
    named = card_of("## Data fields\n\n- `prompt`: what was asked\n- `answer`: what was said\n- `id`: a number\n")
    other = completeness(named, SIGNS, SIGN_COLUMNS, AS_OF)
    assert [one.claim for one in other.contradictions] == ["columns prompt, answer"]


@pytest.mark.parametrize(
    "form",
    [
        "<!-- {} -->",
        "[//]: # ({})",
        '<div style="display:none">{}</div>',
        "<span hidden>{}</span>",
        '<p style="color:white; font-size:0px">{}</p>',
        "![{}](x.png)",
        "![[a] {}](x(1).png)",
        "![{}][x]",
        '<a title="{}"></a>',
        "<script>{}</script>",
    ],
)
def test_what_no_reader_of_the_page_sees_counts_nothing(card_of: MakeCard, form: str) -> None:
    hidden = card_of(sections([form.format(text) for text in STUFFED]))
    assert completeness(hidden, SIGNS, SIGN_COLUMNS, AS_OF).points == 0


def test_the_same_words_count_where_they_are_seen(card_of: MakeCard) -> None:
    """The proof that the test above hides something."""
    assert completeness(card_of(sections(STUFFED)), SIGNS, SIGN_COLUMNS, AS_OF).points > 5


@pytest.mark.parametrize("text", ["TBD", STUFFED[0]])
def test_invisible_letters_make_no_new_text(card_of: MakeCard, text: str) -> None:
    """Zero-width letters strewn in, other ones in each field, so that no two fields have the same letters."""
    draw = random.Random(1)
    texts = ["".join(one + draw.choice(["", "\u200b", "\u2060", "\u00ad"]) for one in text) for _ in TEXTS]
    assert completeness(card_of(sections(texts)), SIGNS, SIGN_COLUMNS, AS_OF).points == 0


def test_the_same_text_with_a_word_strewn_in_now_and_then_raises_nothing(card_of: MakeCard) -> None:
    draw = random.Random(2)
    strewn = [
        "quite",
        "rather",
        "indeed",
        "truly",
        "fairly",
        "really",
        "mostly",
        "partly",
        "largely",
        "broadly",
        "simply",
    ]
    text = "In March 2024 our 12 helpers collected 4,500 items with Scrapy 2.11, because readers asked for more"
    row = list(enumerate(text.split()))
    texts = [" ".join(f"{one} {draw.choice(strewn)}" if at % 3 == 2 else one for at, one in row) for _ in TEXTS]
    assert completeness(card_of(sections(texts)), SIGNS, SIGN_COLUMNS, AS_OF).points == 0


def test_a_none_with_praise_for_a_reason_counts_nothing(card_of: MakeCard) -> None:
    texts = [f"None, because our experts curated the {title} with the best quality and great care." for title in TITLES]
    assert completeness(card_of(sections(texts)), SIGNS, SIGN_COLUMNS, AS_OF).points == 0


VAGUE = {
    "missing data": "Some values may be missing due to the nature of the process, but care was taken to limit gaps.",
    "sources": "The data originates from diverse online sources, including websites, forums, and public archives.",
    "data collection": "Data was collected from a variety of public sources by pipelines, followed by review.",
    "quality": "Quality is the degree to which a record is relevant, accurate, and free of noise.",
    "filters": "We applied a series of heuristic and model-based filters to remove duplicate and toxic content.",
    "annotators": "Annotators came from diverse backgrounds and were fluent in the relevant languages.",
    "workers": "All workers were compensated fairly, in line with local minimum wage laws and ethical standards.",
    "bias": "As with any dataset collected from the web, biases related to gender, race, and geography may be present.",
    "removal": "To request removal, please contact the dataset maintainers through the repository.",
    "personal data": "We took steps to remove identifiable information, because privacy is of utmost importance.",
    "limitations": "The dataset may not generalise to all domains, since it reflects the distribution of its sources.",
}


def test_fluent_text_about_each_field_without_facts_gets_little(card_of: MakeCard) -> None:
    text = "\n\n".join(f"## {title}\n\n{said}" for title, said in VAGUE.items())
    found = completeness(card_of(text), SIGNS, SIGN_COLUMNS, AS_OF)
    assert max(field.points for field in found.fields) == 0.5
    assert found.points <= 2, "a reason alone is half an answer; the rest is none"


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("## Imputation\n\nNone. Empty captions stay empty, and nobody guessed.", "imputation", 1),
        ("## Imputation\n\nNone. Our team is committed to excellent quality.", "imputation", 0),
        ("## Manipulation\n\nWe changed nothing, because readers should see pictures as they were.", "manipulation", 1),
        ("## Annotations per item\n\n2", "annotations-per-item", 1),
        ("## Synthetic data\n\n0 %: each text was typed by a person.", "synthetic-share", 1),
    ],
)
def test_a_short_answer_counts_if_it_says_why_or_how_many(
    card_of: MakeCard, text: str, field: str, expected: float
) -> None:
    found = completeness(card_of(text), SIGNS, SIGN_COLUMNS, AS_OF).of(field)
    assert found is not None and found.points == expected


PLAIN = DatasetFacts(n_records=30)


@pytest.mark.parametrize(
    ("known", "expected"),
    [(PLAIN, 1), (PLAIN.model_copy(update={"domains": {"art.example.org": 30}}), 1),
     (PLAIN.model_copy(update={"domains": {"other.example.com": 30}}), 0.5)],
)  # fmt: skip
def test_a_list_of_sources_needs_not_the_word(card_of: MakeCard, known: DatasetFacts, expected: float) -> None:
    """Sources that the records name count in full; others, half."""
    said = "art.example.org: 14 records, CC-BY-4.0 and CC0-1.0. draw.example.net: 16 records, CC0-1.0."
    found = completeness(card_of(f"## Sources\n\n{said}\n"), known).of("sources")
    assert found is not None and found.points == expected


@pytest.mark.parametrize(
    ("title", "field", "text"),
    [("Bias", "biases", "Ellipses are 50 % of the shapes drawn, triangles 10 %."),
     ("Data collection", "collection", "Each page was fetched with curl 8.5.0 on 2025-03-02.")],
)  # fmt: skip
def test_a_figure_or_a_program_under_its_heading_counts(card_of: MakeCard, title: str, field: str, text: str) -> None:
    card = card_of(f"# Shapes\n\nThirty drawings of shapes, one a page.\n\n## {title}\n\n{text}\n")
    found = completeness(card, PLAIN).of(field)
    assert found is not None and found.points == 1


def test_one_short_none_with_its_reason_answers_the_fields_of_one_section(card_of: MakeCard) -> None:
    none = "None, because nobody annotated a record."
    titles = [title for field, title in zip(TEXTS, TITLES, strict=True) if field.section == "annotation"]
    found = completeness(card_of("\n\n".join(f"## {title}\n\n{none}" for title in titles)), PLAIN)
    assert found.points == len(titles) == 7
    assert completeness(card_of(sections([none] * len(TITLES))), PLAIN).points == 0, "in every section it says nothing"
    bare = "\n\n".join(f"## {title}\n\nNone, because it is not needed." for title in titles)
    assert completeness(card_of(bare), PLAIN).points == 0


def test_a_hint_names_each_kind_of_fact_once(card_of: MakeCard) -> None:
    card = card_of("## Data fields\n\nA record has a picture and a text because pages have both.\n")
    found = completeness(card, SIGNS, SIGN_COLUMNS).of("record")
    assert (
        found is not None
        and found.reason == "words without a fact: lacks half or more of the columns, each by its name"
    )


@pytest.mark.parametrize("text", ["Not noted so far.", "No record is marked.", "Nothing is known of that."])
def test_that_nobody_noted_it_does_not_say_that_no_model_made_a_record(card_of: MakeCard, text: str) -> None:
    marked = SIGNS.model_copy(update={"n_marked": 240, "n_synthetic": 12})
    assert completeness(card_of(f"## Synthetic data\n\n{text}\n"), marked).contradictions == ()


def test_fields_of_models_do_not_count_where_the_card_says_that_none_made_a_record(card_of: MakeCard) -> None:
    said = card_of("## Synthetic data\n\nNone. Every text was typed by a person.\n")
    assert completeness(said, SIGNS).left_out == ("synthetic-models", "synthetic-prompts")
    marked = SIGNS.model_copy(update={"n_marked": 240, "n_synthetic": 12})
    assert completeness(said, marked).left_out == (), "the records know better"
