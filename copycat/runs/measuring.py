"""Further measures of the pictures of a run, behind `--metrics`; what is measured once is not measured again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from copycat.measures import Measure, MeasureRow, resolve_measure
from copycat.metrics.summary import Measured
from copycat.models.decode import UndecodableError, decode_picture
from copycat.runs.folder import RunFolder, append_journal, read_journal, write_journal
from copycat.schema import Measurement, Sample


def measurements_path(folder: RunFolder, row: MeasureRow, revision: str) -> Path:
    """Give the file of a measure's values: one per measure and revision of it."""
    return folder.path / "measures" / f"{row.name}-{revision[:8]}.jsonl"


def measure_pictures(
    folder: RunFolder, samples: Sequence[Sample], row: MeasureRow, measure: Measure, advance: Callable[[int], None]
) -> list[Measurement]:
    """Measure every picture of a run that is not measured yet, all pictures of one character and anchor together.

    Returns: one measurement per picture, in the order of the samples.

    Raises:
        UserError: nothing can be measured.
    """
    pictures = {sample.key: sample for sample in samples if sample.status == "ok"}
    path = measurements_path(folder, row, measure.revision())
    found = {m.key: m for m in read_journal(path, Measurement) if _is_of(m, pictures)}
    for group in _groups(pictures.values()):
        if any(sample.key not in found for sample in group):
            fresh = _measure(folder, group, measure)
            append_journal(path, fresh)
            found |= {measurement.key: measurement for measurement in fresh}
        advance(len(group))
    ordered = [found[key] for key in pictures]
    if read_journal(path, Measurement) != ordered:
        write_journal(path, ordered)
    return ordered


def read_measured(folder: RunFolder) -> list[Measured]:
    """Read what every measure that the run file names says of the pictures."""
    if not (folder.path / "run.json").exists():
        return []
    rows = [(resolve_measure(name), revision) for name, revision in folder.read_run().measures.items()]
    paths = [(row.scale, measurements_path(folder, row, revision)) for row, revision in rows]
    return [Measured(scale, read_journal(path, Measurement)) for scale, path in paths if path.exists()]


def _groups(samples: Iterable[Sample]) -> list[list[Sample]]:
    groups: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.character, sample.anchor].append(sample)
    return list(groups.values())


def _measure(folder: RunFolder, group: Sequence[Sample], measure: Measure) -> list[Measurement]:
    """Measure what can be read of a group; the rest has a reason."""
    readable, unreadable = [], []
    for sample in group:
        try:
            readable.append((decode_picture(folder.read_image(sample) or b""), sample))
        except UndecodableError as error:
            reason = f"the picture cannot be read: {error}"
            unreadable.append(Measurement(key=sample.key, image_sha256=sample.sha256 or "", reason=reason))
    done = measure.measure([picture for picture, _ in readable], [sample for _, sample in readable]) if readable else []
    return [*done, *unreadable]


def _is_of(measurement: Measurement, pictures: Mapping[str, Sample]) -> bool:
    sample = pictures.get(measurement.key)
    return sample is not None and sample.sha256 == measurement.image_sha256 and measurement.reason is None
