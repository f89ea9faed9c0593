"""Detectors of intent: whom a prompt is after, from the prompt alone.

A deployed system does not know the target. A detector in front of a mitigation decides whom it protects.
Source: CopyCat (arXiv 2406.14526), appendix E.2, where a language model or retrieval with text embeddings finds it.
"""

from __future__ import annotations

from copycat.errors import BackendError, UnsupportedError
from copycat.mitigations import Question, Setting
from copycat.mitigations.lexical import LexicalIndex
from copycat.names import NameMatcher, fold
from copycat.schema import Character, ImageRequest

NAMES, RETRIEVAL, LLM = "names", "retrieval", "llm"

INSTRUCTION = "intent-v1"

THRESHOLD = 0.25
"""Least cosine at which a prompt is after a character: of 0.2, 0.25, 0.3, 0.35, 0.4 and 0.5 the lowest that raises
no alarm on the 20 everyday prompts of tests/mitigations/test_intent.py, for the sets sandbox and copycat50.

It is not the paper's threshold of 0.7, which belongs to text embeddings. A set's descriptions and keywords are in its
index, so that finding these says little about other wordings: without them 12 % of copycat50's descriptions and 56 %
of its keyword prompts are found, in the sandbox none and all. Descriptions of other real characters (unseen50) raise
5 alarms of 50. A bare name is often missed."""

SHOWN_LETTERS = 80


class Intent:
    """Finds whom a prompt is after.

    Args:
        variant: "names" (a name or alias stands in the prompt), "retrieval" (its words are those of a character's
            name, description and keywords) or "llm" (a language model is asked).

    Raises:
        UnsupportedError: a language model is needed and there is none.
    """

    def __init__(self, variant: str, setting: Setting) -> None:
        self.variant, self.ask = variant, setting.ask
        self.characters: dict[str, Character] = {who.id: who for who in setting.characters.characters}
        self.matcher = NameMatcher(self.characters.values())
        self.asks = variant == LLM
        if self.asks and setting.ask is None:
            raise UnsupportedError(
                "mitigation 'intent:llm' needs a language model\n"
                "  add --llm openai:MODEL, --llm org/repo or --llm ./FOLDER; or use intent:names or intent:retrieval"
            )
        self.index = LexicalIndex(_documents(setting) if variant == RETRIEVAL else {})

    def find(self, request: ImageRequest) -> Character | None:
        """Give the character that the prompt is after, None where it is after nobody.

        Raises:
            BackendError: a language model's answer names nobody of the set and does not say none.
        """
        if self.variant == NAMES:
            return self._named_in(request.prompt_sent)
        if self.variant == RETRIEVAL:
            best = self.index.best(request.prompt_sent)
            return self.characters[best.id] if best is not None and best.cosine >= THRESHOLD else None
        return self._asked(request.prompt_sent)

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


def _documents(setting: Setting) -> dict[str, str]:
    """Join each character's name, aliases, description and the words of all its keyword lists, each word list once."""
    texts: dict[str, str] = {}
    for who in setting.characters.characters:
        lists = (words.get(who.id, ()) for words in setting.prompt_set.keywords.values())
        keywords = dict.fromkeys(word for words in lists for word in words)
        texts[who.id] = " ".join((who.name, *who.aliases, who.description, *keywords))
    return texts
