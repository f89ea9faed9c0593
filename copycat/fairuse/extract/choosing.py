"""From what a user types to what is asked: model, works, controls, axes; all is checked before anybody is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from copycat.errors import UnsupportedError, UserError
from copycat.fairuse.extract.axes import (
    EVASIONS,
    PLAIN_PROMPTS,
    PROMPT_KINDS,
    Decoding,
    parse_decodings,
    parse_names,
    parse_prefixes,
)
from copycat.fairuse.extract.backends import ANSWERS_PREFIX, SANDBOX, TextModel, build_text_model
from copycat.fairuse.extract.backends.answers import AnswersFile
from copycat.fairuse.extract.backends.words import end_of_words
from copycat.fairuse.extract.job import Asked
from copycat.fairuse.extract.plan import Axes, Measure, Plan, RoledWork, build_plan
from copycat.fairuse.extract.records import Evasion, PromptKind, Role
from copycat.fairuse.works import LoadedWork, load_works

CHAT_PROMPTS, BASE_PROMPTS = "prefix,title", "prefix"
PREFIXES, DECODING, EVASION = "10,25,50", "greedy", "none"
MIN_CONTROLS, MAX_CONTROLS = 3, 12
"""Held-out works that are asked for: as many as there are works, within these bounds; each costs as much as a work."""

NONE = "none"


class Typed(NamedTuple):
    """The options as they were typed; None where a default depends on the model."""

    model: str
    works: tuple[str, ...]
    controls: tuple[str, ...] = (SANDBOX,)
    prompts: str | None = None
    prefixes: str | None = None
    decoding: str | None = None
    evasions: str | None = None
    places: int = 1
    length: int = 128
    rounds: int = 8
    limit: int | None = None
    is_withheld: bool = False
    is_raw: bool = False
    device: str | None = None


class Chosen(NamedTuple):
    """What is asked, and who."""

    asked: Asked
    model: TextModel | AnswersFile


def choose(typed: Typed) -> Chosen:
    """Check all options and plan the requests; loads a tokenizer, asks nobody.

    Raises:
        UserError: an option is wrong, or the model cannot be asked so.
    """
    works = _works(typed)
    if typed.model.startswith(ANSWERS_PREFIX):
        return _of_answers(typed, works)
    model = build_text_model(typed.model, typed.device, is_raw=typed.is_raw, is_withheld=typed.is_withheld)
    is_chat = model.is_chat
    axes = _axes(typed, CHAT_PROMPTS if is_chat else BASE_PROMPTS)
    if not is_chat:
        _check_plain(typed, axes)
    measure = Measure(model.unit, is_chat, model.cut, model.room())
    plan = build_plan(works, axes, measure, typed.limit)
    device = getattr(model, "device", "none")
    identity = model.identify()
    asked = Asked(
        name=typed.model if typed.model.startswith("openai:") else identity.rpartition("@")[0].removeprefix("folder:"),
        identity=identity,
        works=works,
        axes=axes,
        plan=plan,
        unit=model.unit,
        is_chat=is_chat,
        limit=typed.limit,
        is_withheld=typed.is_withheld,
        device=device,
    )
    return Chosen(asked, model)


# --------------------------------------------------------------------------------------- works


def _works(typed: Typed) -> tuple[RoledWork, ...]:
    from copycat.fairuse.world import copies_of, planted_works

    planted = {one.work.id: one.work.sha256 for one in planted_works()}
    named = load_works(typed.works)
    is_sandbox = typed.model == SANDBOX
    found = [_roled(one, "work", planted, copies_of(one.work.id) if one.work.id in planted else None) for one in named]
    if not is_sandbox:  # of another model, nobody knows how often it has seen them
        found = [one._replace(copies=None) for one in found]
    ids = {one.loaded.work.id for one in found}
    controls: list[RoledWork] = []
    for source in typed.controls:
        role: Role = "held-out" if source == SANDBOX else "own-control"
        for one in _controls(source, len(named)):
            if one.work.id in ids:
                if role == "own-control":
                    _refuse(f"'{one.work.id}' is a work and a control\n  rename one of the files")
                continue
            ids.add(one.work.id)
            controls.append(RoledWork(one, role))
    return (*found, *controls)


def _controls(source: str, n_works: int) -> list[LoadedWork]:
    from copycat.fairuse.world import held_out_works

    if source == NONE:
        return []
    if source != SANDBOX:
        return load_works([source])
    return held_out_works()[: min(MAX_CONTROLS, max(MIN_CONTROLS, n_works))]


def _roled(loaded: LoadedWork, role: Role, planted: dict[str, str], copies: int | None) -> RoledWork:
    is_planted = planted.get(loaded.work.id) == loaded.work.sha256
    return RoledWork(loaded, role, copies if is_planted else None)


# --------------------------------------------------------------------------------------- axes


def _axes(typed: Typed, prompts: str) -> Axes:
    return Axes(
        prompts=parse_names("prompt", typed.prompts or prompts, PROMPT_KINDS),
        prefixes=parse_prefixes(typed.prefixes or PREFIXES),
        decodings=parse_decodings(typed.decoding or DECODING),
        evasions=parse_names("evasion", typed.evasions or EVASION, EVASIONS),
        places=typed.places,
        length=typed.length,
        rounds=typed.rounds,
    )


def _check_plain(typed: Typed, axes: Axes) -> None:
    """Refuse what a model that takes no requests would not act on."""
    if asking := [prompt for prompt in axes.prompts if prompt not in PLAIN_PROMPTS]:
        raise UnsupportedError(
            f"--prompts {','.join(asking)}: {typed.model} only goes on with a text and takes no requests\n"
            f"  needed: --prompts {','.join(sorted(PLAIN_PROMPTS))}, or a model with a chat template"
        )
    if hidden := [evasion for evasion in axes.evasions if evasion != NONE]:
        raise UnsupportedError(
            f"--evasions {','.join(hidden)}: {typed.model} only goes on with a text and takes no requests\n"
            "  needed: --evasions none, or a model with a chat template"
        )


# --------------------------------------------------------------------------------------- ready answers


def _of_answers(typed: Typed, works: tuple[RoledWork, ...]) -> Chosen:
    file = AnswersFile(Path(typed.model.removeprefix(ANSWERS_PREFIX)).expanduser())
    measure = Measure("words", True, end_of_words)  # a field of a tuple
    is_planned = any((typed.prompts, typed.prefixes, typed.decoding, typed.evasions))
    if is_planned:
        axes = _axes(typed, CHAT_PROMPTS)
        plan = build_plan(works, axes, measure, typed.limit)
    else:
        axes, plan = _plan_of_rows(typed, file, works, measure)
    asked = Asked(
        name=f"answers:{file.path.stem}",
        identity=file.identify(),
        works=works,
        axes=axes,
        plan=plan,
        unit="words",
        is_chat=True,
        limit=typed.limit,
        is_withheld=typed.is_withheld,
        answers_sha256=file.sha256,
    )
    return Chosen(asked, file)


def _plan_of_rows(typed: Typed, file: AnswersFile, works: Sequence[RoledWork], measure: Measure) -> tuple[Axes, Plan]:
    """Plan what the rows say they were asked, and nothing else."""
    rows = file.rows
    prefixes = tuple(sorted({row.prefix for row in rows if row.prefix > 0})) or parse_prefixes(PREFIXES)
    draws: dict[str, int] = {}
    for row in rows:
        draws[row.decoding] = max(draws.get(row.decoding, 0), row.draw + 1)
    decodings = tuple(
        Decoding(one.name, one.temperature, count)
        for name, count in sorted(draws.items())
        for one in parse_decodings(name)
    )
    prompts: tuple[PromptKind, ...] = tuple(kind for kind in PROMPT_KINDS if any(row.prompt == kind for row in rows))
    evasions: tuple[Evasion, ...] = tuple(name for name in EVASIONS if any(row.evasion == name for row in rows))
    n_places = max((row.place + 1 for row in rows if row.prompt in {"prefix", "continue"}), default=1)
    axes = Axes(prompts, prefixes, decodings, evasions, max(typed.places, n_places), typed.length, typed.rounds)
    whole = build_plan(works, axes, measure)
    keys = file.replies(whole.asks).replies
    asks = tuple(ask for ask in whole.asks if ask.key in keys)
    if not asks:
        ids = ", ".join(one.loaded.work.id for one in works[:5])
        _refuse(
            f"{file.path.name}: no row belongs to a work that is asked for\n"
            f'  needed: "work" as one of these ids: {ids}{", ..." if len(works) > 5 else ""}'
        )
    return axes, Plan(asks[: typed.limit], {})


def _refuse(text: str) -> NoReturn:
    raise UserError(text)
