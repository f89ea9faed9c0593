"""A good submission passes; each way of tampering with it is refused with a kind of its own."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from drafts import Draft
from submissions import make_submission
from tamperings import TAMPERINGS, Tampering

from copycat.leaderboard.faults import Fault
from copycat.leaderboard.verify import Report, VerifyOptions, verify_submission

UNSEEN = VerifyOptions(rejudge=0)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty pictures of the sandbox's characters by their names; not to be changed, copy it."""
    draft = Draft(make_submission(tmp_path_factory.mktemp("board"), model="some-model"))
    draft.keep_anchor("name")
    folder = tmp_path_factory.mktemp("good") / "submission"
    shutil.copytree(draft.folder, folder)
    draft.folder = folder
    return draft.write()


def copied(good: Path, folder: Path) -> Draft:
    shutil.copytree(good, folder / "submission")
    return Draft(folder / "submission")


def kinds_of(report: Report) -> set[str]:
    return {fault.kind for fault in report.faults}


def test_a_submission_that_nobody_touched_has_no_fault(good: Path) -> None:
    report = verify_submission(good, UNSEEN)

    assert report.faults == ()
    assert report.is_valid


def test_a_submission_that_is_written_again_without_a_change_has_no_fault(good: Path, tmp_path: Path) -> None:
    assert verify_submission(copied(good, tmp_path).write(), UNSEEN).faults == ()


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=[tampering.name for tampering in TAMPERINGS])
def test_a_submission_is_refused_with_the_reason(good: Path, tmp_path: Path, tampering: Tampering) -> None:
    draft = copied(good, tmp_path)
    tampering.spoil(draft)

    report = verify_submission(draft.write(), UNSEEN)

    assert kinds_of(report) == set(tampering.kinds), "\n".join(map(str, report.faults))


def test_each_way_of_tampering_has_a_name_of_its_own() -> None:
    assert len({tampering.name for tampering in TAMPERINGS}) == len(TAMPERINGS) >= 40


def test_a_changed_file_is_noticed_by_the_manifest_alone(good: Path, tmp_path: Path) -> None:
    folder = copied(good, tmp_path).write()
    with (folder / "submission.json").open("a", encoding="utf-8") as file:
        file.write("\n")

    assert [str(fault) for fault in verify_submission(folder, UNSEEN).faults] == [
        "submission.json: has another sha256 than the manifest says: it was changed after it was packed [manifest]"
    ]


def test_all_faults_of_all_files_are_told_at_once(good: Path, tmp_path: Path) -> None:
    draft = copied(good, tmp_path)
    wanted = ("a figure is changed", "a seed is changed", "a script in a name", "a forged hash", "a date to come")
    for tampering in TAMPERINGS:
        if tampering.name in wanted:
            tampering.spoil(draft)

    report = verify_submission(draft.write(), UNSEEN)

    assert kinds_of(report) == {"changed-figure", "seed-changed", "markup", "forged-hash", "wrong-date"}


def test_a_fault_says_where_it_is_and_what_would_be_right(good: Path, tmp_path: Path) -> None:
    draft = copied(good, tmp_path)
    seed = draft.samples[3]["seed"]
    draft.samples[3]["seed"] = 7

    assert verify_submission(draft.write(), UNSEEN).faults == (
        Fault(
            kind="seed-changed",
            where="samples.jsonl:4",
            what=f"the seed is 7, and {seed} follows from the prompt and the repeat",
        ),
    )


def damaged(content: bytes, dice: random.Random) -> bytes:
    place, size = dice.randrange(len(content)), dice.randint(0, 8)
    return content[:place] + dice.randbytes(dice.randint(0, 8)) + content[place + size :]


def test_no_damage_to_any_file_ends_in_an_exception(good: Path, tmp_path: Path) -> None:
    dice = random.Random(29)
    for name in sorted(path.name for path in good.iterdir()):
        for number in range(2):
            folder = Path(shutil.copytree(good, tmp_path / f"{name}-{number}"))
            content = (folder / name).read_bytes()
            (folder / name).write_bytes(damaged(content, dice))

            assert not verify_submission(folder, UNSEEN).is_valid


def test_many_faults_of_one_kind_are_told_with_their_number(good: Path, tmp_path: Path) -> None:
    draft = copied(good, tmp_path)
    for sample in draft.samples:
        sample["seed"] += 1

    faults = verify_submission(draft.write(), UNSEEN).faults

    assert len(faults) == 6
    assert str(faults[-1]) == "samples.jsonl: and 45 more of this kind [seed-changed]"
