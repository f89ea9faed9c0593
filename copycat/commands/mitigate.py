"""`python -m copycat.mitigate rewrite`: have a language model rewrite every prompt once, and freeze the texts."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from copycat.llm import LanguageModel
    from copycat.llm.instructions import Instruction
    from copycat.llm.rewrites import FrozenRewrites
    from copycat.schema import Prompt

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Make what mitigations need once, and freeze it.",
)

INSTRUCTION = "rewrite-v1"
MAX_SHOWN = 10

EPILOG = """Writes LISTS/SET/rewrite-NAME.json with where it comes from; then: copycat.eval --mitigation rewrite:NAME.
Answers are kept in LISTS/llm-answers.sqlite, so that the same command goes on where it stopped and pays for nothing
twice. If one prompt gets no usable answer, no list is written. Exit 0 done, 2 to be fixed by you,
130 or 143 interrupted."""


@app.callback()
def mitigate() -> None:
    """Make what mitigations need once, and freeze it."""


@app.command(epilog=EPILOG)
def rewrite(  # noqa: PLR0917 - one parameter per option
    llm: Annotated[
        str, typer.Option(metavar="NAME", help="who rewrites: openai:MODEL, org/repo or ./FOLDER", show_default=False)
    ],
    characters: Annotated[str, typer.Option(metavar="SET|FILE", help="whose prompts")] = "copycat50",
    anchors: Annotated[
        str, typer.Option(help="which prompts: comma list of name, keywords[:RANKER[-K]], description")
    ] = "name,description",
    benign: Annotated[
        bool, typer.Option("--benign", help="the benign prompts, too, for copycat.eval --benign")
    ] = False,
    name: Annotated[str, typer.Option(help="of the list: lower case words joined by hyphens")] = "llm",
    per_seed: Annotated[
        int, typer.Option(min=1, metavar="N", help="rewrites of each prompt, one for each picture of it")
    ] = 1,
    lists: Annotated[Path, typer.Option(metavar="DIR", help="where lists are kept")] = Path("lists"),
    device: Annotated[str | None, typer.Option(help="of a model here: cpu, cuda, mps; default: the best")] = None,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object instead of text")] = False,
) -> int:
    """Have a language model rewrite every prompt of a character set so that it names nobody, and freeze the texts.

    python -m copycat.mitigate rewrite --characters copycat50 --llm openai:MODEL

    python -m copycat.eval --model sdxl --anchors name,description --mitigation rewrite:llm
    """
    from copycat.catalog import (
        benign_prompts,
        build_prompts,
        parse_anchor,
        prompt_set_of,
        read_character_set,
        with_lists,
    )
    from copycat.llm import ANSWERS, build_language_model
    from copycat.llm.instructions import read_instruction
    from copycat.llm.rewrites import check_list, freeze_rewrites, provenance_of
    from copycat.runs.environment import pick_device
    from copycat.services.memory import AnswerMemory

    character_set = read_character_set(characters)
    prompt_set = with_lists(prompt_set_of(character_set), lists)
    parsed = [parse_anchor(text.strip(), prompt_set.default_ranker) for text in anchors.split(",") if text.strip()]
    prompts = build_prompts(character_set, prompt_set, parsed)
    _require_prompts(prompts)
    prompts += benign_prompts(character_set)[1] if benign else ()
    model = build_language_model(llm, AnswerMemory(lists / ANSWERS), pick_device(device))
    instruction = read_instruction(INSTRUCTION)
    provenance = provenance_of(model, instruction, per_seed)
    check_list(lists, prompt_set, name, prompts, provenance)
    texts = _rewrite_all(model, instruction, prompts, per_seed)
    provenance |= {"date": datetime.datetime.now(datetime.UTC).date().isoformat(), **model.facts()}
    _print(
        freeze_rewrites(
            lists, character_set, prompt_set, name=name, prompts=prompts, texts=texts, provenance=provenance
        ),
        as_json=json,
    )
    return 0


def _require_prompts(prompts: tuple[Prompt, ...]) -> None:
    from copycat.errors import UserError

    if not prompts:
        raise UserError("no anchor given\n  needed: a comma list, e.g. --anchors name,description")


def _rewrite_all(
    model: LanguageModel, instruction: Instruction, prompts: tuple[Prompt, ...], per_seed: int
) -> dict[str, tuple[str, ...]]:
    from copycat.console import progress_bar
    from copycat.llm.rewrites import rewrite_prompts

    with progress_bar(f"rewrite by {model.identify().partition('@')[0]}", len(prompts) * per_seed) as advance:
        return rewrite_prompts(model, instruction, prompts, per_seed, advance)


def _print(found: FrozenRewrites, *, as_json: bool) -> None:
    from copycat import console

    if as_json:
        naming = [{"prompt_id": one.prompt_id, "names": list(one.residue.names)} for one in found.naming]
        figures = {"n_texts": found.n_texts, "mean_words": found.mean_words, "keyword_share": found.keyword_share}
        console.print_json({"path": str(found.path), "is_new": found.is_new, **figures, "naming": naming})
        return
    lines = [
        f"{found.path}: {found.n_texts} rewrites of {len(found.texts)} prompts, {found.mean_words:.0f} words on average"
        + ("" if found.is_new else "; they were there already"),
        f"still name the character, its franchise or a brand: {len(found.naming)} of {len(found.left)}",
        *(f"  {one.prompt_id}: {', '.join(one.residue.names)}" for one in found.naming[:MAX_SHOWN]),
    ]
    if len(found.naming) > MAX_SHOWN:
        lines.append(f"  and {len(found.naming) - MAX_SHOWN} more, all of them in the file")
    if found.keyword_share is not None:
        lines.append(f"of the first keywords of each character, still there: {100 * found.keyword_share:.0f} %")
    lines.append(f"then: python -m copycat.eval ... --mitigation rewrite:{found.name}")
    for line in lines:
        console.out.print(line, markup=False, soft_wrap=True)
