"""D1: the score counts facts, and nothing that says nothing can raise it."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copycat.provenance.dataset import Card
from copycat.provenance.datasheet import Completeness, DatasetFacts, completeness
from copycat.provenance.datasheet.answers import read_answers
from copycat.provenance.datasheet.fields import card_fields

MakeCard = Callable[[str], Card]
Score = Callable[..., Completeness]

TEXTS = [field for field in card_fields().fields if field.kind == "text"]
TITLES = [(field.headings or (field.title,))[0] for field in TEXTS]

FILLER = (
    "This dataset represents a comprehensive and carefully curated collection designed to advance the state of the "
    "art. "
    "Our team of experienced experts collected the records from a wide variety of trusted sources across the "
    "Internet, ensuring "
    "broad coverage and high quality. Rigorous filters were applied to remove noise, and the annotation was "
    "performed by "
    "trained annotators following strict guidelines. We are committed to transparency and will maintain the dataset "
    "over "
    "time. Biases may exist, as with any dataset, and users should exercise caution. Personal data was handled with "
    "care and "
    "in line with best practices. The model outputs were validated by multiple reviewers, prompts were thoughtfully "
    "designed, and "
    "access is provided to the research community under fair terms. Contact the authors with any question or "
    "removal request. "
) * 3


def sections(texts: list[str]) -> str:
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in zip(TITLES, texts, strict=True))


def points(found: Completeness, name: str) -> float:
    field = found.of(name)
    assert field is not None
    return field.points


def test_a_card_that_answers_everything_gets_all_points(card_of: MakeCard, score: Score, whole_card: str) -> None:
    found = score(card_of(whole_card))
    assert [(field.field, field.reason) for field in found.fields if field.points < 1] == []
    assert found.share == 1
    assert found.contradictions == () and found.unread == ()


def test_no_card_gets_no_point(score: Score) -> None:
    assert score(Card()).points == 0


@pytest.mark.parametrize(
    "text",
    [
        "TBD",
        "tbd.",
        "N/A",
        "none.",
        "None",
        "TODO",
        "[More Information Needed]",
        "**[More Information Needed]**",
        "-",
        "...",
        "?",
        "unknown",
        "<!-- Who were the annotators? -->",
        "{{ bias_risks | default }}",
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
        "What do the instances that comprise the dataset represent?",
        "Describe the data collection process here.",
        "[to be written: how each source was reached]",
        "See above.",
        "Not applicable",
        "No.",
        "No information is available.",
    ],
)
def test_what_says_nothing_counts_nothing_in_any_field(card_of: MakeCard, score: Score, text: str) -> None:
    found = score(card_of(sections([text] * len(TEXTS))))
    assert found.points == 0


def test_the_same_300_words_in_every_field_raise_nothing(card_of: MakeCard, score: Score) -> None:
    assert len(FILLER.split()) > 300
    assert score(card_of(sections([FILLER] * len(TEXTS)))).points == 0


def test_the_same_words_full_of_facts_in_every_field_raise_nothing(card_of: MakeCard, score: Score) -> None:
    """Facts of the dataset itself among them: repeated, they belong to no field."""
    text = (
        "In March 2025 we collected 100 records from tiles.example.org with Wget 1.21 because the archive allows "
        "it, and "
        "20 % of them were made by the model Tile Captioner, which Alice Example runs at "
        "https://captioner.example.org/x."
    )
    assert score(card_of(sections([text] * len(TEXTS)))).points == 0


def test_the_same_words_do_not_raise_a_card_that_has_points(card_of: MakeCard, score: Score, whole_card: str) -> None:
    half = re.sub(r"(?s)\n## Biases\n.*", "\n", whole_card)
    rest = "\n\n".join(f"## {title}\n\n{FILLER}" for title in TITLES[TITLES.index("bias") :])
    assert score(card_of(f"{half}\n{rest}")).points == score(card_of(half)).points


def test_filler_that_differs_in_every_field_raises_nothing(card_of: MakeCard, score: Score) -> None:
    """One sentence of filler each, shuffled so that no two fields share five words in a row."""
    draw = random.Random(5)
    sentences = FILLER.split(". ")
    texts = []
    for title in TITLES:
        words = draw.choice(sentences).split()
        draw.shuffle(words)
        texts.append(f"The {title} of this dataset was handled with great care, {' '.join(words).lower()}.")
    assert score(card_of(sections(texts))).points == 0


def test_keywords_and_facts_without_sentences_raise_nothing(card_of: MakeCard, score: Score) -> None:
    draw = random.Random(6)
    texts = []
    for field, title in zip(TEXTS, TITLES, strict=True):
        words = [
            title,
            *field.about,
            "Alice",
            "Wget",
            f"{draw.randrange(10**6)} items",
            f"20{draw.randrange(10, 25)}-05-01",
        ]
        draw.shuffle(words)
        texts.append(" ".join(words))
    raised = {field.field for field in score(card_of(sections(texts)), DatasetFacts()).fields if field.points}
    assert raised <= {"timeframe", "annotations-per-item"}, "whose whole answer is a day or a number"


def test_one_fact_strewn_over_all_fields_raises_nothing(card_of: MakeCard, score: Score) -> None:
    """Each sentence is a different one; the address and the day are the same."""
    texts = [
        f"As to {title}, everybody who is in doubt of {' and '.join(field.about) or title} may read "
        f"https://docs.example.org of 2025-05-01."
        for field, title in zip(TEXTS, TITLES, strict=True)
    ]
    assert score(card_of(sections(texts))).points == 0


def test_a_sentence_about_something_else_counts_nothing(card_of: MakeCard, score: Score) -> None:
    found = score(card_of("## Biases\n\nThe Eiffel Tower in Paris was built by 300 hands in March 1889.\n"), None)
    assert points(found, "biases") == 0


def test_none_counts_with_a_reason_and_not_without(card_of: MakeCard, score: Score) -> None:
    assert points(score(card_of("## Imputation\n\nNone.\n")), "imputation") == 0
    reasoned = "## Imputation\n\nNone, because missing captions stay empty.\n"
    assert points(score(card_of(reasoned)), "imputation") == 1
    empty_reason = "## Imputation\n\nNone, because this is not applicable to the dataset.\n"
    assert points(score(card_of(empty_reason)), "imputation") == 0


def test_a_field_half_answered_says_what_it_lacks(card_of: MakeCard, score: Score) -> None:
    found = score(card_of("## Filters\n\nThe filter TileSize dropped small pictures.\n")).of("filters")
    assert found is not None and found.points == 0.5
    assert "lacks a number of something" in found.reason


def test_croissant_answers_as_the_card_does(score: Score) -> None:
    card = Card(
        croissant={
            "rai:dataCollectionTimeframe": ["2025-03-01", "2025-03-09"],
            "rai:dataImputationProtocol": "TBD",
            "license": "mit",
        }
    )
    found = score(card)
    assert points(found, "licence") == 1
    assert points(found, "timeframe") == 1
    assert points(found, "imputation") == 0


@pytest.mark.parametrize(
    ("front", "field", "expected"),
    [
        ("license: cc-by-4.0", "licence", 1),
        ("license: other", "licence", 0),
        ("license: not-a-license", "licence", 0),
        ("license: CC-BY-4.0 OR MIT", "licence", 1),
        ("license: unknown", "licence", 0),
        ("date_published: 2026-01-20", "published", 1),
        ("date_published: 2026", "published", 0.5),
        ("date_published: 2031-01-01", "published", 0),
        ("date_published: soon", "published", 0),
        ("version: 1.0", "version", 1),
        ("version: latest", "version", 0),
        ("language: [en, de]", "languages", 1),
        ("pretty_name: My Dataset", "name", 0),
        ("homepage: TBD", "url", 0),
        ("homepage: https://x.example.org", "url", 1),
    ],
)
def test_values_of_the_front_matter_are_read(
    card_of: MakeCard, score: Score, front: str, field: str, expected: float
) -> None:
    assert points(score(card_of(f"---\n{front}\n---\n")), field) == expected


@pytest.mark.parametrize(
    ("claim", "field", "said"),
    [
        ("---\ndataset_info: {splits: [{name: train, num_examples: 10000}]}\n---\n", "size", "train: 10000 examples"),
        ("---\nsize_categories: [10K<n<100K]\n---\n", "size", "10K<n<100K"),
        ("## Size\n\nThe dataset contains 10,000 rows.\n", "size", "10,000 rows"),
        ("## Size\n\nThere are 1.2 million records in it.\n", "size", "1.2 million records"),
        ("# X\n\nThis dataset has 250 examples of tiles.\n", "description", "250 examples"),
        ("---\nlanguage: en\n---\n", "languages", "languages en"),
        ("---\nlanguage: [en, de, fr]\n---\n", "languages", "languages fr"),
        ("## Timeframe\n\n2024-01-01 to 2024-12-31\n", "timeframe", "2024-01-01 to 2024-12-31"),
        (
            "## Synthetic data\n\nNone of the records was made by a model.\n",
            "synthetic-share",
            "None of the records was made by a model.",
        ),
        ("## Synthetic data\n\n5 % of the records are synthetic.\n", "synthetic-share", "5 %"),
        ("---\ndate_published: 2031-01-01\n---\n", "published", "2031-01-01"),
    ],
)
def test_a_card_that_contradicts_the_records_is_found_out(
    card_of: MakeCard, score: Score, claim: str, field: str, said: str
) -> None:
    found = score(card_of(claim))
    assert [(one.field, one.claim) for one in found.contradictions] == [(field, said)]
    assert points(found, field) == 0


@pytest.mark.parametrize(
    "text",
    [
        "The dataset contains 100 records.",
        "There are about 97 records.",
        "Train has 80 examples, test has 20 examples.",
        "Version 1 had 9,000 rows.",
        "31 of the records were removed.",
        "Each of the 2 annotators saw 50 samples.",
    ],
)
def test_a_count_that_is_right_or_of_something_else_is_no_contradiction(
    card_of: MakeCard, score: Score, text: str
) -> None:
    assert score(card_of(f"## Size\n\n{text}\n")).contradictions == ()


def test_fields_of_synthetic_records_do_not_count_where_there_are_none(
    card_of: MakeCard, whole_card: str, tiles: DatasetFacts
) -> None:
    found = completeness(card_of(whole_card), tiles.model_copy(update={"n_synthetic": 0, "generators": {}}))
    assert found.left_out == ("synthetic-models", "synthetic-prompts")


def test_headings_that_belong_to_no_field_are_told(card_of: MakeCard, score: Score) -> None:
    assert score(card_of("## Weather\n\nIt rained on 3 days.\n")).unread == ("Weather",)


def test_a_heading_in_a_code_block_and_a_comment_are_not_read(card_of: MakeCard, score: Score) -> None:
    found = score(card_of("```\n## Biases\n3 of Paris\n```\n<!--\n## Limitations\n2 of Rome\n-->\n"))
    assert found.points == 0 and found.unread == ()


@pytest.mark.slow
def test_the_empty_template_of_the_hub_gets_no_point(card_of: MakeCard, score: Score) -> None:
    """The template that ships with huggingface_hub, as it comes and as its own code fills it in."""
    from importlib.resources import files

    from huggingface_hub import DatasetCard, DatasetCardData

    raw = files("huggingface_hub").joinpath("templates/datasetcard_template.md").read_text(encoding="utf-8")
    assert score(card_of(raw.partition("---\n")[2].partition("---\n")[2]), None).points == 0
    filled = str(DatasetCard.from_template(DatasetCardData()))
    found = score(card_of(filled), None)
    assert [(field.field, field.reason) for field in found.fields if field.points] == []


SLOW_PIECES = ["9", "1 ", "\n- x", "<a ", "![](", "[//]: # ("]


@pytest.mark.parametrize(
    "piece", ["{{", "![", "![[a]", "<p hidden", *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW_PIECES)]
)
def test_a_card_made_to_be_slow_is_read_in_a_moment(card_of: MakeCard, score: Score, piece: str) -> None:
    """Patterns that look back and forth once took minutes over such a card."""
    begun = time.process_time()
    score(card_of("## Size\n" + piece * (20_000 // len(piece))))
    assert time.process_time() - begun < 3


PIECES = [
    "## Size\n",
    "# X\n",
    "- **License:** mit\n",
    "TBD",
    "100 records",
    "2025-03-01",
    "```",
    "<!--",
    "|",
    "`id`",
    "because ",
    "\x00",
]
PIECES += [
    "https://x.example.org",
    "[to be written: x]",
    "{{ x }}",
    "None, ",
    "20 %",
    ". ",
    "\n\n",
    "\ud7ff",
    "\u202e",
    "en de ",
    "1e999 rows",
]


FUZZED = DatasetFacts(n_records=100, n_marked=100, n_synthetic=20, languages={"en": 100}, splits={"train": 100})
KEYS = st.sampled_from(["license", "language", "dataset_info", "size_categories", "date_published", "creator"])
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=30), st.dictionaries(KEYS, VALUES))
def test_any_card_is_scored_within_its_bounds_and_never_fails(pieces: list[str], front: dict[str, object]) -> None:
    found = completeness(Card(front, "".join(pieces)), FUZZED, ("id",))
    assert 0 <= found.share <= 1
    assert all(field.points in (0, 0.5, 1) and field.reason for field in found.fields)


def test_the_table_of_a_sidecar_is_no_content_of_the_dataset(card_of: MakeCard, tmp_path: Path) -> None:
    """A manifest describes records.parquet; only a set of the dataset's own says what it holds."""
    name = {"@type": "cr:Field", "name": "text", "description": "the words of a tile"}
    sets = [
        {"name": file, "field": [name | {"source": {"fileObject": {"@id": file}}}]} for file in ("records.parquet", "t")
    ]
    for listed, places in ((sets[:1], ()), (sets, ("croissant recordSet",))):
        (tmp_path / "croissant.json").write_text(json.dumps({"recordSet": listed}), encoding="utf-8")
        said = read_answers(card_of("# Tiles\n")).said["record"]
        assert tuple(one.place for one in said) == places
        assert all("records.parquet" not in one.text for one in said)
