"""An attack as asked for, and as planned: everything that can be checked before weights are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from copycat.attacks import build_attack, canonical_attack
from copycat.attacks.saved import with_prefix
from copycat.catalog import canonical_sha256, prompt_set_of, read_character_set
from copycat.errors import UnknownNameError, UnsupportedError, UserError
from copycat.judges import SANDBOX as SANDBOX_JUDGE
from copycat.judges import Judge, JudgeRow
from copycat.judges.families import DEFAULT, build_judge, resolve_judge
from copycat.live import LIVE_PIPELINES, check_schedule, live_models
from copycat.mitigations import NONE, Setting, build_mitigation, canonical_mitigation
from copycat.models import SANDBOX, ModelIdentity, ModelRow
from copycat.models.diffusers_model import DiffusersModel
from copycat.models.erased import DELTA, check_base, read_card
from copycat.models.resolve import resolve_model
from copycat.models.settings import choose_sampling
from copycat.names import fold
from copycat.runs.environment import pick_device
from copycat.schema import Character, CharacterSet, Erasure, ImageRequest, Prompt, Record, Sampling
from copycat.whitebox.prompts import concept_prompts, plain_requests, read_prompts
from copycat.whitebox.settings import FORMS, ArcSettings, build_settings, check_method, preset_of

PROMPTS = 10
"""Unless the user says otherwise."""


class AttackJob(Record):
    """What the user asked for; None means the default of the model.

    Attributes:
        erased: the folder of an erasure to attack; None: the model as it is.
        concept: a character's name, alias or id.
        prompts: so many of the concept's own, or a file with one a line.
        changes: 'name=value' each, of the method's settings.
    """

    method: str
    model: str
    out: Path
    concept: str
    erased: Path | None = None
    mitigation: str = NONE
    characters: str | None = None
    prompts: int | Path = Field(default=PROMPTS)
    seeds: int = Field(default=1, ge=1)
    preset: str | None = None
    changes: tuple[str, ...] = ()
    judge: str | None = None
    device: str | None = None
    revision: str | None = None
    fresh: bool = False


class PlannedAttack(NamedTuple):
    """A job with everything that is known before a weight is loaded.

    Attributes:
        originals: requests of the plain prompts, to the model as it is.
        mitigated: the same, to the attacked model under the mitigation.
        forms: for each form of attack without a search, its requests.
    """

    job: AttackJob
    row: ModelRow
    identity: ModelIdentity
    sampling: Sampling
    device: str
    preset: str
    settings: Record
    mitigation: str
    erasure: Erasure | None
    delta: Path | None
    judge_row: JudgeRow
    judge: Judge
    characters: CharacterSet
    concept: Character
    originals: tuple[ImageRequest, ...]
    mitigated: tuple[ImageRequest, ...]
    forms: dict[str, tuple[ImageRequest, ...]]

    def spec(self) -> dict[str, Any]:
        """Say what a folder's files depend on, so that they are never mixed with others'."""
        every = (self.mitigated, *self.forms.values())
        asked = [request.model_dump(mode="json") for requests in every for request in requests]
        return {
            "method": self.job.method,
            "preset": self.preset,
            "settings": self.settings.model_dump(mode="json"),
            "model": self.identity.source,
            "revision": self.identity.revision,
            "sampling": self.sampling.model_dump(mode="json"),
            "device": self.device,
            "erasure": None if self.erasure is None else self.erasure.sha256,
            "mitigation": self.mitigation,
            "characters": self.characters.id,
            "concept": self.concept.id,
            "names": [self.concept.name, *self.concept.aliases],
            "judge": self.judge_row.name,
            "judge_revision": self.judge.revision(),
            "prompts": canonical_sha256(asked),
        }


def plan_attack(job: AttackJob) -> PlannedAttack:
    """Find model, erasure, concept, judge and prompts, and refuse what could not be done.

    Raises:
        UserError: anything that the user must fix.
    """
    check_method(job.method)
    row = resolve_model(job.model, job.revision)
    if row.pipeline not in LIVE_PIPELINES:
        raise UnsupportedError(
            f"'{row.name}' ({row.pipeline or 'a service'}) cannot be attacked by '{job.method}'\n"
            f"  it works with {', '.join(live_models())}, and a folder or Hub repository like these"
        )
    check_schedule(row.name)
    device = pick_device(job.device)
    model = DiffusersModel(row, device)
    identity = model.identify()
    erasure, delta, row = _erasure(job, row, identity)
    sampling = model.settle(choose_sampling(row, device, None, {}))
    preset = preset_of(job.method, job.preset, row)
    settings = build_settings(job.method, preset, job.changes)
    characters = read_character_set(job.characters or ("sandbox" if row.name == SANDBOX else "copycat50"))
    concept = find_concept(job.concept, characters)
    judge_row = resolve_judge(job.judge or (SANDBOX_JUDGE if characters.is_sandbox else DEFAULT))
    setting = Setting(characters, prompt_set_of(characters))
    mitigation = canonical_mitigation(job.mitigation, setting)
    originals = plain_requests(_prompts(job, setting, concept), job.seeds)
    method = build_mitigation(mitigation, setting)
    mitigated = tuple(method.apply(request, concept).model_copy(update={"erasure": erasure}) for request in originals)
    if any(request.output_filter is not None for request in mitigated):
        raise UnsupportedError(
            "an output filter draws again until its judge is content, and an attack draws each picture once\n"
            "  use another --mitigation"
        )
    forms = _forms(settings, setting, mitigated, concept) if isinstance(settings, ArcSettings) else {}
    planned = PlannedAttack(
        job, row, identity, sampling, device, preset, settings, mitigation, erasure, delta,
        judge_row, build_judge(judge_row, device), characters, concept, originals, mitigated, forms,
    )  # fmt: skip
    able = DiffusersModel(row, device)
    searched = () if forms else tuple(with_prefix(request, job.method, (0,)) for request in mitigated)
    for requests in (originals, mitigated, searched, *forms.values()):  # what is found will be a prefix, or like one
        able.check(requests, sampling)
    return planned


def find_concept(text: str, characters: CharacterSet) -> Character:
    """Find a character by id, name or alias.

    Raises:
        UnknownNameError: the set has no such character; its judge could not see it.
    """
    for character in characters.characters:
        if fold(text) in {fold(name) for name in (character.id, character.name, *character.aliases)}:
            return character
    raise UnknownNameError(
        f"character of '{characters.id}':",
        text,
        [character.name for character in characters.characters],
        "a judge must know the concept: name one of the set, or give a set of yours with --characters FILE",
    )


def _erasure(job: AttackJob, row: ModelRow, identity: ModelIdentity) -> tuple[Erasure | None, Path | None, ModelRow]:
    if job.erased is None:
        return None, None, row
    card = read_card(job.erased)
    check_base(card, row.name, identity.source, identity.revision)
    delta = (job.erased / DELTA).resolve()
    return card.erasure, delta, row.model_copy(update={"files": row.files | {card.delta_sha256: str(delta)}})


def _prompts(job: AttackJob, setting: Setting, concept: Character) -> tuple[Prompt, ...]:
    if isinstance(job.prompts, Path):
        return read_prompts(job.prompts, concept)
    if job.prompts < 1:
        raise UserError(f"--prompts {job.prompts} asks for nothing\n  needed: a number from 1 on, or a file")
    return concept_prompts(setting.characters, setting.prompt_set, concept, job.prompts)


def _forms(
    settings: ArcSettings, setting: Setting, mitigated: tuple[ImageRequest, ...], concept: Character
) -> dict[str, tuple[ImageRequest, ...]]:
    """Give the requests of each composition; all forms that the concept's detours have words for by default."""
    forms: dict[str, tuple[ImageRequest, ...]] = {}
    for form in dict.fromkeys(part.strip() for part in settings.forms.split("+") if part.strip()):
        name = canonical_attack(f"arc:{form}", setting)
        attack = build_attack(name, setting)
        forms[name] = tuple(attack.apply(request, concept) for request in mitigated)
    if not forms:
        raise UserError(f"--set forms={settings.forms} names no composition\n  needed: such as forms={'+'.join(FORMS)}")
    return forms
