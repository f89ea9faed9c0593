"""Plans of the arms, their prompts and seeds, and what the model is asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import Doubles
from PIL import Image

from copycat.errors import DataError, UnknownNameError, UnsupportedError, UserError
from copycat.imitation.generate.generating import LEFT_OUT, GenerateJob, generate, plan_generate
from copycat.imitation.generate.pictures import read_generations
from copycat.imitation.generate.prompts import (
    CHARACTER,
    DOMAINS,
    FACE,
    STYLE,
    Domain,
    filled,
    read_domain,
    with_article,
)
from copycat.imitation.records import Arm, Concept

CONCEPTS = (
    Concept(id="goofy", name="Goofy", noun="tall cartoon dog"),
    Concept(id="degas", name="Degas", noun="old painter"),
    Concept(id="max", name="Max"),
)


@pytest.fixture
def job(doubles: Doubles, tmp_path: Path) -> GenerateJob:
    del doubles  # which bring the model 'fake'
    return GenerateJob(
        model="fake", out=tmp_path / "study", concepts=CONCEPTS, domain=CHARACTER, images=2, device="cpu"
    )


def prompts_of(job: GenerateJob, arm: Arm, concept: str) -> list[str]:
    (one,) = (one for one in plan_generate(job).arms if one.arm == arm)
    return list(dict.fromkeys(request.prompt for request in one.plan.requests if request.character == concept))


# ---------------------------------------------------------------------------------------------- prompts


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=list(DOMAINS))
def test_a_domain_has_five_templates_that_take_every_name(domain: Domain) -> None:
    assert len({template.text for template in domain.templates}) == len(domain.templates) == 5
    for template in domain.templates:
        for name in ("Anna", "Degas", "Ångström {x}", "초롱이"):
            text = filled(template.text, "{name}", name)
            assert name in text
            assert "{name}" not in text
            assert "  " not in text
            assert text == text.strip()
            assert f"{name}s " not in text
        assert "{name}" not in template.control


def test_possessives_follow_the_name() -> None:
    assert filled("a drawing in {name}'s style", "{name}", "Degas") == "a drawing in Degas' style"
    assert filled("{name}'s face", "{name}", "Anna") == "Anna's face"
    assert filled("{noun}'s face", "{noun}", "a walrus") == "a walrus' face"


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        ("cat", "a cat"),
        ("owl", "an owl"),
        ("one-eyed creature", "a one-eyed creature"),
        ("unicorn", "a unicorn"),
        ("unidentified object", "an unidentified object"),
        ("hour hand", "an hour hand"),
        ("the moon", "the moon"),
        ("an octopus", "an octopus"),
    ],
)
def test_a_noun_has_its_article(noun: str, said: str) -> None:
    assert with_article(noun) == said


def test_each_arm_has_its_own_words(job: GenerateJob) -> None:
    assert prompts_of(job, "named", "goofy")[:2] == ["a picture of Goofy", "a drawing of Goofy"]
    assert prompts_of(job, "unnamed", "goofy")[0] == "a picture of a tall cartoon dog"
    (zero,) = (one for one in plan_generate(job).arms if one.arm == "zero")
    made_up = zero.names["goofy"]
    assert prompts_of(job, "zero", "goofy")[0] == f"a picture of {made_up}"
    assert made_up not in {concept.name for concept in CONCEPTS}


def test_a_noun_that_nobody_gave_is_the_one_of_the_domain(job: GenerateJob) -> None:
    faces = job.model_copy(update={"domain": FACE})
    assert prompts_of(job, "unnamed", "max")[0] == "a picture of a character"
    assert prompts_of(faces, "unnamed", "max")[0] == "a portrait photo of a person"
    styles = job.model_copy(update={"domain": STYLE})
    assert prompts_of(styles, "named", "degas")[2] == "a drawing in Degas' style"
    assert prompts_of(styles, "unnamed", "degas")[2] == "a drawing"


def test_a_style_is_asked_for_in_a_work_of_the_concepts_noun(job: GenerateJob) -> None:
    artists = (Concept(id="degas", name="Degas", noun="etching"), Concept(id="max", name="Max"))
    styles = job.model_copy(update={"domain": STYLE, "concepts": artists})
    assert prompts_of(styles, "named", "degas")[0] == "an etching in the style of Degas"
    assert prompts_of(styles, "unnamed", "degas")[0] == "an etching"
    assert prompts_of(styles, "named", "max")[0] == "a painting in the style of Max"


def test_templates_of_a_users_own_are_read_from_a_file(tmp_path: Path, job: GenerateJob) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("# mine\n{name}\n\na mural by {name} | a mural\na mural, by {name}\n", encoding="utf-8")
    own = read_domain(str(path))
    assert [template.id for template in own.templates] == ["name", "a-mural-by", "a-mural-by-2"]
    assert prompts_of(job.model_copy(update={"domain": own}), "unnamed", "goofy") == ["a tall cartoon dog", "a mural",
        "a mural, by a tall cartoon dog"]  # fmt: skip


def test_faults_of_a_file_of_templates_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("a picture\na {thing} of {name}\na mural by {name} | by {name}\n", encoding="utf-8")
    with pytest.raises(DataError) as told:
        read_domain(str(path))
    assert [fault.partition("mine.txt")[2].split(" ")[0] for fault in told.value.faults] == [":1:", ":2:", ":3:"]
    path.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(DataError, match="holds no template"):
        read_domain(str(path))
    with pytest.raises(UserError, match="there is no file"):
        read_domain(str(tmp_path / "none.txt"))
    with pytest.raises(UnknownNameError, match="did you mean 'style'"):
        read_domain("styl")


def test_a_control_prompt_that_names_a_concept_is_told(job: GenerateJob) -> None:
    concepts = (*CONCEPTS, Concept(id="pluto", name="Pluto", noun="friend of Goofy"))
    (warning,) = plan_generate(job.model_copy(update={"concepts": concepts})).warnings
    assert warning.startswith("5 control prompts name a concept after all, such as 'a picture of a friend of Goofy'")


# ---------------------------------------------------------------------------------------------- requests


@pytest.mark.parametrize("batch_size", [1, 4, 20])
def test_seeds_are_the_same_in_every_batch_size_and_arm(job: GenerateJob, batch_size: int) -> None:
    planned = plan_generate(job.model_copy(update={"batch_size": batch_size}))
    seeds = [[request.seed for request in one.plan.requests] for one in planned.arms]
    expected = [
        int.from_bytes(hashlib.sha256(f"imitation/{concept.id}/{template.id}#{n}".encode()).digest()[:6], "big")
        for n in range(2)
        for template in CHARACTER.templates
        for concept in CONCEPTS
    ]
    assert seeds == [expected] * 3
    assert len(set(expected)) == len(expected)


@pytest.mark.slow
def test_a_real_pipeline_starts_from_the_same_latents_in_every_batch_size(
    tmp_path: Path, tiny_pipeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import StableDiffusionPipeline

    prepare, seen = StableDiffusionPipeline.prepare_latents, []

    def prepare_and_note(self: Any, *args: Any, **options: Any) -> Any:
        latents = prepare(self, *args, **options)
        seen.extend(latents.cpu().numpy().copy())
        return latents

    monkeypatch.setattr(StableDiffusionPipeline, "prepare_latents", prepare_and_note)
    latents, pixels = {}, {}
    for size in (1, 4, 20):
        seen.clear()
        job = GenerateJob(model=str(tiny_pipeline), out=tmp_path / str(size), concepts=CONCEPTS[:2], images=2,
            domain=CHARACTER, arms=("named",), sampling={"steps": 1}, batch_size=size, device="cpu")  # fmt: skip
        generate(plan_generate(job))
        rows = read_generations(job.out, CONCEPTS[:2])
        assert {row.status for row in rows.rows} == {"ok"}
        latents[size] = np.stack(seen)
        pixels[size] = np.stack([np.asarray(rows.read(row), dtype=np.int16) for row in rows.rows])
    for size in (4, 20):
        assert latents[size].shape[0] == 20
        np.testing.assert_array_equal(latents[size], latents[1])
        assert np.abs(pixels[size] - pixels[1]).max() <= 1  # sums of floats in another order
    assert len({one.tobytes() for one in latents[1]}) == 20


def test_the_same_pictures_come_of_every_batch_size(job: GenerateJob) -> None:
    drawn = []
    for size in (1, 4, 20):
        out = job.out.with_name(f"study-{size}")
        generate(plan_generate(job.model_copy(update={"batch_size": size, "out": out, "arms": ("named",)})))
        drawn.append({(r.concept, r.prompt, r.repeat): r.sha256 for r in read_generations(out, CONCEPTS).rows})
    assert drawn[0] == drawn[1] == drawn[2]
    assert len(set(drawn[0].values())) == 30


def test_a_limited_arm_has_every_concept_before_a_second_prompt(job: GenerateJob) -> None:
    (named,) = plan_generate(job.model_copy(update={"limit": 4, "arms": ("named",)})).arms
    assert [request.character for request in named.plan.requests] == ["goofy", "degas", "max", "goofy"]


def test_every_picture_of_a_limited_arm_is_found_again(job: GenerateJob) -> None:
    generate(plan_generate(job.model_copy(update={"limit": 4})))
    found = read_generations(job.out, CONCEPTS).rows
    assert [(row.prompt, row.status) for row in found if row.arm == "named"] == [
        ("picture", "ok"), ("picture", "ok"), ("picture", "ok"), ("drawing", "ok"),
    ]  # fmt: skip


# ------------------------------------------------------------------------------- what is refused, and kept


def test_what_cannot_be_honoured_is_refused_before_anything_is_written(job: GenerateJob) -> None:
    for changes, error, said in (
        ({"model": "fake-video"}, UnsupportedError, "draws clips"),
        ({"model": "fake-service", "batch_size": 2}, UnsupportedError, "one picture at a time"),
        ({"arms": ("shuffled",)}, UserError, "add 'named' to --arms"),
        ({"concepts": ()}, UserError, "no concepts are given"),
        ({"model": "fakes"}, UnknownNameError, "did you mean 'fake'"),
    ):
        with pytest.raises(error, match=said):
            plan_generate(job.model_copy(update=changes))
    assert not job.out.exists()


def test_one_concept_alone_is_drawn_without_the_shuffled_arm(job: GenerateJob) -> None:
    done = generate(plan_generate(job.model_copy(update={"concepts": CONCEPTS[:1]})))
    assert set(done.file.arms) == {"named", "unnamed", "zero"}
    assert "nobody to be shuffled with" in done.file.warnings[0]


def test_refused_and_failed_pictures_are_told_and_counted(job: GenerateJob, doubles: Doubles) -> None:
    doubles.switch(ends={"goofy/picture": "refused", "max/": "failed"})
    done = generate(plan_generate(job.model_copy(update={"batch_size": 1})))
    assert done.file.arms["named"].counts == {"failed": 10, "ok": 18, "refused": 2}
    assert not done.is_valid
    assert any("10 failed" in note for note in done.notes)
    found = read_generations(job.out, CONCEPTS)
    named = [row for row in found.rows if row.arm == "named"]
    assert len(named) == 30
    assert {row.status for row in named if row.concept == "max"} == {"failed"}
    assert any("30 of 90 pictures are failed: they lower the coverage" in text for text in found.warnings)
    doubles.switch()
    assert generate(plan_generate(job.model_copy(update={"batch_size": 1}))).is_valid


def test_pictures_that_were_deleted_or_changed_lower_the_coverage_until_they_are_drawn_again(job: GenerateJob) -> None:
    generate(plan_generate(job))
    before = read_generations(job.out, CONCEPTS)
    first, second = (before.path_of(row) for row in before.rows[:2])
    first.unlink()
    Image.new("RGB", (16, 16)).save(second)
    found = read_generations(job.out, CONCEPTS)
    assert [row.status for row in found.rows[:3]] == ["missing", "damaged", "ok"]
    assert all(row.path is None for row in found.rows[:2])
    generate(plan_generate(job))
    assert read_generations(job.out, CONCEPTS).rows == before.rows


def test_the_shuffled_arm_shows_another_concepts_pictures(job: GenerateJob) -> None:
    done = generate(plan_generate(job))
    pairs = done.file.arms["shuffled"].pairs
    found = read_generations(job.out, CONCEPTS)
    named = {(row.concept, row.prompt, row.repeat): row.path for row in found.rows if row.arm == "named"}
    shuffled = {(row.concept, row.prompt, row.repeat): row.path for row in found.rows if row.arm == "shuffled"}
    assert shuffled == {key: named[pairs[key[0]], key[1], key[2]] for key in named}
    only = read_generations(job.out, CONCEPTS[:1])
    assert {row.concept for row in only.rows} == {"goofy"}
    assert sum(row.arm == "shuffled" for row in only.rows) == 10


def test_arms_may_be_drawn_one_after_the_other(job: GenerateJob, doubles: Doubles) -> None:
    at_once = generate(plan_generate(job)).file
    apart = job.model_copy(update={"out": job.out.with_name("apart")})
    doubles.forget()
    generate(plan_generate(apart.model_copy(update={"arms": ("named", "shuffled")})))
    assert len(doubles.generated) == 30
    assert generate(plan_generate(apart.model_copy(update={"arms": ("unnamed", "zero")}))).file == at_once


def test_other_settings_begin_anew_and_keep_the_old_pictures(job: GenerateJob) -> None:
    old = generate(plan_generate(job)).file
    new = generate(plan_generate(job.model_copy(update={"images": 1, "arms": ("named",)}))).file
    assert set(new.arms) == {"named"}
    assert len(read_generations(job.out, CONCEPTS).rows) == 15
    assert all((job.out / arm.folder).is_dir() for arm in old.arms.values() if arm.folder)


def test_control_arms_of_other_names_or_nouns_are_left_out_and_told(job: GenerateJob) -> None:
    old = generate(plan_generate(job)).file
    renamed = (Concept(id="goofy", name="Gofido the Great", noun="tall cartoon dog"), *CONCEPTS[1:])
    done = generate(plan_generate(job.model_copy(update={"concepts": renamed, "arms": ("named",)})))
    assert done.file.arms.keys() == {"named", "unnamed"}
    assert done.file.arms["unnamed"] == old.arms["unnamed"], "no prompt without a name has changed"
    assert "the 30 pictures before: this is another study" in done.notes[0], "those of the arm by name"
    assert [note.partition(": left out")[0] for note in sorted(done.notes[1:])] == ["shuffled", "zero"]
    nouns = tuple(concept.model_copy(update={"noun": "snail"}) for concept in renamed)
    done = generate(plan_generate(job.model_copy(update={"concepts": nouns, "arms": ("zero",)})))
    assert done.file.arms.keys() == {"named", "zero"}
    assert done.notes == (f"unnamed: {LEFT_OUT}",)


def test_without_its_pictures_the_shuffled_arm_is_left_out_as_well(job: GenerateJob) -> None:
    generate(plan_generate(job))
    done = generate(plan_generate(job.model_copy(update={"images": 1, "arms": ("zero",)})))
    assert set(done.file.arms) == {"zero"}
    assert sorted(note.partition(":")[0] for note in done.notes[1:]) == ["named", "shuffled", "unnamed"]
