"""`--list models`: what stands where, at every width."""

from __future__ import annotations

import datetime

import pytest
from harness import Cli, Doubles

from copycat.commands.list_models import groups, model_lines
from copycat.models import MODELS, ModelRow

TODAY = datetime.date(2026, 11, 24)
ROWS = MODELS.rows()


def lines(*rows: ModelRow, width: int = 100, today: datetime.date = TODAY) -> list[str]:
    return [line.text for line in model_lines(rows or ROWS, width, today)]


def entry(name: str, **changes: object) -> list[str]:
    """The lines of one model."""
    found = lines(MODELS.get(name).model_copy(update=changes))
    start = next(number for number, line in enumerate(found) if line.split()[:1] == [name] and "honours" not in line)
    return found[start : found.index("", start)]


def test_a_model_shows_its_default_settings_its_memory_and_what_it_honours() -> None:
    assert entry("flux2-dev")[0].split() == ["flux2-dev", "50", "4", "1024x1024", "bfloat16", "63", "-GS"]


def test_a_cascade_shows_the_steps_of_every_stage() -> None:
    assert entry("deepfloyd-if")[0].split()[1] == "100+50+75"


def test_a_video_model_shows_its_frames() -> None:
    assert entry("videofusion")[0].split() == ["videofusion", "50", "9", "256x256", "16", "float16", "6", "NGS"]


def test_a_memory_that_nobody_has_published_is_a_question_mark() -> None:
    assert entry("sdxl", memory_gib=None)[0].split()[-2] == "?"


def test_licence_gate_repository_and_presets_are_below_the_settings() -> None:
    below = " ".join(entry("deepfloyd-if")[1:])
    assert "DeepFloyd/IF-I-XL-v1.0 (deepfloyd-if-license, gated); presets: paper" in below
    assert "gated" not in " ".join(entry("sdxl"))


def test_the_models_of_the_paper_come_first() -> None:
    shown = {title.partition(":")[0]: [row.name for row in members] for title, members, _ in groups(ROWS)}
    assert shown["image models"][:4] == ["playground-v2.5", "sdxl", "pixart-alpha", "deepfloyd-if"]
    assert shown["video models"][0] == "videofusion"


def test_every_model_is_in_one_group() -> None:
    shown = [row.name for _, members, _ in groups(ROWS) for row in members]
    assert sorted(shown) == sorted(row.name for row in ROWS)


@pytest.mark.parametrize(
    ("day", "text"),
    [
        ("2026-12-01", "WILL BE SHUT DOWN on 2026-12-01, in 7 days"),
        ("2026-11-25", "WILL BE SHUT DOWN on 2026-11-25, tomorrow"),
        ("2026-11-24", "WILL BE SHUT DOWN on 2026-11-24, today"),
        ("2026-11-23", "WAS SHUT DOWN on 2026-11-23"),
    ],
)
def test_a_service_says_when_it_ends(day: str, text: str) -> None:
    assert entry("gpt-image-1.5", shutdown=day)[-1].endswith(text)


def test_what_is_retired_says_when_and_what_to_use_instead() -> None:
    assert "dall-e-3           shut down on 2026-05-12; use gpt-image-2" in lines()


def test_the_ways_to_any_other_model_are_told() -> None:
    told = "\n".join(lines())
    assert all(way in told for way in ("./folder", "hub/repo-id", "openai:MODEL", "OPENAI_BASE_URL"))


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal_nor_ends_in_spaces(width: int) -> None:
    found = lines(width=width)
    assert max(len(line) for line in found) <= width
    assert not [line for line in found if line != line.rstrip()]


def test_a_long_name_of_a_plug_in_stands_alone_on_its_line() -> None:
    row = MODELS.get("sdxl").model_copy(update={"name": "a-name-longer-than-the-column"})
    found = lines(row, width=80)
    assert found[found.index(row.name) + 1].startswith(" " * 17)
    assert max(len(line) for line in found) <= 80


def test_models_of_plug_ins_are_listed_where_they_belong(cli: Cli, doubles: Doubles) -> None:
    answer = cli("--list", "models")
    names = [line.split()[0] for line in answer.out.splitlines() if line.strip() and line[0] != " "]
    assert names.index("image") < names.index("fake") < names.index("video") < names.index("fake-video")
    assert names.index("services:") < names.index("fake-service")
