"""`python -m copycat.calibrate`: make labels of a run, and compare a judge with labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

if TYPE_CHECKING:
    from copycat.calibration.flows import Compared, Seat
    from copycat.schema import CorrectionMethod

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

EPILOG = """RUN alone makes RUN/labels/: labels.csv to fill in, label.html to do it in a browser.
With --labels it writes OUT/calibrations/<judge>-<revision>+<characters>.json; from then on copycat.eval
corrects the rates of this judge in this revision. Labels that are filled in are never overwritten, and no
picture is judged twice. Exit 0 done, 2 to be fixed by you, 130 or 143 interrupted."""

DEFAULT_SCENES = 3000
METHODS: tuple[CorrectionMethod, ...] = ("rogan-gladen", "prediction-powered")


class Options(NamedTuple):
    """What was typed."""

    run: Path | None
    labels: tuple[str, ...]
    judge: str | None
    characters: str | None
    columns: str | None
    n: int | None
    seed: int
    raters: tuple[str, ...]
    method: CorrectionMethod
    limit: int | None
    out: Path | None
    references: str | None
    device: str | None
    json: bool


@app.command(epilog=EPILOG)
def calibrate(  # noqa: PLR0917 - one parameter per option
    run: Annotated[Path | None, typer.Argument(help="the folder of one run, such as runs/sandbox+none+...")] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|SET",
            help="labels.csv of the run, repeatable; or labelled pictures: hf:org/name, 'copychars', a file or folder",
            show_default=False,
        ),
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="the laboratory: thousands of pictures drawn with known truth")
    ] = False,
    judge: Annotated[
        str | None,
        typer.Option(help="who is tested; default: the run's judge, for --sandbox 'sandbox'", show_default=False),
    ] = None,
    characters: Annotated[
        str | None,
        typer.Option(metavar="SET|FILE", help="default: the run's; for labelled pictures 'copycat50'"),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="ROLE=NAME,..", help="image=..,character=..,label=.. of labelled pictures")
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", "--n", min=1, help="pictures to label (300), or to draw for --sandbox (3000)")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="which pictures are drawn")] = 0,
    raters: Annotated[
        str | None,
        typer.Option(metavar="NAME,..", help="who labels: a file for each; with --labels: only what they said counts"),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="rogan-gladen|prediction-powered",
            help="how rates are corrected; the second needs labels of the very run, and corrects only that",
        ),
    ] = "rogan-gladen",
    limit: Annotated[int | None, typer.Option(min=1, help="at most this many labelled pictures")] = None,
    references: Annotated[
        Path | None, typer.Option(metavar="DIR", help="pictures of each character, for judges that compare")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is")] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="where runs and calibrations are; default: the run's parent, else 'runs'"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of tables")] = False,
) -> int:
    """Compare a judge with labels, so that rates can be corrected for its errors.

    python -m copycat.calibrate RUN

    python -m copycat.calibrate RUN --labels RUN/labels/labels.csv

    python -m copycat.calibrate --labels hf:org/name --judge NAME
    """
    options = Options(
        run=run,
        labels=tuple(labels or ()),
        judge=judge,
        characters=characters,
        columns=columns,
        n=n,
        seed=seed,
        raters=tuple(name.strip() for name in (raters or "").split(",") if name.strip()),
        method=_method(method),
        limit=limit,
        out=out or (run.absolute().parent if run is not None else Path("runs")),
        references=None if references is None else str(references),
        device=device,
        json=json,
    )
    _require_sense(options, is_sandbox=sandbox)
    if sandbox:
        return _measure_in_laboratory(options)
    if options.run is None:
        return _compare_set(options)
    return _compare_run(options) if options.labels else _make_sheet(options)


def _method(text: str) -> CorrectionMethod:
    from copycat.errors import UnknownNameError

    known: dict[str, CorrectionMethod] = {name: name for name in METHODS}
    if text not in known:
        raise UnknownNameError("method", text, known)
    return known[text]


def _require_sense(options: Options, *, is_sandbox: bool) -> None:
    """Refuse what does not go together, before anything is read."""
    from copycat.errors import UserError

    typed = {
        "RUN": options.run,
        "--labels": options.labels,
        "--columns": options.columns,
        "--limit": options.limit,
        "--raters": options.raters,
        "--characters": options.characters,
        "-n": options.n,
        "--judge": options.judge,
    }
    mode: str
    unused: tuple[str, ...]
    if is_sandbox:
        mode, unused = "--sandbox", ("RUN", "--labels", "--columns", "--limit", "--raters", "--characters")
    elif options.run is None and not options.labels:
        raise UserError(
            "nothing to compare a judge with\n"
            "  needed: RUN, the folder of a run, or --labels with labelled pictures, or --sandbox\n"
            "  see: python -m copycat.calibrate --help"
        )
    elif options.run is None:
        mode, unused = "labelled pictures", ("-n", "--raters")
    elif options.labels:
        mode, unused = "the labels of a run", ("-n", "--columns", "--limit")
    else:
        mode, unused = "a run alone, which makes a sheet to label", ("--columns", "--limit", "--judge")
    if wrong := [name for name in unused if typed[name]]:
        raise UserError(f"{' and '.join(wrong)} {'has' if len(wrong) == 1 else 'have'} no use with {mode}")


def _make_sheet(options: Options) -> int:
    from copycat.calibration.opened import open_run
    from copycat.calibration.sheet import make_sheet
    from copycat.commands.calibration_tables import print_sheet
    from copycat.console import print_json

    assert options.run is not None  # noqa: S101  # asked by the caller
    sheet = make_sheet(open_run(options.run, options.characters), options.n or 300, options.seed, options.raters)
    if options.json:
        facts = {"page": str(sheet.page), "n_pictures": sheet.n_pictures, "n_filled": sheet.n_filled}
        print_json({**facts, "tables": [str(path) for path in sheet.tables]})
    else:
        print_sheet(sheet, options.run)
    return 0


def _compare_run(options: Options) -> int:
    from copycat.calibration.flows import compare_run
    from copycat.calibration.labelled_sets import is_labelled_set
    from copycat.calibration.opened import open_run
    from copycat.errors import UserError

    assert options.run is not None and options.out is not None  # noqa: S101  # asked by the caller
    if wrong := [text for text in options.labels if is_labelled_set(text)]:
        raise UserError(f"'{wrong[0]}' has pictures of its own\n  leave out RUN: --labels {wrong[0]} --judge NAME")
    run = open_run(options.run, options.characters)
    tables = [Path(text) for text in options.labels]
    seat = _seat(options, options.judge) if options.judge is not None else None
    return _print(compare_run(run, tables, seat, options.out, options.raters, method=options.method), options)


def _compare_set(options: Options) -> int:
    from copycat.calibration.columns import parse_columns
    from copycat.calibration.flows import compare_set
    from copycat.calibration.labelled_sets import open_set
    from copycat.catalog import read_character_set
    from copycat.errors import UserError

    assert options.out is not None  # noqa: S101  # has a default
    if len(options.labels) > 1:
        raise UserError("several --labels go with a RUN only\n  needed: one set of labelled pictures, or RUN")
    if options.judge is None:
        raise UserError(f"no judge given\n  needed: --labels {options.labels[0]} --judge NAME, such as --judge default")
    columns = parse_columns(options.columns)
    seat = _seat(options, options.judge)
    characters = read_character_set(options.characters or seat.knows or "copycat50")
    opened = open_set(options.labels[0], columns)
    return _print(compare_set(opened, seat, characters, options.out, options.limit), options)


def _seat(options: Options, judge: str) -> Seat:
    from copycat.calibration.flows import seat_judge

    assert options.out is not None  # noqa: S101  # has a default
    return seat_judge(judge, options.references, options.device, options.out)


def _print(compared: Compared, options: Options) -> int:
    from copycat.commands.calibration_tables import print_report
    from copycat.console import print_json

    if options.json:
        content = compared.report.model_dump(mode="json")
        print_json({"calibration_file": str(compared.path), "notes": list(compared.notes), **content})
    else:
        print_report(compared)
    return 0


def _measure_in_laboratory(options: Options) -> int:
    from copycat.console import out, print_json, progress_bar
    from copycat.judges import SANDBOX
    from copycat.sandbox.export import build_character_set
    from copycat.sandbox.lab import build_scenes, lab_table, run_lab

    seat = _seat(options, options.judge or SANDBOX)
    judge = seat.judge
    assert judge is not None  # noqa: S101  # _seat builds one
    n = options.n or DEFAULT_SCENES
    with progress_bar(f"judge {n} scenes", n) as advance:
        result = run_lab(judge, build_scenes(n, options.seed), build_character_set(), advance)
    if options.json:
        print_json({"judge": seat.name, "judge_revision": seat.revision, **result.model_dump(mode="json")})
    else:
        out.print(f"{seat.name} in the sandbox: an invented world, never comparable with real models", markup=False)
        out.print(lab_table(result))
    return 0
