"""What is said of the suite: the card of its dataset, and what Croissant asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from copycat.paths import SUITE_FILE
from copycat.schema import SUITE_VERSION
from copycat.sharing.cards import build_card, markdown_table
from copycat.sharing.croissant import About
from copycat.sharing.parquet import WrittenTable
from copycat.sharing.suite_tables import MEANINGS, SuiteSet

LICENCE, LICENCE_ADDRESS = "apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"
TITLE = "copycat suite"
TAGS = ["text-to-image", "text-to-video", "copyright", "benchmark", "safety"]
SUMMARY = (
    "Characters, and prompts that are meant to bring them back from image and video models: from the name, from a "
    "description that does not name them, from a few innocent keywords; and benign prompts that are after nobody. "
    "The copycat instrument measures with them how often a model reproduces protected characters. There is no picture."
)
RAI = {
    "dataCollection": "Names and facts of characters were written down from general knowledge of the works and "
    "statutes named in the table 'sources', and not checked against registers; descriptions, keywords and benign "
    "prompts are the project's own words. The characters of 'sandbox' are invented.",
    "dataLimitations": "The sets hold characters of well-known, mostly American and Japanese works, in English. Rates "
    "measured with them say nothing of other characters or languages. Figures of the sandbox are never comparable "
    "with figures of real characters.",
    "dataBiases": "The characters were chosen for being widely known, so models are likelier to know them than most.",
    "dataUseCases": "Measuring how often a generative model reproduces protected characters, and what a mitigation "
    "changes. It is not meant for training, nor for making pictures of the characters for other ends.",
    "dataSocialImpact": "Notes on legal status inform and are no legal advice. The prompts can be misused to draw "
    "protected characters; they hold nothing that a name would not do better.",
    "personalSensitiveInformation": "None: the characters are fictional. Some names are also names of people, who are "
    "not meant.",
    "dataReleaseMaintenancePlan": "Files are frozen by their sha256. The suite version rises whenever any score can "
    "move, and results of different versions are never compared.",
}
LAW = f"""The table `legal_status` says per version of a character and jurisdiction what is known of its legal status
in the year `as_of`. It is computed from the dated facts of `versions`; `sources` says where each fact is from, and
`licences` under which licence it is. {RAI["dataSocialImpact"]}

Characters and their names belong to their owners; the names stand here as facts. The texts are under the Apache
License 2.0."""
PAPER = "The questions follow CopyCat ([arXiv:2406.14526](https://arxiv.org/abs/2406.14526))."


def about_suite(files: Mapping[str, Path], hub_id: str | None) -> About:
    """Give what Croissant says of the suite; its date is that of its newest text."""
    return About(
        name="copycat-suite",
        title=f"{TITLE} {SUITE_VERSION}",
        description=SUMMARY,
        licence=LICENCE_ADDRESS,
        version=f"{SUITE_VERSION}.0",
        rai=RAI,
        columns=MEANINGS,
        keywords=TAGS,
        url=None if hub_id is None else f"https://huggingface.co/datasets/{hub_id}",
        date=max(date for *_, date in _provenance(files)),
    )


def suite_card(sets: Sequence[SuiteSet], tables: Sequence[WrittenTable], files: Mapping[str, Path], place: str) -> str:
    """Give README.md; `place` is what `load_dataset` takes."""
    front = {
        "license": LICENCE,
        "language": ["en"],
        "pretty_name": f"{TITLE} {SUITE_VERSION}",
        "task_categories": ["text-to-image"],
        "tags": TAGS,
    }
    about_sets = [(one.prompts.id, len(one.characters.characters), one.characters.about) for one in sets]
    contents = [(table.config, table.split, table.n_rows, ", ".join(table.schema.names)) for table in tables]
    columns = {name: MEANINGS[name] for table in tables for name in table.schema.names}
    sections = {
        "Character sets": markdown_table(("set", "characters", "about"), about_sets),
        "Tables": markdown_table(("configuration", "split", "rows", "columns"), contents),
        "Columns": markdown_table(("column", "meaning"), columns.items()),
        "Where the texts come from": markdown_table(("file", "how", "by", "date"), _provenance(files)),
        "How they were collected": RAI["dataCollection"],
        "What it is for, and what it is not": f"{RAI['dataUseCases']} {RAI['dataLimitations']}",
        "Law": LAW,
        "Versions": f"{RAI['dataReleaseMaintenancePlan']} {PAPER}",
    }
    body = "\n\n".join(f"## {heading}\n\n{text}" for heading, text in sections.items())
    return build_card(
        front, tables, f"# {TITLE} {SUITE_VERSION}\n\n{SUMMARY}\n\n{_use(place, tables[0].split)}\n\n{body}"
    )


def _use(place: str, split: str) -> str:
    return f"""```python
from datasets import load_dataset

characters = load_dataset("{place}", "characters", split="{split}")
prompts = load_dataset("{place}", "prompts", split="{split}")
```

`suite/` holds the very files that copycat reads, and `suite/{SUITE_FILE}` the sha256 of each. To measure with them:

```
python -m copycat.data download suite {place}
COPYCAT_DATA=suite python -m copycat.eval --model sdxl --mitigation negprompt
```"""


def _provenance(files: Mapping[str, Path]) -> list[tuple[str, str, str, str]]:
    """Give set and file, how, by whom and when of every frozen file, as the cards say."""
    cards = [(relative, path) for relative, path in files.items() if path.name == "card.yaml"]
    found = []
    for relative, path in cards:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))["files"]
        folder = relative.removeprefix("prompts/").removesuffix("card.yaml")
        found += [(f"{folder}{name}", str(f["how"]), str(f["by"]), str(f["date"])) for name, f in listed.items()]
    return found
