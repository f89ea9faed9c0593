"""`python -m copycat.imitation generate`: pictures per concept and prompt, with control arms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.imitation.generate.generating import ArmPlan, Generated, Planned
    from copycat.imitation.records import Arm

GENERATE_EPILOG = """Pictures go to STUDY/generations/, what was drawn with what to STUDY/generations.json. The same
command twice resumes; another --arms with the same settings adds to what is there. Exit 0 done, 1 drawn but more than
2 % failed, 2 to be fixed by you, 130 or 143 interrupted."""

DEFAULT_ARMS = "named,unnamed,zero,shuffled"


def generate(  # noqa: PLR0917 - one parameter per option
    model: Annotated[str, typer.Option(metavar="NAME", help="name, ./folder, hub/repo-id or openai:MODEL")],
    out: Annotated[Path, typer.Option(metavar="STUDY", help="the folder of the study")],
    characters: Annotated[
        str | None,
        typer.Option(metavar="SET|FILE", help="whom to draw; default: the concepts of the study", show_default=False),
    ] = None,
    concepts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="names, aliases and nouns of yours instead", show_default=False),
    ] = None,
    domain: Annotated[
        str,
        typer.Option(metavar="character|style|face|FILE", help="templates; FILE has one a line, with {name}"),
    ] = "character",
    images: Annotated[int, typer.Option(min=1, help="pictures per concept and template, in each arm")] = 8,
    arms: Annotated[
        str, typer.Option(help="a comma list: the concept's name; no name; a made-up name; another concept's")
    ] = DEFAULT_ARMS,
    steps: Annotated[int | None, typer.Option(min=1, help="sampling steps; default: the model's row")] = None,
    guidance: Annotated[float | None, typer.Option(min=0, help="guidance scale; default: the model's row")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="pictures made at once")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, float16 or bfloat16")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="at most this many pictures in each arm")] = None,
    executor: Annotated[str, typer.Option(metavar="local|ray", help="draw here, or on a Ray cluster")] = "local",
    fresh: Annotated[bool, typer.Option("--fresh", help="delete what these arms have drawn and start again")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be drawn, draw nothing")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> int:
    """Draw pictures of every concept, and control pictures that should not show it.

    python -m copycat.imitation generate --model sandbox --characters sandbox --out STUDY
    """
    from copycat.commands.imitation_common import one_list
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID
    from copycat.imitation.concepts import load_concepts, read_concepts
    from copycat.imitation.generate.generating import GenerateJob, plan_generate
    from copycat.imitation.generate.generating import generate as draw
    from copycat.imitation.generate.prompts import read_domain

    given = one_list(characters, concepts)
    _require_known(executor, dtype)
    sampling = {"steps": steps, "guidance": guidance, "dtype": dtype}
    job = GenerateJob(
        model=model,
        out=out,
        concepts=load_concepts(given) if given is not None else read_concepts(out, None),
        domain=read_domain(domain),
        images=images,
        arms=_arms(arms),
        sampling={name: value for name, value in sampling.items() if value is not None},
        batch_size=batch_size,
        device=device,
        limit=limit,
        executor=executor,
        fresh=fresh,
    )
    planned = plan_generate(job)
    if dry_run:
        _print_plan(planned, as_json=json)
        return EXIT_DONE
    read_concepts(out, given)  # which keeps them in the study, now that nothing stands in the way
    generated = draw(planned)
    _print(generated, out, as_json=json)
    return EXIT_DONE if generated.is_valid else EXIT_NOT_VALID


def _require_known(executor: str, dtype: str | None) -> None:
    from copycat.commands.job import CHOICES
    from copycat.errors import UnknownNameError

    for name, value in (("executor", executor), ("dtype", dtype)):
        if value is not None and value not in CHOICES[name]:
            raise UnknownNameError(name, value, CHOICES[name])


def _arms(text: str) -> tuple[Arm, ...]:
    from copycat.errors import UnknownNameError, UserError
    from copycat.imitation.records import ARMS

    typed = [part.strip() for part in text.split(",") if part.strip()]
    if unknown := [name for name in typed if name not in ARMS]:
        raise UnknownNameError("arm", unknown[0], ARMS)
    if not typed:
        raise UserError(f"no arm given\n  needed: a comma list, such as --arms {DEFAULT_ARMS}")
    return tuple(arm for arm in ARMS if arm in typed)


def _print(generated: Generated, out: Path, *, as_json: bool) -> None:
    from copycat.commands.imitation_common import print_warnings
    from copycat.console import out as screen
    from copycat.console import print_json
    from copycat.imitation.records import ARMS, GENERATIONS_FILE
    from copycat.paths import shown

    file = generated.file
    if as_json:
        content = file.model_dump(mode="json") | {"is_valid": generated.is_valid, "notes": list(generated.notes)}
        print_json(content | {"file": str(out / GENERATIONS_FILE)})
        return
    concepts, templates = len(file.concepts), len(file.templates)
    lines = [f"{file.model}: {concepts:,} concepts, {templates} templates, {file.images} pictures of each"]
    for arm, one in sorted(file.arms.items(), key=lambda item: ARMS.index(item[0])):
        counts = ", ".join(f"{n:,} {status}" for status, n in one.counts.items())
        again = " (the pictures of 'named', beside another concept's references)" if one.folder is None else ""
        lines.append(f"  {arm}: {counts or 'not drawn yet'} of {one.planned:,}{again}")
    lines += [f"note: {note}" for note in generated.notes]
    for line in [*lines, "", shown(out / GENERATIONS_FILE)]:
        screen.print(line, markup=False, soft_wrap=True)
    print_warnings(file.warnings, out / GENERATIONS_FILE)


def _print_plan(planned: Planned, *, as_json: bool) -> None:
    """Print what would be drawn, what it would take, and a prompt of each arm and template."""
    from copycat.commands.dry_run import describe_sampling, describe_total
    from copycat.console import out as screen
    from copycat.console import print_json
    from copycat.imitation.generate.generating import another_study
    from copycat.imitation.records import GENERATIONS_FOLDER
    from copycat.runs.forecast import add_up, forecast_run, read_past
    from copycat.runs.machine import free_bytes, list_devices

    job = planned.job
    past = read_past(job.out / GENERATIONS_FOLDER)
    runs = [forecast_run(planned.row, one.plan, one.folder, past, is_fresh=job.fresh) for one in planned.arms]
    total, free = add_up(runs), free_bytes(job.out)
    prompts = {one.arm: _first_prompts(one) for one in planned.arms}
    if as_json:
        dump = {one.arm: run.model_dump(mode="json") for one, run in zip(planned.arms, runs, strict=True)}
        content = {"arms": dump, "total": total.model_dump(mode="json"), "prompts": prompts, "free_bytes": free}
        print_json(content | {"warnings": list(planned.warnings), "notes": list(another_study(planned))})
        return
    spec = planned.arms[0].plan.spec
    lines = [f"{planned.row.name}: {spec.model_source}, licence {planned.row.licence}"]
    lines += [f"  {', '.join(describe_sampling(spec.sampling))}; batches of {spec.batch_size} on {spec.device}"]
    for one, run in zip(planned.arms, runs, strict=True):
        lines.append(f"  {one.arm}: {run.n_planned:,} pictures ({run.n_made:,} made)")
        lines += [f"    {text}" for text in prompts[one.arm]]
    if "shuffled" in job.arms:
        lines.append("  shuffled: needs no pictures of its own")
    devices = list_devices() if planned.device != "cpu" else ()
    lines += describe_total(total, runs, free, devices)
    lines += [f"note: {note}" for note in another_study(planned)]
    lines += [f"warning: {warning}" for warning in planned.warnings]
    for line in lines:
        screen.print(line, markup=False, soft_wrap=True)


def _first_prompts(one: ArmPlan) -> list[str]:
    """Give the first prompt of each template."""
    by_anchor = {request.anchor: request.prompt for request in reversed(one.plan.requests)}
    return [by_anchor[anchor] for anchor in one.plan.spec.anchors if anchor in by_anchor]
