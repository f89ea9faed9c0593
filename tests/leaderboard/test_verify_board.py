"""What is checked across submissions: copies of each other's pictures, strays, older suites, and history."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from drafts import Draft, encoded
from PIL import Image
from submissions import make_submission

from copycat.errors import UserError
from copycat.leaderboard import checks
from copycat.leaderboard.board import Trace, compare_submissions, traces_of
from copycat.leaderboard.history import changes_since
from copycat.leaderboard.layout import slug, submission_id
from copycat.leaderboard.reading import load_submission
from copycat.leaderboard.verify import VerifyOptions, verify_board, verify_submission
from copycat.leaderboard.writing import write_manifest

UNSEEN = VerifyOptions(rejudge=0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Submissions of two models; not to be changed, copy them."""
    leaderboard = tmp_path_factory.mktemp("board")
    folders = {}
    for place, model in enumerate(("one-model", "other-model")):
        draft = Draft(make_submission(leaderboard, model=model, random_seed=place))
        draft.keep_anchor("name")
        draft.write()
        folders[model] = draft.folder
    return folders


def placed(source: Path, leaderboard: Path) -> Draft:
    """Copy a submission to where it belongs."""
    loaded = load_submission(source)
    folder = leaderboard / "submissions" / submission_id(loaded.submission, loaded.settings)
    shutil.copytree(source, folder)
    return Draft(folder)


def with_pictures_of(draft: Draft, source: Path, change: Callable[[bytes], bytes] = lambda content: content) -> None:
    """Put in the pictures of another submission, place by place, with all hashes made anew."""
    for place, (_, content) in enumerate(Draft(source).pictures):
        draft.put_picture(place, change(content))


def changed_a_little(content: bytes) -> bytes:
    """Make a picture a little brighter, which changes all of its bytes."""
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    return encoded(Image.fromarray(np.minimum(pixels, 253) + np.uint8(2)))


def test_a_board_of_two_honest_submissions_has_no_fault(made: dict[str, Path], tmp_path: Path) -> None:
    for source in made.values():
        placed(source, tmp_path).write()

    report = verify_board(tmp_path, UNSEEN)

    # The samples were cut down after they were placed, and the place follows from the spec.
    assert report.faults == ()
    assert [one.faults for one in report.submissions] == [(), ()]


def test_a_board_without_submissions_has_no_fault(tmp_path: Path) -> None:
    assert verify_board(tmp_path, UNSEEN).is_valid
    assert verify_board(tmp_path, UNSEEN).submissions == ()


def test_pictures_of_another_model_are_refused(made: dict[str, Path], tmp_path: Path) -> None:
    placed(made["one-model"], tmp_path).write()
    thief = placed(made["other-model"], tmp_path)
    with_pictures_of(thief, made["one-model"])
    thief.write()

    report = verify_board(tmp_path, UNSEEN)

    assert [one.faults for one in report.submissions] == [(), ()]
    assert {fault.kind for fault in report.faults} == {"copied-picture"}
    assert "other-model" in report.faults[0].where
    assert "one-model" in report.faults[0].what


def test_pictures_of_another_model_are_refused_though_each_was_changed_a_little(
    made: dict[str, Path], tmp_path: Path
) -> None:
    placed(made["one-model"], tmp_path).write()
    thief = placed(made["other-model"], tmp_path)
    with_pictures_of(thief, made["one-model"], changed_a_little)
    thief.write()

    (fault,) = verify_board(tmp_path, UNSEEN).faults

    assert fault.kind == "copied-picture"
    assert "50 of 50 pictures are nearly those of" in fault.what


def alike(traces: list[Trace], count: int) -> list[Trace]:
    """Traces of another model, of which the first so many hash nearly as the given ones do."""
    near = [f"{int(trace.perceptual_hash, 16) ^ 7:064x}" for trace in traces]
    return [
        trace._replace(
            submission="1.0/somebody__child/0123456789ab",
            model="child",
            sha256=f"{place:064x}",
            perceptual_hash=near[place] if place < count else f"{place:064x}",
        )
        for place, trace in enumerate(traces)
    ]


