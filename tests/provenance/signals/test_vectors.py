"""Golden vectors of each standard (rule S3), from data files that name the section."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from copycat.provenance.records import USES
from copycat.provenance.signals import Recorded, Response, combine, resolve
from copycat.provenance.signals.aipref import parse_content_usage
from copycat.provenance.signals.credentials import read_entries
from copycat.provenance.signals.embedded import read_embedded
from copycat.provenance.signals.recorded import Header

FOLDER = Path(__file__).with_name("vectors")
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/"><plus:DataMining>{}</plus:DataMining>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def vectors() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        for vector in yaml.safe_load(path.read_text(encoding="utf-8")):
            found.append(pytest.param(vector, id=f"{path.stem}: {vector['name']}"))
    return found


def part(held: Any, place: str) -> Response:
    if isinstance(held, dict):
        return Response(**{**held, "body": str(held.get("body", "")).encode(), "place": place})
    text = held if isinstance(held, str) else json.dumps(held)
    return Response(status=200, body=text.encode(), place=place)


def recorded(vector: dict[str, Any]) -> Recorded:
    body = vector.get("html", vector.get("xmp", ""))
    headers = tuple(Header(name, value) for name, value in vector.get("headers", ()))
    tdmrep = vector.get("tdmrep_text", vector.get("tdmrep"))
    return Recorded(
        url=vector.get("url", "https://example.org/"),
        page=Response(status=200, headers=headers, body=body.encode()) if headers or body else None,
        robots=part(vector["robots"], "robots.txt") if "robots" in vector else None,
        tdmrep=part(tdmrep, "tdmrep.json") if tdmrep is not None else None,
        licences=(part(vector["licence"], "license.xml"),) if "licence" in vector else (),
    )


def expected(said: dict[str, Any]) -> dict[str, str]:
    answers = dict.fromkeys(USES, "unknown")
    for answer in ("allow", "deny"):
        answers |= dict.fromkeys(said.get(answer, ()), answer)
    return answers  # type: ignore[return-value]


@pytest.mark.parametrize("vector", vectors())
def test_a_vector_of_a_standard_has_the_answers_that_its_section_says(vector: dict[str, Any]) -> None:
    if "entries" in vector:
        answers, _ = read_entries(vector)
        found = dict.fromkeys(USES, "unknown") | answers
    elif "plus" in vector:
        found = combine(read_embedded(XMP.format(vector["plus"]).encode(), "a.jpg")).answers
    else:
        found = resolve(recorded(vector)).answers

    assert found == expected(vector)


@pytest.mark.parametrize("vector", [v for v in vectors() if "standard" in v.values[0]])
def test_where_we_refuse_more_than_the_draft_the_letter_of_the_draft_is_still_known(vector: dict[str, Any]) -> None:
    value = ", ".join(value for _, value in vector["headers"])

    assert dict.fromkeys(USES, "unknown") | parse_content_usage(value) == expected(vector["standard"])
    assert vector["why"]


def test_there_are_vectors_for_each_standard() -> None:
    assert len(vectors()) > 100
