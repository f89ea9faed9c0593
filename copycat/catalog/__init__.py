"""characters/ and prompts/ -> records. All faults of a file are reported at once."""

from copycat.catalog.anchors import DEFAULT_K, Anchor, parse_anchor
from copycat.catalog.benign import benign_prompts
from copycat.catalog.character_sets import (
    CHARACTER_SETS_HINT,
    characters_sha256,
    list_character_sets,
    read_character_set,
)
from copycat.catalog.freeze import freeze_prompt_set
from copycat.catalog.hashing import canonical_json, canonical_sha256
from copycat.catalog.legal_notes import NOTES_YEAR, legal_notes, legal_status
from copycat.catalog.lists import LISTS, FrozenList, read_list, with_lists, write_list
from copycat.catalog.prompt_files import PromptCard, PromptFile
from copycat.catalog.prompt_sets import PromptSet, derived_prompt_set, prompt_set_of, read_prompt_set
from copycat.catalog.prompts import build_prompts, list_anchors, prompts_sha256

__all__ = [
    "CHARACTER_SETS_HINT",
    "DEFAULT_K",
    "LISTS",
    "NOTES_YEAR",
    "Anchor",
    "FrozenList",
    "PromptCard",
    "PromptFile",
    "PromptSet",
    "benign_prompts",
    "build_prompts",
    "canonical_json",
    "canonical_sha256",
    "characters_sha256",
    "derived_prompt_set",
    "freeze_prompt_set",
    "legal_notes",
    "legal_status",
    "list_anchors",
    "list_character_sets",
    "parse_anchor",
    "prompt_set_of",
    "prompts_sha256",
    "read_character_set",
    "read_list",
    "read_prompt_set",
    "with_lists",
    "write_list",
]
