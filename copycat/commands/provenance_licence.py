"""`python -m copycat.provenance licence`: what licences ask, and whether they fit what somebody wants to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.provenance.licences.attribution import Written
    from copycat.provenance.licences.public_domain import PublicDomainError
    from copycat.provenance.licences.summary import LicenceAnswer, LicenceRow
    from copycat.provenance.records import Purpose

LICENCE_EPILOG = """\
Facts about licences, and no legal advice: exceptions of the law, contracts and other rights stand beside them.
Exit 0 all fit, 1 one does not or is not known to, 2 to be fixed by you.

\b
Examples:
  python -m copycat.provenance licence CC-BY-NC-4.0 --for training
  python -m copycat.provenance licence "CC-BY-SA-4.0 AND MIT" --for adapting --output-licence CC-BY-SA-4.0
  python -m copycat.provenance licence my-dataset --for sharing --attribution credits.html
  python -m copycat.provenance licence --public-domain-error 0.9658 0.9720 424059
"""

SHOWN_ROWS = 30
WORDS = {True: "fits", False: "does not", None: "not known"}


def licence(  # noqa: PLR0917 - one parameter per option
    what: Annotated[
        str | None, typer.Argument(help="a licence, as anybody writes it; a licence file; or a dataset")
    ] = None,
    purpose: Annotated[
        str, typer.Option("--for", help="research, training, sharing, adapting or search")
    ] = "training",
    output_licence: Annotated[
        str | None, typer.Option(metavar="SPDX", help="under which changes are to be passed on", show_default=False)
    ] = None,
    attribution: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="write the credits of all records that fit: .txt, .csv or .html"),
    ] = None,
    public_domain_error: Annotated[
        tuple[float, float, int] | None,
        typer.Option(metavar="TITLE REGISTRATION N", help="two accuracies: how many of N are wrongly public domain"),
    ] = None,
    measured_on: Annotated[
        int | None, typer.Option(help="works that the accuracies were measured on, for an interval")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of a table")] = False,
) -> int:  # fmt: skip
    """Say what a licence, or each licence in a dataset, asks for, and whether it fits a purpose."""
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, print_json, say
    from copycat.errors import UserError

    if public_domain_error is not None:
        if what is not None or attribution is not None or output_licence is not None:
            raise UserError("--public-domain-error works out figures alone\n  leave out the licence and other options")
        return _public_domain(public_domain_error, measured_on, as_json)
    if measured_on is not None:
        raise UserError("--measured-on belongs to --public-domain-error\n  leave it out, or name the accuracies")
    if what is None or not what.strip():
        raise UserError(
            "no licence and no dataset is named\n  type, for example: licence CC-BY-4.0, or licence my-dataset"
        )
    answer, credits = _answer(what.strip(), _purpose(purpose, output_licence), attribution)
    if answer.unread:
        say(f"note: {answer.unread}")
    if as_json:
        written = None if credits is None else {"file": str(attribution), **credits._asdict()}
        print_json(answer.model_dump(mode="json") | {"attribution": written})
    else:
        _print(answer)
        _print_credits(credits, attribution, answer.purpose.name)
    return EXIT_DONE if answer.answer else EXIT_NOT_VALID


def _purpose(name: str, output: str | None) -> Purpose:
    from copycat.errors import UnknownNameError
    from copycat.provenance.licences.output import with_output
    from copycat.provenance.records import PURPOSES

    if name not in PURPOSES:
        raise UnknownNameError("purpose", name, PURPOSES, f"one of: {', '.join(PURPOSES)}")
    return with_output(PURPOSES[name], output)


def _answer(what: str, purpose: Purpose, attribution: Path | None) -> tuple[LicenceAnswer, Written | None]:
    from copycat.commands.outputs import require_output
    from copycat.console import running_count
    from copycat.errors import UserError
    from copycat.provenance.dataset import Dataset
    from copycat.provenance.licences.attribution import check_form, write_attribution
    from copycat.provenance.licences.listing import check_place
    from copycat.provenance.licences.summary import answer_dataset, answer_licence, open_what

    opened = open_what(what)
    if attribution is not None:
        check_form(attribution)
    if not isinstance(opened, Dataset):
        if attribution is not None:
            raise UserError(
                f"--attribution needs a dataset, and '{what[:80]}' is a licence\n  type: licence my-dataset ..."
            )
        return answer_licence(opened, purpose, purpose.output_licence), None
    if attribution is not None:
        check_place(attribution, opened, "--attribution")
        require_output("--attribution", attribution)
    with running_count("reading licences") as done:
        answer = answer_dataset(opened, purpose, purpose.output_licence, done)
    if attribution is None:
        return answer, None
    with running_count("writing credits") as done:
        return answer, write_attribution(opened, attribution, purpose, done)


# ----------------------------------------------------------------------------- printing


def _print(answer: LicenceAnswer) -> None:
    from copycat.console import out

    if not answer.is_dataset:
        _print_one(answer.rows[0])
    else:
        _print_dataset(answer)
    purpose = answer.purpose
    out.print()
    output = f", and go on as {answer.output_licence}" if answer.output_licence else ""
    said = {True: "fits", False: "does not fit", None: "is not known to fit"}[answer.answer]
    if answer.is_dataset:
        said = {True: "all licences fit", False: "not all licences fit", None: "not all licences are known to fit"}[
            answer.answer
        ]
    told = f"for {purpose.name} ({purpose.about}){output}: {said}"
    out.print(told, markup=False, soft_wrap=True)
    if not answer.is_dataset:
        for reason in (*answer.rows[0].reasons, *answer.rows[0].into_reasons):
            out.print(f"  {_plain(reason)}", markup=False, soft_wrap=True)


def _print_one(row: LicenceRow) -> None:
    from copycat.console import out
    from copycat.provenance.licences.duties import base_of
    from copycat.provenance.licences.facts import DUTY_TEXTS, facts_of

    lines = [("licence", row.expression or "not known"), ("read", _read(row))]
    for number, one in enumerate(row.choices, 1):
        if len(row.choices) > 1:
            lines.append((f"choice {number}", " AND ".join(one.licences)))
        asks = [f"{text} ({one.asks[duty]})" for duty, text in DUTY_TEXTS.items() if duty in one.asks] or [one.told]
        lines += [("asks" if not at else "", text) for at, text in enumerate(asks)]
        data = "written with data in mind" if one.suits_data else "not written for data"
        lines.append(("kind", "not known" if one.unknown else f"{one.kind.replace('-', ' ')}; {data}"))
        texts = [facts.text for name in one.licences if (facts := facts_of(base_of(name))) and facts.text]
        lines += [("text", f"https://{text}") for text in texts]
        if texts and not all(facts.is_read for name in one.licences if (facts := facts_of(base_of(name)))):
            lines.append(("", "its sections stand here from memory: read the text before you cite one"))
    for name, text in lines:
        out.print(f"{name:9} {_plain(text)}", markup=False, soft_wrap=True)


def _read(row: LicenceRow) -> str:
    """Say how a licence was read."""
    if row.fault:
        near = f"; did you mean {', '.join(row.near)}?" if row.near else ""
        return f"'{row.written[0]}' {row.fault}{near}"
    if row.method == "unknown":
        return row.note
    methods = {
        "spdx": "as an SPDX expression",
        "hub-id": "as a name of the Hub",
        "address": "from its address",
        "name": "from its name",
        "list": "from a list",
    }
    note = f"; {row.note}" if row.note else ""
    return f"{methods.get(row.method, row.method)}{note}"


def _print_dataset(answer: LicenceAnswer) -> None:
    from copycat.console import out
    from copycat.provenance.licences.components import MAX_TEXTS

    for row in answer.own:
        how = f", {_read(row)}" if row.expression else ""
        named = f"'{row.written[0]}' {row.fault or row.note}"
        fit = "" if row.fits else f"; for {answer.purpose.name}: {_cell(row.fits, row.reasons)}"
        told = f"{_plain(row.expression or named)}  ({_plain(row.place + how)}){_plain(fit)}"
        out.print(f"dataset   {told}", markup=False, soft_wrap=True)
    if not answer.own:
        out.print("dataset   does not say what its licence is", markup=False)
    if answer.rows:
        out.print(_table(answer))
    for number, said in (
        (len(answer.rows) - SHOWN_ROWS, "more licences: --json has all"),
        (answer.n_without, "records state no licence"),
        (
            answer.n_not_told_apart,
            f"records have other texts, which are not read: at most {MAX_TEXTS:,} are told apart",
        ),
    ):
        if number > 0:
            out.print(f"{number:,} {said}", markup=False)
    if not answer.rows:
        out.print(f"{answer.n_records or 0:,} records, none of which states a licence of its own", markup=False)


def _table(answer: LicenceAnswer):  # type: ignore[no-untyped-def]  # a rich table; rich is imported when it is drawn
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="licences of the records", title_justify="left", box=None, pad_edge=False)
    table.add_column("licence", overflow="fold", min_width=14)
    table.add_column("records", justify="right", no_wrap=True)
    table.add_column("asks", overflow="fold")
    table.add_column(f"for {answer.purpose.name}", overflow="fold")
    if answer.output_licence:
        table.add_column(f"as {answer.output_licence}", overflow="fold")
    for row in answer.rows[:SHOWN_ROWS]:
        cells = [_named(row), f"{row.n_records or 0:,}", row.choices[0].told if row.choices else "not known"]
        cells.append(_cell(row.fits, row.reasons))
        if answer.output_licence:
            cells.append(_cell(row.goes_into, row.into_reasons))
        table.add_row(*(escape(_plain(cell)) for cell in cells))
    return table


def _named(row: LicenceRow) -> str:
    if row.expression is None:
        return f"'{row.written[0][:40]}'" + (f" {row.fault}" if row.fault else "")
    written = [text for text in row.written if text.casefold() != row.expression.casefold()]
    return (
        f"{row.expression} (written {', '.join(repr(text[:40]) for text in written[:2])})"
        if written
        else row.expression
    )


def _cell(answer: bool | None, reasons: tuple[str, ...]) -> str:
    return WORDS[answer] if answer else f"{WORDS[answer]}: {'; '.join(reasons[:2])}"


def _print_credits(credits: Written | None, path: Path | None, purpose: str) -> None:
    from copycat.console import out
    from copycat.paths import shown

    if credits is not None and path is not None:
        left = f", {credits.n_left_out:,} that ask for nothing left out" if credits.n_left_out else ""
        out.print(f"credits of {credits.n_listed:,} records{left}: {shown(path)}", markup=False, soft_wrap=True)
        rows = ((credits.n_no_fit, "does not fit"), (credits.n_unknown, "is not known to fit"))
        gone = " and ".join(f"{number:,} whose licence {said} '{purpose}'" for number, said in rows if number)
        if gone:
            told = f"left out of the credits: {gone}; which they are: usable DATASET --for {purpose} --out FILE.csv"
            out.print(told, markup=False, soft_wrap=True)


def _plain(text: str) -> str:
    from copycat.commands.fairuse_shown import one_line

    return one_line(text, 400)


# ------------------------------------------------------------------------- public domain


def _public_domain(given: tuple[float, float, int], measured_on: int | None, as_json: bool) -> int:
    from copycat.console import EXIT_DONE, out, print_json
    from copycat.errors import UserError
    from copycat.provenance.licences.public_domain import public_domain_error

    try:
        found = public_domain_error(*given, measured_on)
    except ValueError as error:
        raise UserError(f"--public-domain-error: {error}\n  type, for example: 0.9658 0.9720 424059") from None
    if as_json:
        print_json(found.model_dump(mode="json"))
        return EXIT_DONE
    for line in _public_domain_lines(found):
        out.print(line, markup=False, soft_wrap=True)
    return EXIT_DONE


def _public_domain_lines(found: PublicDomainError) -> list[str]:
    def row(name: str, rate: float, expected: float, note: str = "") -> str:
        return f"{name:27} {100 * rate:8.4f} %  {expected:10,.0f} of {found.n:,}{note}"

    a, b = 1 - found.title_accuracy, 1 - found.registration_accuracy
    lines = [
        f"wrongly taken for public domain: title ({100 * a:.2f} % wrong) and registration ({100 * b:.2f} % wrong) are",
        "wrong together, so that no renewal is found",
        row(
            "errors independent", found.rate, found.expected, f"  ({found.spread_low:,.0f} to {found.spread_high:,.0f})"
        ),
    ]
    if found.low is not None and found.high is not None:
        low, high = found.n * found.low, found.n * found.high
        lines.append(
            f"{'':27} {100 * found.low:8.4f} % to {100 * found.high:.4f} %, {low:,.0f} to {high:,.0f}, since the "
            f"accuracies were measured on {found.measured_on:,}"
        )
    lines += [
        row(f"errors correlated {one.correlation:.2f}", one.rate, one.expected)
        for one in found.correlated
        if one.correlation > 0
    ]
    lines += [
        row("whatever they are, at least", found.lowest, found.expected_lowest),
        row("whatever they are, at most", found.highest, found.expected_highest),
        "in brackets: 95 % for independent works. Errors of one scan or one page are rarely independent: measure on a",
        "sample how often both are wrong together",
    ]
    return lines