@pytest.mark.parametrize(("count", "kinds"), [(20, []), (35, ["alike-models"]), (46, ["copied-picture"])])
def test_a_model_made_of_another_may_draw_many_pictures_alike_but_not_all(
    made: dict[str, Path], count: int, kinds: list[str]
) -> None:
    traces = traces_of(load_submission(made["one-model"]))

    faults, notes = compare_submissions([*traces, *alike(traces, count)])

    assert [one.kind for one in (*faults, *notes)] == kinds


def test_pictures_of_another_models_other_prompts_are_copies_if_there_are_several(made: dict[str, Path]) -> None:
    traces = traces_of(load_submission(made["one-model"]))
    child = alike(traces, 3)
    moved = [trace._replace(request=child[place + 3].request) for place, trace in enumerate(child[:3])]

    assert compare_submissions([*traces, *moved[:2]]) == ([], [])
    faults, _ = compare_submissions([*traces, *moved])
    assert [fault.kind for fault in faults] == ["copied-picture"] * 3


def test_the_same_model_may_draw_the_same_picture_of_the_same_request(made: dict[str, Path]) -> None:
    loaded = load_submission(made["one-model"])
    again = loaded._replace(id="1.0/somebody__one-model/0123456789ab")

    assert compare_submissions([*traces_of(loaded), *traces_of(again)]) == ([], [])


@pytest.mark.parametrize(("organisation", "is_told"), [("Other Laboratory", True), (None, False)])
def test_the_same_pictures_by_another_submitter_are_told_and_no_fault(
    made: dict[str, Path], tmp_path: Path, organisation: str | None, is_told: bool
) -> None:
    again = Draft(tmp_path / shutil.copytree(made["one-model"], tmp_path / "again").name)
    again.submission["submitter"]["organisation"] = organisation
    again.spec["judge"] = "another"
    again.write()
    first, second = load_submission(made["one-model"]), load_submission(again.folder)

    faults, notes = compare_submissions([*traces_of(first), *traces_of(second)])

    assert faults == []
    assert [note.kind for note in notes] == ["same-pictures"] * is_told
    for note in notes:
        assert note.what.startswith(f"'{second.id}' has the same pictures as '{first.id}': drawn again")


def test_names_in_other_scripts_do_not_share_a_place() -> None:
    assert slug("copycat project") == "copycat-project"
    assert slug("Some_Lab. v1.0") == "some-lab.-v1.0"
    names = ["张三", "李四", "ab 张三", "Ünder", "x" * 100 + "é"]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert slugs[0] == f"unnamed-{hashlib.sha256('张三'.encode()).hexdigest()[:6]}"
    assert slug("e\u0301") == slug("\u00e9"), "one name in two spellings of its bytes"
    assert max(map(len, slugs)) <= 60


def test_one_picture_of_a_model_stands_for_no_other_request_elsewhere(made: dict[str, Path]) -> None:
    traces = traces_of(load_submission(made["one-model"]))
    moved = traces[0]._replace(submission="1.0/somebody__one-model/0123456789ab", request=traces[1].request)

    (fault,), _ = compare_submissions([*traces, moved])

    assert fault.kind == "copied-picture"
    assert "another prompt or seed" in fault.what


