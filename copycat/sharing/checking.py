"""What is wrong with prompt sets, lists, suites and run folders: every fault at once, and in a line what was found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import ValidationError

from copycat.catalog import (
    benign_prompts,
    list_anchors,
    list_character_sets,
    prompt_set_of,
    read_character_set,
    read_list,
    read_prompt_set,
    with_lists,
)
from copycat.catalog.marked_yaml import read_marked_yaml
from copycat.catalog.prompt_files import CARD
from copycat.errors import DataError, UserError
from copycat.paths import SUITE_FILE, data_folder, shown
from copycat.runs.folder import RunFile, RunFolder, read_journal
from copycat.schema import BENIGN, CharacterSet, Judgement, RunResult, Sample
from copycat.sharing.suite import find_suite, read_manifest, suite_faults

R = TypeVar("R", Sample, Judgement)


class Checked(NamedTuple):
    """One thing that was looked at: what it is, in a line, and every fault."""

    said: str
    faults: tuple[str, ...] = ()


def everything_that_ships() -> list[str]:
    """Name what is checked if nothing is named: every set with its prompts and lists, and the benign prompts."""
    return [*list_character_sets(), str(data_folder("prompts") / BENIGN)]


def check_thing(thing: str) -> Checked | None:
    """Check what a name or a path leads to; None if it is nothing that is known here.

    A name of a set that ships, a character file, a folder of frozen prompts, a frozen list, a suite, a run folder.
    """
    path = Path(thing)
    if thing in list_character_sets():
        return _caught(thing, lambda: _check_shipped(thing))
    if path.is_dir():
        check = next((check for sign, check in _FOLDERS.items() if (path / sign).is_file()), None)
        if check is None and find_suite(path) is not None:
            check = _check_suite
        return None if check is None else _caught(thing, lambda: check(path))
    if path.suffix == ".json" and path.is_file():
        return _caught(thing, lambda: _check_list(path))
    return _caught(thing, lambda: _check_characters(thing))


def _caught(thing: str, check: Callable[[], Checked]) -> Checked:
    """Give the faults of one thing as a result, so that those of the next are told, too."""
    try:
        return check()
    except DataError as error:
        return Checked(f"{thing}: not in order", (*error.faults, *([error.fix] if error.fix else [])))
    except UserError as error:
        return Checked(f"{thing}: not in order", (str(error),))


def _check_characters(thing: str) -> Checked:
    characters = read_character_set(thing)
    count = len(characters.characters)
    anchors = ", ".join(list_anchors(characters))
    return Checked(f"{thing}: {count} character{'s' if count != 1 else ''}, no fault; anchors: {anchors}")


def _check_shipped(name: str) -> Checked:
    """Check a set that ships, its frozen prompts and the lists beside them."""
    checked = _check_characters(name)
    with_lists(prompt_set_of(read_character_set(name)), data_folder("prompts"))
    return checked


def _check_prompts(folder: Path) -> Checked:
    """Check a folder of frozen prompts against its card."""
    value = read_marked_yaml(folder / CARD).value
    set_id = str(value.get("id")) if isinstance(value, dict) else ""
    if set_id == BENIGN:
        counts = [len(benign_prompts(read_character_set(name), folder)[1]) for name in list_character_sets()]
        return Checked(f"{shown(folder)}: benign prompts, no fault; {max(counts, default=0)} at most for one set")
    characters = _characters_of(folder, set_id)
    prompts = read_prompt_set(characters, folder)
    lists = [read_list(path).file_name for path in sorted(folder.glob("*.json"))]
    rankers = ", ".join([*sorted(prompts.keywords), *lists]) or "none"
    return Checked(
        f"{shown(folder)}: prompts {prompts.version} of '{prompts.id}', no fault; rankers and lists: {rankers}"
    )


def _characters_of(folder: Path, set_id: str) -> CharacterSet:
    if set_id in list_character_sets():
        return read_character_set(set_id)
    beside = folder.absolute().parents[1] / "characters" / f"{set_id}.yaml"
    if beside.is_file():
        return read_character_set(beside)
    raise UserError(
        f"{shown(folder / CARD)}: these are the prompts of '{set_id}', which is no set that ships\n"
        f"  needed to check them: its character file at {shown(beside)}"
    )


def _check_list(path: Path) -> Checked:
    found = read_list(path)
    faults = [] if path.name == found.file_name else [f"{shown(path)}: must be called {found.file_name}"]
    if found.characters in list_character_sets():
        ids = {character.id for character in read_character_set(found.characters).characters}
        keys = [key.split("/")[1] if "/" in key else key for key in found.texts]
        faults += [f"{shown(path)}: '{key}' is no character of '{found.characters}'" for key in keys if key not in ids]
    known = f"; {len(found.faults)} known faults of its source" if found.faults else ""
    said = (
        f"{shown(path)}: {found.kind} '{found.name}' for {len(found.texts)} of '{found.characters}', as frozen{known}"
    )
    return Checked(said, tuple(faults))


def _check_suite(folder: Path) -> Checked:
    place = find_suite(folder) or folder
    if faults := suite_faults(place):
        return Checked(f"{shown(place)}: not in order", tuple(faults))
    manifest = read_manifest(place)
    sets = ", ".join(manifest.characters)
    return Checked(
        f"{shown(place)}: suite {manifest.suite_version}, {len(manifest.files)} files, no fault; sets: {sets}"
    )


# ------------------------------------------------------------------------------------------- runs


def _check_run(path: Path) -> Checked:
    """Check the journals of a run, the bytes of its pictures, and that verdicts and figures are of them."""
    folder = RunFolder(path)
    run = folder.read_run()
    faults: list[str] = []
    samples = _journal(lambda: [*folder.read_samples(), *folder.read_other_samples()], faults)
    faults += _twice(samples, shown(folder.samples_path))
    pictures = {sample.key: sample.sha256 for sample in samples if sample.status == "ok"}
    for sample in samples:
        if sample.status == "ok" and not folder.is_intact(sample):
            faults.append(f"{shown(path / (sample.image or ''))}: is missing, or differs from its sha256")
    for file in sorted((path / "judgements").glob("*.jsonl")):
        verdicts = _journal(lambda file=file: read_journal(file, Judgement), faults)  # type: ignore[misc]
        faults += _stray(verdicts, pictures, shown(file))
    faults += _result_faults(path, run, samples)
    name = path.name if path.name == run.id else f"{path.name} (id {run.id})"
    return Checked(f"{name}: a run, {run.status}; {len(samples)} samples, {len(pictures)} pictures", tuple(faults))


def _journal(read: Callable[[], list[R]], faults: list[str]) -> list[R]:
    try:
        return read()
    except DataError as error:
        faults += error.faults
        return []


def _twice(samples: list[Sample], where: str) -> list[str]:
    seen: set[str] = set()
    faults = []
    for sample in samples:
        if sample.key in seen:
            faults.append(f"{where}: sample '{sample.key}' is there twice")
        seen.add(sample.key)
    return faults


def _stray(verdicts: list[Judgement], pictures: dict[str, str | None], where: str) -> list[str]:
    strangers = [v.key for v in verdicts if v.key not in pictures]
    others = [v.key for v in verdicts if v.key in pictures and pictures[v.key] != v.image_sha256]
    faults = [f"{where}: verdict '{key}' is of no picture of the run" for key in strangers]
    return faults + [f"{where}: verdict '{key}' is of other bytes, and does not count" for key in others]


def _result_faults(path: Path, run: RunFile, samples: list[Sample]) -> list[str]:
    file = path / "metrics.json"
    if not file.is_file():
        return [f"{shown(file)}: is missing; type the run's command again"] if run.status == "finished" else []
    try:
        result = RunResult.model_validate_json(file.read_bytes())
    except ValidationError as error:
        return [f"{shown(file)}: {error.errors()[0]['msg']}"]
    ended = {status: sum(sample.status == status for sample in samples) for status in ("ok", "refused", "blocked")}
    told = {status: getattr(result.counts, status) for status in ended}
    return [
        f"{shown(file)}: counts {told[status]} {status}, and there are {ended[status]}; type the run's command again"
        for status in ended
        if told[status] != ended[status]
    ]


_FOLDERS: dict[str, Callable[[Path], Checked]] = {
    "run.json": _check_run,
    SUITE_FILE: _check_suite,
    CARD: _check_prompts,
}
"""The file that tells what a folder is."""
