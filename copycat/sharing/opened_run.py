"""A finished run folder as it is read for others: nothing in it that tells of the machine it was made on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from copycat.errors import DataError, UserError
from copycat.paths import shown
from copycat.runs.folder import RunFile, RunFolder
from copycat.schema import MIN_COVERAGE, Judgement, RunResult, Sample

_PATH = re.compile(r"(?<![\w:/.])(?:~|[A-Za-z]:|\.{0,2})(?:[/\\][\w.@+ -]*[\w.@+-]){2,}")
_SECRET = re.compile(
    r"\b(?:sk|hf|api|gh[oprsu]|github_pat|r8|npm|glpat|xox[a-z])[-_][\w-]{8,}"
    r"|\bA(?:KIA|Iza)[\w-]{16,}|\beyJ[\w-]{8,}\.[\w.-]+|(?<=[?&])\w*(?:key|token|sig|secret)=[^\s&#]+"
    r"|\b(?i:bearer)\s+[\w.~+/-]{12,}|(?<=://)[^\s/:@]*:[^\s/@]+(?=@)"
)
"""What works like a key: of the Hub, of services, of GitHub, GitLab, npm and Slack, in a header or a web address."""


class OpenedRun(NamedTuple):
    """A finished run; `verdicts` goes from the key of a sample to what the judge of the spec said of its picture."""

    folder: RunFolder
    run: RunFile
    result: RunResult
    samples: tuple[Sample, ...]
    verdicts: dict[str, Judgement]

    @property
    def title(self) -> str:
        """Name the run in a line."""
        spec = self.run.spec
        return (
            f"{local_name(spec.model)} with mitigation {spec.mitigation} on {spec.characters}, judged by {spec.judge}"
        )


def open_run(path: Path) -> OpenedRun:
    """Read a finished run.

    Raises:
        UserError: no run folder, or one that is not finished.
        DataError: a file of it is damaged.
    """
    if (path / "submission.json").is_file():
        raise UserError(f"{shown(path)}: is a submission\n  needed: the run folder that it was packed from")
    if not (path / "run.json").is_file():
        raise UserError(f"{shown(path)}: holds no run.json\n  needed: a run folder, such as runs/<model>+...")
    folder = RunFolder(path)
    run = folder.read_run()
    if run.status != "finished" or not (path / "metrics.json").is_file():
        raise UserError(f"{shown(path)}: the run is not finished\n  type its command again; it goes on from there")
    try:
        result = RunResult.model_validate_json((path / "metrics.json").read_bytes())
    except ValidationError as error:
        raise DataError(
            [f"{shown(path / 'metrics.json')}: {error.errors()[0]['msg']}"], "  type its command again"
        ) from error
    verdicts = {judgement.key: judgement for judgement in folder.read_judgements(run.spec)}
    return OpenedRun(folder, run, result, tuple(folder.read_samples()), verdicts)


def require_whole(opened: OpenedRun, use: str) -> None:
    """Refuse what is no result of the whole suite.

    Raises:
        UserError: it was limited, or too little of it was judged.
    """
    counts = opened.result.counts
    if opened.result.is_partial:
        raise UserError(f"a run with --limit cannot be {use}\n  run it again without --limit")
    if counts.coverage < MIN_COVERAGE:
        said = f"only {counts.coverage:.0%} of the planned requests were judged, refused or blocked"
        raise UserError(f"{said}\n  a run {use} needs {MIN_COVERAGE:.0%}; type its command again")


def picture_bytes(opened: OpenedRun, sample: Sample, faults: list[str]) -> bytes | None:
    """Read the picture of a sample; one that is missing or changed goes into `faults`."""
    if sample.image is None:
        return None
    content = opened.folder.read_image(sample)
    if content is None:
        faults.append(f"{shown(opened.folder.path / sample.image)}: is missing, or differs from its sha256")
    return content


def without_traces(text: str) -> str:
    """Give a message without paths, of which the last part stays, and without what looks like a key."""
    local = re.sub(r"\bfile:/*(?=/)", "", text)
    return _SECRET.sub("(removed)", _PATH.sub(lambda found: re.split(r"[/\\]", found.group())[-1], local))


def local_name(text: str) -> str:
    """Give the name of a model or its source; of a folder on this machine only the last part."""
    is_local = text.startswith(("/", "~", ".", "\\")) or re.match(r"[A-Za-z]:[\\/]", text) is not None
    return re.split(r"[/\\]", text.rstrip("/\\"))[-1] if is_local else text


def shared_spec(opened: OpenedRun) -> dict[str, Any]:
    """Give the spec of a run as JSON, with local folders by their name alone."""
    spec = opened.run.spec.model_dump(mode="json")
    for name in ("model", "model_source", "judge", "filter_judge", "language_model", "embedder"):
        if isinstance(spec.get(name), str):
            spec[name] = without_traces(local_name(spec[name]))
    return spec