def test_a_submission_at_the_wrong_place_is_refused(made: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "submissions" / "1.0" / "somebody__else" / "0123456789ab"
    shutil.copytree(made["one-model"], folder)

    (report,) = verify_board(tmp_path, UNSEEN).submissions

    assert [fault.kind for fault in report.faults] == ["wrong-place"]


def test_what_is_no_submission_is_told(made: dict[str, Path], tmp_path: Path) -> None:
    placed(made["one-model"], tmp_path).write()
    submissions = tmp_path / "submissions"
    (submissions / "1.0" / "page.html").write_text("<b>", encoding="utf-8")
    (submissions / "elsewhere").symlink_to(tmp_path)

    found = {(fault.kind, fault.where) for fault in verify_board(tmp_path, UNSEEN).faults}

    assert found == {("stray-file", "submissions/1.0/page.html"), ("link", "submissions/elsewhere")}


def test_a_submission_of_an_older_suite_is_history(
    made: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = Draft(tmp_path / shutil.copytree(made["one-model"], tmp_path / "old").name)
    for content in (draft.submission, draft.spec, draft.metrics):
        content["suite_version"] = "0.9"
    draft.write()
    moved = placed(draft.folder, tmp_path / "board")

    (report,) = verify_board(tmp_path / "board", UNSEEN).submissions
    assert [fault.kind for fault in report.faults] == ["wrong-suite"], "there never was such a suite"

    monkeypatch.setattr("copycat.leaderboard.verify.OLDER_SUITES", ("0.9",))
    (report,) = verify_board(tmp_path / "board", UNSEEN).submissions
    assert report.faults == ()
    assert [note.kind for note in report.notes] == ["older-suite"]

    (fault,) = verify_submission(moved.folder, UNSEEN).faults
    assert fault.kind == "wrong-suite"
    assert fault.what.endswith("verify it with a copycat of suite 0.9")


def test_the_tables_of_checks_name_every_check_once() -> None:
    table = (*checks.FORM_CHECKS, *checks.SUITE_CHECKS)

    assert len(set(table)) == len(table)


# ------------------------------------------------------------------------------------------ history


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def board(made: dict[str, Path], tmp_path: Path) -> Path:
    """A repository with one submission, on a branch of a later commit."""
    leaderboard = tmp_path / "leaderboard"
    placed(made["one-model"], leaderboard)
    git(tmp_path, "init", "--initial-branch", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "A submission")
    git(tmp_path, "checkout", "-b", "request")
    return leaderboard


def folder_in(board: Path) -> Path:
    (folder,) = (board / "submissions").glob("*/*/*")
    return folder


def test_a_new_submission_changes_no_history(board: Path, made: dict[str, Path]) -> None:
    placed(made["other-model"], board)
    git(board, "add", ".")
    git(board, "commit", "-m", "Another")

    assert changes_since(board, "main") == []


def test_what_others_add_in_the_meantime_is_no_removal(board: Path, made: dict[str, Path]) -> None:
    git(board, "checkout", "main")
    placed(made["other-model"], board)
    git(board, "add", ".")
    git(board, "commit", "-m", "Another")
    git(board, "checkout", "request")

    assert changes_since(board, "main") == []


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_submission_that_is_removed_is_told_file_by_file(board: Path, is_committed: bool) -> None:
    shutil.rmtree(folder_in(board))
    if is_committed:
        git(board, "commit", "-a", "-m", "Withdrawn")

    faults = changes_since(board, "main")

    assert len(faults) == 7
    assert {fault.kind for fault in faults} == {"history"}
    assert faults[0].what == "was removed, and history is append-only; needed: a new submission beside the old one"


def test_a_submission_that_is_changed_or_moved_is_told(board: Path) -> None:
    folder = folder_in(board)
    (folder / "submission.json").write_text("{}\n", encoding="utf-8")
    (folder / "metrics.json").rename(folder.parent / "metrics.json")
    write_manifest(folder)

    said = {fault.where.rpartition("/")[2]: fault.what.partition(",")[0] for fault in changes_since(board, "main")}

    assert said == {
        "MANIFEST.sha256": "was changed",
        "metrics.json": "was removed",
        "submission.json": "was changed",
    }


def test_a_reference_that_there_is_not_is_a_mistake_of_the_user(board: Path) -> None:
    with pytest.raises(UserError, match="there is no 'origin/nowhere'"):
        changes_since(board, "origin/nowhere")
    with pytest.raises(UserError, match="there is no '--output=x'"):
        changes_since(board, "--output=x")


def test_a_board_outside_of_a_repository_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is in no git repository"):
        changes_since(tmp_path, "main")
    with pytest.raises(UserError, match="is not there"):
        changes_since(tmp_path / "nowhere", "main")


def test_without_git_nothing_is_said_of_history(board: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(board))

    with pytest.raises(UserError, match="git is not there"):
        changes_since(board, "main")
