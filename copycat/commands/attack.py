"""`python -m copycat.attack` and `copycat attack`: options, exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

EPILOG = """Pictures before and under attack are kept in DIR/pictures and shown side by side in DIR/sheet.html, what was
found in DIR/attack.json and, of cce, DIR/learned.safetensors; copycat.eval --attack ./DIR puts what unlearndiffatk and
cce found into the prompts of the concept again. The same command goes on where it was broken off. Exit 0 done, 2 to be
fixed by you, 130 or 143 interrupted."""


@app.command(epilog=EPILOG)
def attack(  # noqa: PLR0917 - one parameter per option
    model: Annotated[
        str | None, typer.Option(help="name, ./folder or hub/repo-id of a Stable Diffusion model", show_default=False)
    ] = None,
    method: Annotated[str | None, typer.Option(help="arc, unlearndiffatk or cce", show_default=False)] = None,
    concept: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="whom to bring back: a character's name or id", show_default=False),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="where the attack goes", show_default=False)] = None,
    erased: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="an erasure made by copycat.erase; default: the model as it is"),
    ] = None,
    mitigation: Annotated[str, typer.Option(help="at work while pictures are drawn")] = "none",
    characters: Annotated[
        str | None, typer.Option(metavar="SET|FILE", help="default: 'sandbox' for the sandbox, else 'copycat50'")
    ] = None,
    prompts: Annotated[
        str, typer.Option(metavar="N|FILE", help="so many of the concept's prompts, or a file with one a line")
    ] = "10",
    seeds: Annotated[int, typer.Option(min=1, help="pictures of each prompt, each attacked for itself")] = 1,
    preset: Annotated[
        str | None,
        typer.Option(help="corrected, published, or sandbox: in seconds, for small pictures; default: by their size"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="a setting of the method; repeatable", show_default=False),
    ] = None,
    judge: Annotated[str | None, typer.Option(help="who says whom a picture shows; default: the set's own")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is")] = None,
    revision: Annotated[str | None, typer.Option(help="of a Hub repository: branch, tag or commit")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="forget what --out holds and start anew")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
    list_: Annotated[str | None, typer.Option("--list", metavar="KIND", help="methods; settings of --method")] = None,
) -> int:
    """Try to bring back a concept that a model should not draw, and keep what does it.

    python -m copycat.attack --method unlearndiffatk --model sandbox --erased erased/zoravi --concept Zoravi --out found

    python -m copycat.eval --model sandbox --erased erased/zoravi --attack ./found
    """
    from copycat.commands.attack_tables import as_object, print_card, print_list
    from copycat.console import EXIT_DONE, print_json

    if list_ is not None:
        print_list(list_, method)
        return EXIT_DONE
    from copycat.whitebox.job import AttackJob, plan_attack
    from copycat.whitebox.running import run_attack

    needed = _required({"--model": model, "--method": method, "--concept": concept, "--out": out})
    job = AttackJob(
        model=needed["--model"],
        method=needed["--method"],
        concept=needed["--concept"],
        out=Path(needed["--out"]),
        erased=erased,
        mitigation=mitigation,
        characters=characters,
        prompts=int(prompts) if prompts.isdecimal() else Path(prompts),
        seeds=seeds,
        preset=preset,
        changes=tuple(settings or ()),
        judge=judge,
        device=device,
        revision=revision,
        fresh=fresh,
    )
    card = run_attack(plan_attack(job))
    if json:
        print_json(as_object(card, job))
    else:
        print_card(card, job)
    return EXIT_DONE


def _required(given: dict[str, object]) -> dict[str, str]:
    from copycat.errors import UserError

    if missing := [name for name, value in given.items() if value is None]:
        raise UserError(
            f"{missing[0]} is missing\n"
            "  needed: python -m copycat.attack --method METHOD --model MODEL --concept NAME --out DIR"
        )
    return given  # type: ignore[return-value]
