"""The page of pictures beside their nearest references, rung by rung. One self-contained file, blurred at first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader

from copycat.fairuse.image.records import ImageReport, PictureFound, RungFacts
from copycat.runs.pages import strict_environment
from copycat.runs.report_pictures import thumbnail_data_uri

SIDE_PX, MAX_SHOWN = 160, 150

RUNG_TEXTS = {
    "bytes": "the same file",
    "pixels": "the same pixels",
    "phash": "perceptual hash: low frequencies, as it is or mirrored",
    "dhash": "difference hash: which neighbour is brighter, as it is or mirrored",
    "descriptor": "an encoder's vectors, as it is or mirrored",
}

_TEMPLATES = PackageLoader("copycat")


class Frame(NamedTuple):
    """A picture as it is shown; `src` is None where its file cannot be read."""

    name: str
    src: str | None


class Row(NamedTuple):
    """A picture and the references that are nearest to it on some rung."""

    found: PictureFound
    picture: Frame
    references: Sequence[Frame]
    reached: Sequence[str]


def build_page(report: ImageReport, files: Sequence[Path], references: Path) -> str:
    """Write the page. Reads the pictures that are shown: those on the most certain rungs first.

    Args:
        files: of the pictures, in the order of the report.
    """
    environment = strict_environment(_TEMPLATES)
    environment.filters.update(
        share=lambda share: f"{100 * share:.1f}\N{NARROW NO-BREAK SPACE}%",
        rate=lambda rate: f"{100 * rate:.3g}\N{NARROW NO-BREAK SPACE}%",
        number=lambda number: f"{number:,}",
        plural=lambda number, noun: noun if number == 1 else f"{noun}s",
        value=lambda value: f"{value:.3f}".rstrip("0").rstrip("."),
    )
    read = [(found, path) for found, path in zip(report.pictures, files, strict=True) if found.reason is None]
    ranked = sorted(read, key=lambda pair: _rank(report, pair[0]))
    rows = [_row(report, found, path, references) for found, path in ranked[:MAX_SHOWN]]
    return environment.get_template("fairuse/image.html.j2").render(
        report=report,
        reaching=[row for row in rows if row.reached],
        others=[row for row in rows if not row.reached],
        unread=[found for found in report.pictures if found.reason is not None],
        n_left_out=max(0, len(ranked) - MAX_SHOWN),
        rung_texts=RUNG_TEXTS,
        limit_text=_limit_text,
        css="".join(_source(environment, f"imitation/{name}") for name in ("tokens.css", "page.css"))
        + _source(environment, "fairuse/image.css"),
    )


def _rank(report: ImageReport, found: PictureFound) -> tuple[int, int, float, str]:
    names = [facts.rung for facts in report.rungs]
    reached = [i for i, name in enumerate(names) if name in found.rungs and found.rungs[name].is_near]
    closest = found.rungs.get("descriptor")
    return (
        min(reached, default=len(names)),
        -len(reached),
        -closest.value if closest is not None else 0.0,
        found.picture,
    )


def _row(report: ImageReport, found: PictureFound, path: Path, references: Path) -> Row:
    reached = [facts.rung for facts in report.rungs if facts.rung in found.rungs and found.rungs[facts.rung].is_near]
    names = dict.fromkeys(found.rungs[rung].reference for rung in reached)
    if not names and "descriptor" in found.rungs:
        names = dict.fromkeys([found.rungs["descriptor"].reference])
    return Row(found, _frame(found.picture, path), [_frame(name, references / name) for name in names], reached)


def _frame(name: str, path: Path) -> Frame:
    try:
        return Frame(name, thumbnail_data_uri(path.read_bytes(), SIDE_PX))
    except OSError:
        return Frame(name, None)


def _limit_text(facts: RungFacts) -> str:
    if facts.unit == "equal":
        return "equal"
    if facts.limit is None:
        return "none keeps the rate"
    return f"at most {facts.limit:.0f} of 64 bits" if facts.unit == "bits" else f"cosine above {facts.limit:.3f}"


def _source(environment: Environment, name: str) -> str:
    """Give the text of a file beside the templates, as it is: braces in CSS are no jinja2."""
    return _TEMPLATES.get_source(environment, name)[0]
