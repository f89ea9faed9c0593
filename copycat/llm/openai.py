"""A language model behind any OpenAI-compatible address: a provider's, or a server of your own."""

from __future__ import annotations

from copycat.llm import MAX_TOKENS, Asked, forget
from copycat.llm.words import read_answer
from copycat.services.chat import Chat
from copycat.services.chat_forms import Wanted
from copycat.services.memory import AnswerMemory, recall_or_ask
from copycat.services.openai_client import Service
from copycat.services.throttle import Throttle


class OpenAILanguageModel:
    """Asks a service's Chat Completions API; many threads may ask at once."""

    def __init__(self, model: str, memory: AnswerMemory | None = None) -> None:
        self.model = model
        self.chat = Chat(Service.find(), model)
        self._memory = memory

    @property
    def throttle(self) -> Throttle:
        """How many questions may be under way."""
        return self.chat.throttle

    def identify(self) -> str:
        """Give model and host; a service states no revision to rely on."""
        return f"openai:{self.model}@{self.chat.service.host}"

    def complete(
        self, instruction: str, text: str, *, temperature: float = 0.0, seed: int = 0, max_tokens: int = MAX_TOKENS
    ) -> str:
        """Give the answer that is kept, else the service's; see `LanguageModel`."""
        asked = Asked.of(instruction, text, temperature, seed, max_tokens)
        wanted = Wanted(
            None,
            text,
            max_tokens,
            instruction=instruction,
            temperature=temperature,
            seed=asked.seed if temperature else None,
        )
        return recall_or_ask(self._memory, asked.key(self.identify()), str, lambda: read_answer(self.chat.ask(wanted)))

    def release(self) -> None:
        """Hold nothing that would have to be let go."""

    def forget(self, instruction: str, text: str, *, temperature: float, seed: int, max_tokens: int) -> None:
        """Drop an answer that is kept; see `LanguageModel`."""
        forget(self._memory, Asked.of(instruction, text, temperature, seed, max_tokens).key(self.identify()))

    def facts(self) -> dict[str, str]:
        """Give what the service has said of itself in this process, and whether it took a temperature."""
        found = {f"{name} answered": ", ".join(sorted(seen)) for name, seen in self.chat.versions.items() if seen}
        if not self.chat.form.has_temperature:
            found["temperature taken"] = "no: the service has its own"
        return found
