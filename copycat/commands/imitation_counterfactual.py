"""`python -m copycat.imitation counterfactual`: retrain small worlds with counts set by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.imitation.counterfactual.analysis import Findings, MetricFindings
    from copycat.imitation.counterfactual.logistic import Fit

COUNTERFACTUAL_EPILOG = (
    "The same command goes on from where it was broken off. Each works on one thread, so that figures do not depend on "
    "the number of cores: start as many on the same folder as there are cores, and each takes other worlds. From run "
    "to run they differ all the same, scores in the fourth decimal and ends of intervals more, for where memory lies "
    "moves the last digits of sums."
)

HIGHEST = 1.0
"""What a share and a cosine can reach: a curve that ends above it was still rising at the highest dose."""


def counterfactual(  # noqa: PLR0917 - one parameter per option
    setting: Annotated[str, typer.Option(help="tiny (shows that it runs), reduced (CPU), full (GPU)")] = "reduced",
    out: Annotated[Path, typer.Option(help="folder of worlds and results")] = Path("counterfactual"),
    seed: Annotated[int, typer.Option(min=0, help="deals the doses, draws first weights and batches")] = 0,
    worlds: Annotated[int | None, typer.Option(min=1, help="permuted worlds; default: those of the setting")] = None,
    only: Annotated[int | None, typer.Option(min=0, help="train at most this many worlds; 0: analyse only")] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: the best there is")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the findings as JSON")] = False,
) -> int:
    """Retrain small sandbox models with counts set by hand, and compare estimate and truth."""
    from copycat import console
    from copycat.errors import UnknownNameError, UserError
    from copycat.imitation.counterfactual.analysis import METRICS, analyse_doses
    from copycat.imitation.counterfactual.figure import draw_figure
    from copycat.imitation.counterfactual.plan import plan
    from copycat.imitation.counterfactual.runner import gather_doses, run_worlds
    from copycat.imitation.counterfactual.settings import SETTINGS, TINY
    from copycat.paths import shown
    from copycat.runs.environment import pick_device
    from copycat.runs.folder import write_bytes, write_json

    if setting not in SETTINGS:
        raise UnknownNameError("setting", setting, SETTINGS)
    chosen = SETTINGS[setting]
    if chosen is TINY:
        console.say("tiny: shows that it runs; its figures mean nothing")
    if worlds is not None:
        chosen = chosen.model_copy(update={"worlds": worlds})
    planned = plan(chosen, seed)
    if only != 0:
        run_worlds(chosen, planned, out, pick_device(device), only)
    doses = gather_doses(planned, out)
    if not any(dose.kind == "permuted" for dose in doses):
        raise UserError(
            f"no permuted world is finished in {out}\n  run the same command without --only 0, and again if broken off"
        )
    findings = analyse_doses(doses, seed)
    write_json(out / "findings.json", findings.model_dump(mode="json"))
    for metric in METRICS:
        write_bytes(out / f"{metric}.svg", draw_figure(doses, findings, metric).encode())
    if as_json:
        console.print_json(findings.model_dump(mode="json"))
    else:
        for line in [*lines_of(findings), "", f"{shown(out / 'findings.json')}, and a figure of each metric beside it"]:
            console.out.print(line, markup=False, highlight=False, soft_wrap=True)
    return 0


def lines_of(findings: Findings) -> list[str]:
    """Put the findings as lines: an ED50 with its 95 % interval for the truth and for each world alone."""
    seconds = findings.seconds
    lines = [
        f"{findings.worlds} {'world' if findings.worlds == 1 else 'worlds'} "
        f"({findings.permuted} permuted, {findings.series} of a series), {findings.pictures} pictures, "
        f"{f'{seconds:.1f} seconds' if seconds < 60 else f'{seconds / 60:.1f} minutes'} of training"
    ]
    for found in findings.metrics:
        lines += ["", found.metric, *_estimates(found), *_assumptions(found)]
    return lines


def _estimates(found: MetricFindings) -> list[str]:
    lines = [f"  truth, doses dealt at random, all worlds   ED50 {_shown(found.truth_pooled)}"]
    if found.truth_series is not None:
        lines.append(f"  truth, series of {found.probe:<23}   ED50 {_shown(found.truth_series)}")
    for each in found.observed:
        held = {None: "", True: "  holds the truth", False: "  misses the truth"}[each.covers]
        luck = "" if each.luck is None else f"  luck of the deal {each.luck:+z.2f}"
        lines.append(f"  {each.world + ' alone':<40}   ED50 {_shown(each.fit)}{held}{luck}")
        between = f", between {each.bracket.last_below:.0f} and {each.bracket.first_above:.0f}" if each.bracket else ""
        lines.append(f"    the threshold stage says: {each.verdict}{between}")
    return lines


def _assumptions(found: MetricFindings) -> list[str]:
    lines = []
    if (spread := found.spread) is not None:
        lines.append(
            f"  variance: dose {spread.dose:.0%}, character {spread.character:.0%} (p {spread.p_character:.2g}), "
            f"rest {spread.rest:.0%}"
        )
        lines.append(
            f"  above the ED50, standard deviation between characters of one dose {_number(spread.same_dose)}, "
            f"of one character of one dose between worlds {_number(spread.same_character)}"
        )
    lines.append(
        f"  rank correlation with the dose {_number(found.correlation_dose)}, with the pictures whose caption holds "
        f"the name {_number(found.correlation_named)}"
    )
    if found.others_and_probe is not None:
        lines.append(f"  all others against the dose of the probe {_number(found.others_and_probe)}")
    return lines


def _shown(fit: Fit) -> str:
    if fit.ed50 is None:
        return f"none ({fit.reason})"
    is_beyond = fit.upper is not None and round(fit.upper, 2) > HIGHEST
    levels = f"from {fit.lower:z.2f}" + (", not levelled off" if is_beyond else f" to {fit.upper:z.2f}")
    return f"{fit.ed50:.0f} [{fit.low:.0f}, {fit.high:.0f}], {levels}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:z.3f}"
