"""The rules of the wing applied to what this project ships: characters, prompts, weights, corpus, submissions.

`python -m copycat.provenance check --own` runs them, and `make check` fails on an error. Its rules:

X1   characters.py    every field has a source and a licence; legal notes are computed from dated facts
X2   prompts.py       every folder of prompts has a card; each file has how, by, date, licence and its sha256
X3   weights.py       every weight is in a manifest, with its hash, card, licence and training data
X4   corpus.py        the sandbox's corpus, as `python -m copycat.sandbox export` writes it, passes the other rules
X5   submissions.py   each submission states licence and source of its model, and its files are those of its list
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from copycat.errors import UnknownNameError, UserError
from copycat.provenance.own.found import Own, Result
from copycat.provenance.records import PURPOSES, CheckReport, Outcome

__all__ = ["OWN_RULES", "Own", "OwnRule", "run_own"]


class OwnRule(NamedTuple):
    """A rule on what ships: its id, what it asks, and what checks it, imported on first use."""

    id: str
    title: str
    check: Callable[[Own], Result]


def _characters(own: Own) -> Result:
    from copycat.provenance.own.characters import check_characters

    return check_characters(own)


def _prompts(own: Own) -> Result:
    from copycat.provenance.own.prompts import check_prompts

    return check_prompts(own)


def _weights(own: Own) -> Result:
    from copycat.provenance.own.weights import check_weights

    return check_weights(own)


def _corpus(own: Own) -> Result:
    from copycat.provenance.own.corpus import check_corpus

    return check_corpus(own)


def _submissions(own: Own) -> Result:
    from copycat.provenance.own.submissions import check_submissions

    return check_submissions(own)


OWN_RULES: tuple[OwnRule, ...] = (
    OwnRule("X1", "characters: each field has a source and a licence, legal notes are computed", _characters),
    OwnRule("X2", "prompts: each folder has a card, each file its hash, origin and licence", _prompts),
    OwnRule("X3", "weights: each is in a manifest, with hash, card, licence and training data", _weights),
    OwnRule("X4", "the sandbox's corpus passes the rules for datasets", _corpus),
    OwnRule("X5", "submissions: licence and source of each model, files as listed", _submissions),
)


SEVERITIES = ("error", "warning", "note")
"""The worst first: it is what a rule is told by."""

BAD = (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, UserError)
"""What files that nobody thought of raise. It becomes a finding, and the other rules go on."""


def run_own(root: Path, as_of: date, package: Path | None = None, rules: Iterable[str] | None = None) -> CheckReport:
    """Check what the project ships.

    Args:
        root: the folder that holds characters/, prompts/ and, in a checkout, leaderboard/.
        as_of: the day for which it is checked; findings depend on it only through dates in the future.
        package: the folder of the package, which holds the weights; None: this one.
        rules: ids; None: all.

    Raises:
        UnknownNameError: there is no rule of this id.
    """
    own = Own(root=root, package=package or Path(__file__).resolve().parents[2], as_of=as_of)
    known = {rule.id: rule for rule in OWN_RULES}
    wanted = known if rules is None else dict.fromkeys(rules)
    for name in wanted:
        if name not in known:
            raise UnknownNameError("rule on what ships", name, known)
    outcomes = [_outcome(known[name], own) for name in wanted]
    return CheckReport(
        dataset="what copycat ships",
        kind="own",
        n_files=own.n_files,
        n_records=own.n_records,
        purpose=PURPOSES["sharing"],
        region="US",
        as_of=as_of,
        outcomes=tuple(outcomes),
    )


def _outcome(rule: OwnRule, own: Own) -> Outcome:
    own.rule = rule.id
    try:
        result = rule.check(own)
    except BAD as error:
        said = f"could not be checked ({type(error).__name__}: {str(error)[:200]})"
        failed = own.finding(
            said, "look at what the error names; if that is sound, report this as a mistake of copycat"
        )
        return Outcome(rule=rule.id, title=rule.title, status="not-checked", said=said, findings=(failed,))
    findings = sorted(result.findings, key=lambda finding: SEVERITIES.index(finding.severity))
    if findings:
        said, status = findings[0].said, "found"
    else:
        said, status = result.said, "passed" if result.is_applicable else "not-applicable"
    return Outcome.model_validate(
        {"rule": rule.id, "title": rule.title, "status": status, "said": said, "findings": tuple(findings)}
    )
