"""Detectors of intent: whom a prompt is after, from the prompt alone.

A deployed system does not know the target. A detector in front of a mitigation decides whom it protects.
Source: CopyCat (arXiv 2406.14526), appendix E.2, where a language model or retrieval with text embeddings finds it.
"""

from __future__ import annotations

from functools import cached_property

from copycat.errors import BackendError, UnknownNameError, UnsupportedError, UserError
from copycat.mitigations import MITIGATIONS, Question, Setting
from copycat.mitigations.lexical import LexicalIndex, Match
from copycat.mitigations.vectors import VectorIndex
from copycat.names import NameMatcher, fold
from copycat.schema import Character, ImageRequest

NAMES, RETRIEVAL, LLM, EMBEDDING = "names", "retrieval", "llm", "embedding"

INSTRUCTION = "intent-v1"

THRESHOLD = 0.25
"""Least cosine at which a prompt is after a character: of 0.2, 0.25, 0.3, 0.35, 0.4 and 0.5 the lowest that raises
no alarm on the 20 everyday prompts of tests/mitigations/test_intent.py, for the sets sandbox and copycat50.

It is not the paper's threshold of 0.7, which belongs to text embeddings. A set's descriptions and keywords are in its
index, so that finding these says little about other wordings: without them 12 % of copycat50's descriptions and 56 %
of its keyword prompts are found, in the sandbox none and all. Descriptions of other real characters (unseen50) raise
5 alarms of 50. A bare name is often missed."""

EMBEDDING_THRESHOLD = 0.7
"""The paper's, for text-embedding-3-small; the cosines of every model have a scale of their own."""

SHOWN_LETTERS = 80


class Intent:
    """Finds whom a prompt is after.

    Args:
        variant: "names" (a name or alias stands in the prompt), "retrieval" (its words are those of a character's
            name, description and keywords), "llm" (a language model is asked) or "embedding", perhaps with a least
            cosine, such as "embedding,0.55" (a model's vector of the prompt is near to that of name and description).

    Raises:
        UnsupportedError: a language model or an embedder is needed and there is none.
    """

    def __init__(self, variant: str, setting: Setting) -> None:
        self.variant, _, threshold = variant.partition(",")
        self.threshold = float(threshold) if threshold else EMBEDDING_THRESHOLD
        self.ask, self.setting = setting.ask, setting
        self.characters: dict[str, Character] = {who.id: who for who in setting.characters.characters}
        self.matcher = NameMatcher(self.characters.values())
        self.asks, self.embeds = self.variant == LLM, self.variant == EMBEDDING
        if self.embeds and setting.embed is None:
            raise UnsupportedError(
                "mitigation 'intent:embedding' needs a model that embeds texts\n"
                "  add --embedder openai:text-embedding-3-small, --embedder org/repo or --embedder ./FOLDER; or use "
                "intent:retrieval"
            )
        if self.asks and setting.ask is None:
            raise UnsupportedError(
                "mitigation 'intent:llm' needs a language model\n"
                "  add --llm openai:MODEL, --llm org/repo or --llm ./FOLDER; or use intent:names or intent:retrieval"
            )

    @staticmethod
    def canonical(variant: str, setting: Setting) -> str:
        """Check a variant and give it in full: 'embedding,0.7' for 'embedding'.

        Raises:
            UnknownNameError: no such detector.
            UserError: a threshold that is no cosine between 0 and 1, or one for another detector.
        """
        del setting
        kind, comma, threshold = (part.strip() for part in variant.partition(","))
        if kind not in (known := (NAMES, RETRIEVAL, LLM, EMBEDDING)):
            raise UnknownNameError("variant of mitigation 'intent':", kind, known, MITIGATIONS.hint)
        if kind != EMBEDDING:
            if comma:
                raise UserError(f"'intent:{variant}': only intent:embedding takes a threshold\n  type: intent:{kind}")
            return kind
        return f"{EMBEDDING},{_threshold_of(threshold) if comma else EMBEDDING_THRESHOLD:g}"

    def find(self, request: ImageRequest) -> Character | None:
        """Give the character that the prompt is after, None where it is after nobody.

        Raises:
            BackendError: a language model's answer names nobody of the set and does not say none.
        """
        if self.variant == NAMES:
            return self._named_in(request.prompt_sent)
        if self.variant == RETRIEVAL:
            return self._near(self._lexical.best(request.prompt_sent), THRESHOLD)
        if self.variant == EMBEDDING:
            return self._near(self._embedded.best(request.prompt_sent), self.threshold)
        return self._asked(request.prompt_sent)

    @cached_property
    def _lexical(self) -> LexicalIndex:
        return LexicalIndex(_documents(self.setting))

    @cached_property
    def _embedded(self) -> VectorIndex:
        if self.setting.embed is None:  # refused when built
            return VectorIndex(lambda _: (), {})
        return VectorIndex(self.setting.embed, {who.id: embedded_text(who) for who in self.characters.values()})

    def _near(self, best: Match | None, threshold: float) -> Character | None:
        return self.characters[best.id] if best is not None and best.cosine >= threshold else None

    def _named_in(self, text: str) -> Character | None:
        """Give the character that is named first."""
        found = self.matcher.find(text)
        return self.characters[found[0].character_id] if found else None

    def _asked(self, prompt: str) -> Character | None:
        if self.ask is None:  # refused when built
            return None
        names = "\n".join(f"- {who.name}" for who in self.characters.values())
        answer = self.ask(Question(INSTRUCTION, f"Prompt: {prompt}\n\nCharacters:\n{names}"))
        if fold(answer) == "none":
            return None
        named = self.matcher.named_in(answer)
        if len(named) != 1:
            raise BackendError(
                f"asked whom a prompt is after, the language model said '{answer.strip()[:SHOWN_LETTERS]}'\n"
                "  needed: one name of the character set, or: none"
            )
        return self.characters[named.pop()]


def embedded_text(who: Character) -> str:
    """Give the text of a character with which prompts are compared: 'NAME: DESCRIPTION'."""
    return f"{who.name}: {who.description}"


def _threshold_of(text: str) -> float:
    try:
        threshold = float(text)
    except ValueError:
        threshold = 0.0
    if not 0 < threshold < 1:  # not a number either
        raise UserError(
            f"'{text}' is no threshold of intent:embedding\n"
            f"  needed: a cosine between 0 and 1, such as intent:embedding,{EMBEDDING_THRESHOLD:g}"
        )
    return threshold


def _documents(setting: Setting) -> dict[str, str]:
    """Join each character's name, aliases, description and the words of all its keyword lists, each word list once."""
    texts: dict[str, str] = {}
    for who in setting.characters.characters:
        lists = (words.get(who.id, ()) for words in setting.prompt_set.keywords.values())
        keywords = dict.fromkeys(word for words in lists for word in words)
        texts[who.id] = " ".join((who.name, *who.aliases, who.description, *keywords))
    return texts
