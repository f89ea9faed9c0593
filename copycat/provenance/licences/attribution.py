"""Credit: which records ask for it, which lack what it takes, and the list (title, author, source, licence).

The four are those that Creative Commons recommends (TASL); 4.0 asks for author, notice, licence and source in section
3(a)(1), "if supplied". The list is of what may be used: a record whose licence does not fit the purpose, or is not
known to, is left out and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from copycat.errors import UserError
from copycat.provenance.dataset import Batch, Dataset
from copycat.provenance.dataset.present import in_dataset
from copycat.provenance.licences.components import NEEDS as LICENCE_NEEDS
from copycat.provenance.licences.components import LicenceCounts, column_texts, is_absent, licence_texts
from copycat.provenance.licences.duties import choices
from copycat.provenance.licences.fitting import purpose_fit, worst
from copycat.provenance.licences.listing import check_place, csv_line, one_line, replacing
from copycat.provenance.licences.own import own_fit, own_licence, states_licences
from copycat.provenance.licences.parsing import parse_licence
from copycat.provenance.records import Purpose
from copycat.provenance.rules.rule import Found

NEEDS = (*LICENCE_NEEDS, "id", "author", "title", "url", "source")
FORMS = (".txt", ".csv", ".html")


@dataclass
class MissingCredits:
    """Counts records that ask for credit and lack what it takes.

    `nothing`: without author, title and source; `no_author`, `no_source`: without the one, with another.
    """

    n_asking: int = 0
    nothing: Found = field(default_factory=Found)
    no_author: Found = field(default_factory=Found)
    no_source: Found = field(default_factory=Found)

    def see(self, batch: Batch, texts: Any, counts: LicenceCounts) -> None:
        """Take note of one batch, with the texts of its licences (a pyarrow array), which `counts` has seen."""
        import pyarrow as pa
        import pyarrow.compute as pc

        there = (counts.by_text.get(one) for one in pc.unique(texts).to_pylist() if one is not None)
        asking = [one.text for one in there if one is not None and asks_credit(one.parsed.expression)]
        if not asking:
            return
        mask = pc.is_in(texts, value_set=pa.array(asking, pa.string()))
        self.n_asking += int(pc.sum(mask).as_py() or 0)
        no_author, no_title = is_absent(batch, "author"), is_absent(batch, "title")
        no_source = pc.and_(is_absent(batch, "url"), is_absent(batch, "source"))
        nothing = pc.and_(pc.and_(no_author, no_title), no_source)
        some = pc.invert(nothing)
        self._note(self.nothing, batch, pc.and_(mask, nothing), "author")
        self._note(self.no_author, batch, pc.and_(mask, pc.and_(no_author, some)), "author")
        self._note(self.no_source, batch, pc.and_(mask, pc.and_(no_source, some)), "url")

    @staticmethod
    def _note(found: Found, batch: Batch, mask: Any, pointer: str) -> None:
        import pyarrow.compute as pc

        found.add(batch, pc.indices_nonzero(mask).to_pylist(), pointer)


def asks_credit(expression: str | None) -> bool:
    """Whether the choice that asks least wants the author named. An unknown licence is not known to."""
    found = choices(expression)
    return bool(found) and not found[0].unknown and found[0].attribution


class Written(NamedTuple):
    """The list of credits: lines in it, and records that were left out.

    `n_left_out`: they ask for nothing. `n_no_fit`: their licence, or the dataset's own, does not fit the purpose.
    `n_unknown`: it is not known to.
    """

    n_listed: int
    n_left_out: int
    n_no_fit: int = 0
    n_unknown: int = 0


def write_attribution(
    dataset: Dataset, path: Path, purpose: Purpose, tell: Callable[[int], None] = lambda rows: None
) -> Written:
    """Write the list of credits of what may be used for a purpose, as the file's ending says: .txt, .csv or .html.

    It is written beside and then renamed, so that a half list is never taken for a whole one; memory holds a batch.

    Raises:
        UserError: the ending is none of these, it is a folder, or it lies among the records.
    """
    check_form(path)
    check_place(path, dataset, "--attribution")
    counts = dict.fromkeys(Written._fields, 0)
    fit = own_fit(dataset, purpose)
    stands = None if states_licences(dataset) else own_licence(dataset)

    def credits() -> Iterator[Credit]:
        for batch in dataset.facts(NEEDS):
            for credit in _credits(in_dataset(batch), stands, purpose, fit):
                counts["n_listed" if isinstance(credit, Credit) else credit] += 1
                if isinstance(credit, Credit):
                    yield credit
            tell(batch.size)

    with replacing(path) as file:
        file.writelines(_WRITERS[path.suffix.lower()](dataset.name, credits()))
    return Written(**counts)


def check_form(path: Path) -> None:
    """Refuse what cannot be the name of a list of credits.

    Raises:
        UserError: its ending is none of FORMS, it is a folder, or it lies below a file.
    """
    if path.suffix.lower() not in FORMS or path.is_dir() or path.parent.is_file():
        raise UserError(f"--attribution {path} is no list of credits\n  needed: a name that ends in {', '.join(FORMS)}")


class Credit(NamedTuple):
    """One line of the list; "" where the dataset does not say."""

    record: str
    title: str
    author: str
    source: str
    licence: str
    address: str


def _credits(batch: Batch, stands: str | None, purpose: Purpose, whole: bool | None) -> Iterator[Credit | str]:
    """Yield a credit for each record, or why it has none, as `Written` calls it.

    Args:
        stands: the licence of records that state none. whole: whether the dataset's own licence fits.
    """
    if not batch.size:
        return
    texts = licence_texts(batch)
    stated: list[str | None] = [None] * batch.size if texts is None else texts.to_pylist()
    columns = {name: _plain_column(batch, name) for name in ("title", "author", "url", "source", "licence_url")}
    for row, text in enumerate(stated):
        expression, left = _asks(text or stands, purpose, whole)
        if left:
            yield left
            continue
        title, author, url, source, address = (column[row] for column in columns.values())
        yield Credit(batch.id_of(row), title, author, url or source, expression, address or _address(expression))


@lru_cache(maxsize=8192)
def _asks(text: str | None, purpose: Purpose, whole: bool | None) -> tuple[str, str]:
    """Give the licence as it is shown, and why its record stands not in the list; "" where it does."""
    parsed = parse_licence(text)
    fit = worst((purpose_fit(parsed.expression, purpose).answer, whole))
    if fit is not True or parsed.expression is None:
        return "", "n_no_fit" if fit is False else "n_unknown"
    found = choices(parsed.expression)
    asks = not found or bool(found[0].unknown) or found[0].attribution or found[0].notice
    return parsed.expression, "" if asks else "n_left_out"


def _address(expression: str) -> str:
    from copycat.provenance.licences.facts import facts_of

    if " " in expression or expression.startswith("LicenseRef-"):
        facts = facts_of(expression)
        return f"https://{facts.text}" if facts is not None and facts.text else ""
    return f"https://spdx.org/licenses/{expression}.html"


def _plain_column(batch: Batch, name: str) -> list[str]:
    texts = column_texts(batch, name)
    if texts is None:
        return [""] * batch.size
    return [one_line(text or "") for text in texts.to_pylist()]


# ------------------------------------------------------------------------------------ forms

HEAD = ("record", "title", "author", "source", "licence", "licence address")


def _text_lines(name: str, credits: Iterator[Credit]) -> Iterator[str]:
    yield f"Credits for {one_line(name)}\n\n"
    for credit in credits:
        title = f'"{credit.title}"' if credit.title else credit.record
        by = f" by {credit.author}" if credit.author else " (author not stated)"
        source = f", {credit.source}" if credit.source else ""
        address = f" ({credit.address})" if credit.address else ""
        yield f"{title}{by}{source}. Licence: {credit.licence}{address}\n"


def _csv_lines(name: str, credits: Iterator[Credit]) -> Iterator[str]:
    del name
    yield csv_line(HEAD)
    for credit in credits:
        yield csv_line(credit)


def _html_lines(name: str, credits: Iterator[Credit]) -> Iterator[str]:
    """Yield a page; addresses that are not of the web, such as javascript:, stay text."""
    from jinja2 import PackageLoader

    from copycat.runs.pages import strict_environment

    loader = PackageLoader("copycat")
    environment = strict_environment(loader)
    environment.tests["web_address"] = lambda text: text.casefold().startswith(("https://", "http://"))
    names = ("imitation/tokens.css", "provenance/credits.css")
    css = "".join(loader.get_source(environment, part)[0] for part in names)
    yield from environment.get_template("provenance/credits.html.j2").generate(name=name, credits=credits, css=css)


_WRITERS: dict[str, Callable[[str, Iterator[Credit]], Iterator[str]]] = {
    ".txt": _text_lines,
    ".csv": _csv_lines,
    ".html": _html_lines,
}
