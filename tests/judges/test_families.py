"""Names of judges: what they stand for, and what is said of those that stand for nothing."""

from __future__ import annotations

import pytest

from copycat.errors import UnknownNameError, UserError
from copycat.judges.families import DEFAULT, DEFAULT_NAME, FAMILIES, resolve_judge
from copycat.registry import resolve


def test_a_row_of_the_table_goes_by_its_name() -> None:
    assert resolve_judge("sandbox").knows == "sandbox"


def test_default_stands_for_a_screen_and_a_vision_language_model() -> None:
    row = resolve_judge(DEFAULT)
    assert row.name == DEFAULT_NAME
    assert [member.name.partition(":")[0] for member in row.members] == ["open_clip", "vlm"]
    assert row.is_heavy


@pytest.mark.parametrize(
    ("name", "source", "threshold", "revision"),
    [
        ("open_clip:ViT-B-32/laion2b_s34b_b79k", "ViT-B-32/laion2b_s34b_b79k", None, None),
        ("open_clip:ViT-B-32/openai@0.4", "ViT-B-32/openai", 0.4, None),
        ("dino", "facebook/dinov2-base", None, None),
        ("dino:./weights@0.6", "./weights", 0.6, None),
        ("vlm:org/name@abc123", "org/name", None, "abc123"),
        ("openai:gpt-9:tuned", "gpt-9:tuned", None, None),
    ],
)
def test_a_family_reads_source_threshold_and_revision(
    name: str, source: str, threshold: float | None, revision: str | None
) -> None:
    row = resolve_judge(name)
    assert (row.source, row.threshold, row.revision) == (source, threshold, revision)
    assert row.name.startswith(name)


@pytest.mark.parametrize("name", ["open_clip:", "vlm", "openai:", "open_clip:a/b@1.5", "vlm:a/b@0.5", "dino:@0.2"])
def test_an_incomplete_name_is_told_the_form(name: str) -> None:
    with pytest.raises(UserError, match="needed: "):
        resolve_judge(name)


@pytest.mark.parametrize(
    "name", ["either:sandbox", "majority:sandbox+dino", "screen:dino", "either:dino+either:dino+dino"]
)
def test_an_ensemble_of_the_wrong_members_is_told_the_form(name: str) -> None:
    with pytest.raises(UserError, match="judges, none of them an ensemble itself"):
        resolve_judge(name)


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'open_clip'"):
        resolve_judge("open-clip:ViT-B-32/openai")


def test_an_ensemble_knows_only_what_its_members_know() -> None:
    assert resolve_judge("either:sandbox+dino").knows == "sandbox"
    assert resolve_judge("either:openai:a+dino").knows is None


def test_references_reach_the_members_that_compare() -> None:
    row = resolve_judge("either:dino+openai:m", "refs")
    assert [member.references for member in row.members] == ["refs", None]


def test_references_that_nobody_uses_are_refused() -> None:
    with pytest.raises(UserError, match="compares with no pictures"):
        resolve_judge("openai:m", "refs")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.prefix)
def test_every_family_has_code_behind_it(family: object) -> None:
    assert callable(resolve(family.target, family.prefix))  # type: ignore[attr-defined]


def test_nobody_is_no_member() -> None:
    with pytest.raises(UserError, match="looks at nothing"):
        resolve_judge("either:none+sandbox")
