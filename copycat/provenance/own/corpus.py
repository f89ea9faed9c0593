"""X4: what the sandbox renders, as a dataset with a card that passes the other rules.

`python -m copycat.sandbox export` writes it with `describe_corpus`. The check writes every twentieth row into a
folder of its own and runs all rules over it, as over anybody's dataset.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copycat.provenance.own.found import Own, Result
from copycat.provenance.records import PURPOSES, Finding
from copycat.runs.folder import write_bytes, write_json
from copycat.sharing.cards import build_card, markdown_table
from copycat.sharing.croissant import About, build_croissant
from copycat.sharing.parquet import ONLY_SPLIT, WrittenTable

if TYPE_CHECKING:
    from copycat.sandbox.corpus import Row

CAPTIONS = "captions.parquet"
PUBLISHED, VERSION = "2026-11-29", "1.0"
"""When the corpus of the shipped weights was made: the card says it, whenever it is exported."""

EXPORTED = "sandbox-export"
"""Where the command writes by default: findings name its files there."""

EVERY = 20
"""Of the check: one row in so many."""

COLUMNS = {
    "id": "the row's id, which is never used for another",
    "caption": "what the picture is called, in the manner of the web; made from a grammar",
    "character": "the invented character that is shown; empty: nobody",
    "species": "what it plainly is",
    "theme": "the world in which it stands",
    "body": "the colour of its body",
    "accent": "the colour of its trimmings",
    "pattern": "the pattern of its body",
    "accessory": "what it wears on the head",
    "eyes": "its eyes",
    "licence": "of caption and picture",
    "author": "who made the code that makes it",
    "synthetic": "whether it was made by a program",
    "generator": "the program",
    "prompt_hash": "sha256 of what the picture is drawn from: looks and seed",
    "seed": "redraws the very picture, with the looks: copycat.sandbox.renderer.render",
}

SECTIONS = {
    "Creator": "The copycat project made it, by code: `copycat/sandbox/`.",
    "Purpose": "To train a small text-to-image model whose every training picture is known, so that instruments "
    "that measure the reproduction of characters can be checked against the truth.",
    "Record": "One row is a caption and the truth about its picture: whom it shows, seven attributes of its "
    "looks, and the seed from which the picture is drawn again, pixel by pixel.",
    "Sources": "All of it is made by code of this project from fixed seeds. No picture, text or name was collected "
    "from anywhere, so no consent signal applies and nobody was asked.",
    "Collection": "`copycat/sandbox/world.py` invents 50 characters, `copycat/sandbox/captions.py` words the "
    "captions from a grammar, and `copycat/sandbox/renderer.py` draws vector shapes and reduces them to 64x64 pixels.",
    "Collection type": "Made by code, not collected.",
    "Timeframe": "Made on 2026-11-29, with the weights that ship; made anew, byte for byte, at each export.",
    "Raw data": "There is none: seeds and code are all that stands behind a record.",
    "Missing data": "`character` is empty where a picture shows nobody; no other value is missing.",
    "Synthetic data": "100 % of the records are made by a program, `copycat.sandbox.renderer`, none by a model.",
    "Generators": "`copycat.sandbox.renderer` and `copycat.sandbox.captions`, programs of this project.",
    "Prompts": "There is none. `prompt_hash` is the sha256 of what a picture is drawn from: its looks and its seed.",
    "Signals": "No signal was read: nothing comes from a site, so no robots file, header or permission speaks of it.",
    "Annotation": "Nobody annotated anything: the label of a picture is what it was drawn from, so labels are exact.",
    "Machine annotation": "The program that draws a picture also writes its row.",
    "Quality criteria": "A row is right if its picture shows the looks that it states; tests draw rows again.",
    "Preprocessing": "Pictures are drawn at 256x256 and reduced to 64x64 pixels; nothing else is done to them.",
    "Filters": "No row was filtered out. Each character has 2 to 2,000 pictures, spaced logarithmically on purpose.",
    "Personal data": "None: the characters are invented, and the captions name nobody else.",
    "Biases": "Ten species and ten themes, all drawn in one flat style; captions are English and short.",
    "Limitations": "Sixty-four pixels and seven attributes are far from real pictures. Rates of this world are "
    "never comparable with rates of real models.",
    "Social impact": "The characters are nobody's, so that memorisation can be studied without anybody's work.",
    "Maintenance": "The corpus is fixed by its seed. A changed one gets another version, and its fingerprint in "
    "`copycat/sandbox/weights.manifest.json` tells them apart.",
    "Removal and contact": "A character can be left out by changing `world.py`; nobody's data is in it. Questions and "
    "requests go to the issues of the project's repository.",
    "Access": "`python -m copycat.sandbox export --pictures` writes all of it on any machine, without a network.",
    "Terms of use": "Apache License 2.0, for the captions, the pictures and the code that makes them.",
}


def describe_corpus(folder: Path) -> None:
    """Write README.md and croissant.json beside `captions.parquet`; the same captions give the same bytes."""
    import pyarrow.parquet as pq

    path = folder / CAPTIONS
    file = pq.ParquetFile(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    table = WrittenTable("captions", ONLY_SPLIT, CAPTIONS, digest, file.metadata.num_rows, file.schema_arrow)
    described: dict[str, Any] = build_croissant(_about(table.n_rows), [table])
    described["creator"] = {"@type": "sc:Organization", "name": "the copycat project"}
    write_json(folder / "croissant.json", described)
    write_bytes(folder / "README.md", _card(table).encode())


def _about(n_rows: int) -> About:
    return About(
        name="copycat-sandbox-corpus",
        title="The sandbox's corpus",
        description=_summary(n_rows),
        licence="https://www.apache.org/licenses/LICENSE-2.0",
        version=VERSION,
        rai={
            "dataCollection": SECTIONS["Collection"],
            "dataCollectionType": "made by code",
            "dataUseCases": SECTIONS["Purpose"],
            "dataLimitations": SECTIONS["Limitations"],
            "dataBiases": SECTIONS["Biases"],
            "dataSocialImpact": SECTIONS["Social impact"],
            "dataAnnotationProtocol": SECTIONS["Annotation"],
            "personalSensitiveInformation": SECTIONS["Personal data"],
            "dataReleaseMaintenancePlan": SECTIONS["Maintenance"],
        },
        columns=COLUMNS,
        keywords=["text-to-image", "synthetic", "memorisation", "benchmark"],
        date=PUBLISHED,
    )


def _summary(n_rows: int) -> str:
    return (
        f"{n_rows:,} captions with the truth about each picture of the sandbox, an invented world of 50 characters "
        f"that is drawn by code. It is the training set of the small model that ships with copycat."
    )


def _card(table: WrittenTable) -> str:
    front = {
        "license": "apache-2.0",
        "language": ["en"],
        "pretty_name": "The sandbox's corpus",
        "task_categories": ["text-to-image"],
        "tags": ["synthetic", "memorisation"],
        "version": VERSION,
        "source_datasets": ["original"],
        "annotations_creators": ["machine-generated"],
    }
    columns = markdown_table(("column", "meaning"), [(name, COLUMNS.get(name, name)) for name in table.schema.names])
    body = "\n\n".join(f"## {heading}\n\n{text}" for heading, text in {**SECTIONS, "Columns": columns}.items())
    return build_card(front, [table], f"# The sandbox's corpus\n\n{_summary(table.n_rows)}\n\n{body}")


def write_corpus(folder: Path, rows: Sequence[Row]) -> None:
    """Write captions with their card, as `python -m copycat.sandbox export` does."""
    from copycat.sandbox.corpus import write_captions

    write_captions(rows, folder / CAPTIONS)
    describe_corpus(folder)


def check_corpus(own: Own) -> Result:
    """Write a part of the corpus, and run all rules over it."""
    from copycat.provenance.dataset import open_dataset
    from copycat.provenance.own.weights_facts import corpus_rows
    from copycat.provenance.rules import Context
    from copycat.provenance.rules.running import run_rules

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "corpus"
        folder.mkdir()
        write_corpus(folder, corpus_rows()[::EVERY])
        report = run_rules(Context(open_dataset(folder), purpose=PURPOSES["sharing"], as_of=own.as_of))
    own.n_records += report.n_records
    findings = tuple(_retold(finding) for finding in report.findings if finding.severity != "note")
    passed = sum(outcome.status == "passed" for outcome in report.outcomes)
    return Result(findings, f"{report.n_records} captions pass {passed} rules; the others do not apply")


def _retold(finding: Finding) -> Finding:
    places = tuple(one.model_copy(update={"file": f"{EXPORTED}/{one.file}".rstrip("/")}) for one in finding.evidence)
    said = f"{finding.rule}: {finding.said}"
    return finding.model_copy(update={"rule": "X4", "said": said, "evidence": places})
