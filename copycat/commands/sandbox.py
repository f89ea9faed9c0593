"""`python -m copycat.sandbox render|train|export|references|card`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from copycat.commands.dates import check_date

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="The embedded world.")

SHIPPED_STAGES = ("vae", "diffusion", "judge", "oracle")
STAGES = (*SHIPPED_STAGES, "language")


@app.command()
def render(
    out: Annotated[Path, typer.Option(help="PNG file to write")] = Path("sandbox.png"),
    seed: Annotated[int, typer.Option(help="pose and backdrop of each picture")] = 0,
) -> int:
    """Draw all 50 characters on one sheet."""
    from copycat import console
    from copycat.errors import UserError
    from copycat.sandbox.sheet import draw_sheet

    if out.suffix.lower() != ".png":
        raise UserError(f"the sheet is a PNG file, not '{out}'\n  needed: a name that ends in .png")
    out.parent.mkdir(parents=True, exist_ok=True)
    draw_sheet(seed).save(out)
    console.out.print(str(out), markup=False)
    return 0


@app.command()
def export(
    folder: Annotated[Path, typer.Option(help="folder to write to")] = Path("sandbox-export"),
    date: Annotated[
        str, typer.Option(help="date on the card of the prompts, YYYY-MM-DD", callback=check_date)
    ] = "2026-11-23",
    pictures: Annotated[bool, typer.Option("--pictures", help="the 30,390 PNG files as well")] = False,
) -> int:
    """Write captions with the truth about each picture, a card, words to choose keywords from, characters, prompts."""
    from copycat import console
    from copycat.provenance.own.corpus import write_corpus
    from copycat.sandbox.captions import KEYWORD_POOL
    from copycat.sandbox.corpus import build_rows, write_pictures
    from copycat.sandbox.export import write_character_set, write_prompts

    rows = build_rows()
    write_corpus(folder, rows)
    (folder / "candidates.txt").write_text("".join(f"{word}\n" for word in KEYWORD_POOL), encoding="utf-8")
    write_character_set(folder / "sandbox.yaml")
    write_prompts(folder / "prompts", date)
    if pictures:
        write_pictures(rows, folder / "images")
    console.out.print(f"{folder}: {len(rows)} captions", markup=False)
    return 0


@app.command()
def references(
    folder: Annotated[Path, typer.Option(help="folder to write to")] = Path("sandbox-references"),
    pictures: Annotated[int, typer.Option(min=1, help="of each character")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="of poses and backdrops; none is that of a training picture")] = 0,
) -> int:
    """Draw held-out pictures of each character, to compare a model's pictures with: FOLDER/<character>/NN.png."""
    from copycat import console
    from copycat.sandbox.references import write_references

    n = write_references(folder, pictures, seed)
    console.out.print(f"{folder}: {n} pictures", markup=False)
    return 0


@app.command()
def train(  # noqa: PLR0917 - one parameter per option
    stage: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(STAGES)}; repeatable; default: all but language")
    ] = None,
    work: Annotated[Path, typer.Option(help="folder of checkpoints and results")] = Path("sandbox-work"),
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: the best there is")] = None,
    effort: Annotated[
        float, typer.Option(min=0.0001, help="scales the steps, not the drawing of pictures; 1 is what was shipped")
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="of first weights and batches; 0 is what was shipped")] = 0,
    install: Annotated[bool, typer.Option("--install", help="put the results into the package at the end")] = False,
) -> int:
    """Train all sandbox models from scratch. The same command resumes from the last checkpoint."""
    import torch

    from copycat.errors import UnknownNameError
    from copycat.runs.environment import pick_device
    from copycat.sandbox.train import stages
    from copycat.sandbox.train.progress import training_progress

    for name in stage or ():
        if name not in STAGES:
            raise UnknownNameError("training stage", name, STAGES)
    shop = stages.Workshop(
        folder=work, device=torch.device(pick_device(device)), effort=effort, progress=training_progress, seed=seed
    )
    for name in stage or SHIPPED_STAGES:
        stages.RUN[name](shop)
    if install:
        stages.install(shop)
    return 0


@app.command()
def card(
    out: Annotated[Path | None, typer.Option(help="write the table of figures into this Markdown file")] = None,
    run: Annotated[Path, typer.Option(help="folder of the main job's runs")] = Path("runs"),
) -> int:
    """Measure every figure of docs/sandbox.md."""
    from copycat import console
    from copycat.sandbox.measure import measure, print_figures, write_figures

    figures = measure(run)
    print_figures(figures, console.out)
    if out is not None:
        write_figures(figures, out)
    return 0
