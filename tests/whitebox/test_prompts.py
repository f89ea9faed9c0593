"""The prompts of a search are those of the evaluation; its seeds are not."""

from __future__ import annotations

from copycat.catalog import prompt_set_of, read_character_set
from copycat.plan import build_seed
from copycat.whitebox.prompts import concept_prompts, plain_requests


def test_no_picture_of_an_evaluation_was_seen_by_the_search() -> None:
    characters = read_character_set("sandbox")
    zoravi = characters.characters[0]
    prompts = concept_prompts(characters, prompt_set_of(characters), zoravi, 4)
    requests = plain_requests(prompts, seeds=3)
    texts = [prompt.text for prompt in prompts]
    assert (texts[0], texts[3]) == ("Zoravi", "drawing of Zoravi")
    assert len({request.seed for request in requests}) == 12
    evaluated = {build_seed(prompt.id, repeat) for prompt in prompts for repeat in range(100)}
    assert evaluated.isdisjoint(request.seed for request in requests)
