"""`python -m copycat.fairuse world train|card|mitigate`: the small language model with planted works."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The small language model with planted works, of which the truth is known.",
)

TRAIN_EPILOG = """
Examples:
  python -m copycat.fairuse world train
  python -m copycat.fairuse world train --epochs 0.5 --work quick
"""

MITIGATE_EPILOG = """
Examples:
  python -m copycat.fairuse world mitigate --method ngram-block,filter
  python -m copycat.fairuse world mitigate --method all --out mitigations
"""


@app.command(epilog=TRAIN_EPILOG)
def train(
    work: Annotated[Path, typer.Option(help="folder of the checkpoint; the model goes below it")] = Path("world-work"),
    epochs: Annotated[
        float | None,
        typer.Option(min=0.001, help="how often each text is shown; default: as shipped", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of first weights and order; 0 is what was shipped")] = 0,
    install: Annotated[bool, typer.Option("--install", help="put the result into the package at the end")] = False,
) -> None:
    """Train the model from scratch on a CPU. The same command goes on from the last checkpoint."""
    from dataclasses import replace

    from copycat.console import out as console
    from copycat.fairuse.world.training import SHIPPED, train_shipped
    from copycat.fairuse.world.writing import WEIGHTS
    from copycat.paths import package_folder, shown
    from copycat.sandbox.train.progress import training_progress

    settings = replace(SHIPPED, seed=seed, epochs=SHIPPED.epochs if epochs is None else epochs)
    target = package_folder(WEIGHTS) if install else work / "weights"
    train_shipped(settings, work, target, training_progress)
    console.print(shown(target), markup=False)


@app.command()
def card(
    model: Annotated[
        Path | None, typer.Option(help="folder of a model that was trained; default: the shipped one")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="write README.md beside the weights")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Measure every figure of the model's card."""
    from copycat.console import out as console
    from copycat.console import print_json
    from copycat.fairuse.world.card import card_text, measure_card, write_card
    from copycat.fairuse.world.writing import WEIGHTS, load_writer
    from copycat.paths import package_folder, shown

    figures = measure_card(load_writer(model))
    if json:
        print_json(figures.model_dump(mode="json"))
    else:
        console.print(card_text(figures), markup=False, end="", soft_wrap=True)
    if write:
        path = write_card(figures, model or package_folder(WEIGHTS))
        if not json:
            console.print(shown(path), markup=False)


@app.command(epilog=MITIGATE_EPILOG)
def mitigate(
    method: Annotated[str, typer.Option(help="names between commas, or all; with what they are compared with")] = "all",
    out: Annotated[Path, typer.Option(help="folder of trainings and results")] = Path("world-mitigations"),
    model: Annotated[Path | None, typer.Option(help="folder of another base model; default: the shipped one")] = None,
    effort: Annotated[float, typer.Option(min=0.001, help="scales the steps of every training")] = 1.0,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Measure mitigations as extraction, utility and cost. The same command goes on with what is unfinished."""
    from copycat.commands.fairuse_world_table import print_triples
    from copycat.console import print_json
    from copycat.fairuse.world.mitigations.page import PAGE_FILE, write_page
    from copycat.fairuse.world.mitigations.running import RESULTS_FILE, methods_named, mitigate
    from copycat.fairuse.world.mitigations.workshop import Workshop
    from copycat.paths import shown
    from copycat.sandbox.train.progress import training_progress

    results = mitigate(Workshop(out, training_progress, model, effort), methods_named(method))
    write_page(results, out)
    if json:
        print_json(
            results.model_dump(mode="json") | {"results": shown(out / RESULTS_FILE), "page": shown(out / PAGE_FILE)}
        )
    else:
        print_triples(results, shown(out / PAGE_FILE))
