"""`python -m copycat.erase` and `copycat erase`: options, table, exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

EPILOG = """The result is DIR/card.json and DIR/delta.safetensors, the edited weights alone. The same command goes on
where it was broken off and ends with the same weights. Exit 0 done, 1 the run diverged (the last weights that were
numbers are kept), 2 to be fixed by you, 130 or 143 interrupted."""


@app.command(epilog=EPILOG)
def erase(  # noqa: PLR0917 - one parameter per option
    model: Annotated[
        str | None, typer.Option(help="name, ./folder or hub/repo-id of a Stable Diffusion model", show_default=False)
    ] = None,
    method: Annotated[str | None, typer.Option(help="esd, uce, advunlearn or doco", show_default=False)] = None,
    concept: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[,NAME...]", help="characters by id or name, or any words; a comma list", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="where the erasure goes, or lies", show_default=False)
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            help="what takes the concept's place; one for all or a comma list; default: the character's "
            "key characteristic",
            show_default=False,
        ),
    ] = None,
    characters: Annotated[
        str | None, typer.Option(metavar="SET|FILE", help="default: 'sandbox' for the sandbox, else 'copycat50'")
    ] = None,
    preset: Annotated[str, typer.Option(help="corrected, or published: as paper and code have it")] = "corrected",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="a setting of the method; repeatable", show_default=False),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="of training; default: the preset's")] = None,
    lr: Annotated[float | None, typer.Option(help="learning rate; default: the preset's")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of all randomness")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is")] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="float32 or bfloat16, of what is not edited; default: bfloat16 on CUDA, else float32",
            show_default=False,
        ),
    ] = None,
    revision: Annotated[str | None, typer.Option(help="of a Hub repository: branch, tag or commit")] = None,
    checkpoint_every: Annotated[
        int | None, typer.Option(min=1, metavar="STEPS", help="default: a tenth of the run, and each minute")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="write the whole model with the erasure put in, too", show_default=False),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="forget what --out holds and start anew")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
    list_: Annotated[str | None, typer.Option("--list", metavar="KIND", help="methods; settings of --method")] = None,
) -> int:
    """Edit a model's weights so that a concept is not drawn any more.

    python -m copycat.erase --model sandbox --method esd --concept Zoravi --out erased/zoravi

    python -m copycat.eval --model sandbox --erased erased/zoravi
    """
    if list_ is not None:
        from copycat.commands.erase_tables import print_list

        print_list(list_, method)
        return 0
    from copycat.commands.erase_order import build_order, refuse_for_export, required_out
    from copycat.commands.erase_tables import Told, as_object, print_told
    from copycat.console import EXIT_DONE, EXIT_NOT_VALID, print_json
    from copycat.erasure.export import commit_of, export_pipeline
    from copycat.models.erased import read_card
    from copycat.models.resolve import resolve_model

    folder = required_out(out)
    if export is not None and method is None and concept is None:
        refuse_for_export(locals())
        card = read_card(folder)
        row = resolve_model(model or card.model, revision or commit_of(card))
    else:
        from copycat.erasure.training import run_erasure

        order = build_order(locals())
        row, card = order.row, run_erasure(order, folder, checkpoint_every=checkpoint_every, is_fresh=fresh)
    if export is not None:
        export_pipeline(row, folder, export)
    told = Told(card, model or card.model, folder, export, characters, revision, row)
    if json:
        print_json(as_object(told))
    else:
        print_told(told)
    return EXIT_DONE if card.status == "finished" else EXIT_NOT_VALID
