"""A vision-language model of transformers: pictures and questions in, words or the probability of Yes and No out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

from PIL.Image import Image

from copycat.errors import BackendError, DataError, UserError
from copycat.judges.dialogue import CutOffError
from copycat.judges.rounds import Reply
from copycat.models.batch_memory import BatchMemory, free_memory, is_out_of_memory
from copycat.models.hub import Source
from copycat.paths import shown

MOST_AT_ONCE = {"cpu": 4}
"""Pictures per batch: a CPU gains nothing from more, and tells of no lack of memory until the process is killed."""

MOST_ON_A_GPU = 64
KEPT_SETTINGS = (
    "bos_token_id",
    "decoder_start_token_id",
    "eos_token_id",
    "forced_bos_token_id",
    "pad_token_id",
    "suppress_tokens",
)
"""Of a repository's generation settings, those that do not choose words: answers are greedy, without penalties."""

Row = tuple[Image, str]
"""A picture and the text of a question."""

R = TypeVar("R")


class SpeakingModel:
    """Loads the processor when it is first needed, and the weights when the first question is asked.

    Args:
        source: of weights, processor and tokenizer.
        device: such as 'cuda' or 'cpu'.
        dtype: of the weights as they are used, such as 'bfloat16'.
    """

    def __init__(self, source: Source, device: str, dtype: str) -> None:
        self.source, self.device, self.dtype = source, device, dtype

    def answer(self, rows: Sequence[Row], max_tokens: int) -> list[Reply]:
        """Answer each row greedily, in at most so many tokens; one that cannot be answered does not harm the others."""
        return self._run(rows, lambda part: self._generate(part, max_tokens))

    def yes_and_no(self, rows: Sequence[Row]) -> list[tuple[float, float] | BackendError]:
        """Give the probabilities that the answer's first token is a spelling of Yes, and of No, by one forward pass."""
        return self._run(rows, self._first_token)

    @cached_property
    def processor(self) -> Any:  # Any: transformers' processors share no typed base call
        """The processor, which pads on the left, where the answer does not begin.

        Raises:
            DataError: it cannot be loaded.
        """
        from transformers import AutoProcessor

        processor = self._loaded(lambda: AutoProcessor.from_pretrained(self.source.location, **self._of_the_source))
        tokenizer = getattr(processor, "tokenizer", None)
        if tokenizer is None or not getattr(processor, "chat_template", None):
            raise self._unfit("its processor has no chat template, so that nobody knows how it is asked")
        if tokenizer.eos_token is None:
            raise self._unfit("its tokenizer has no end token, so that no answer ends")
        tokenizer.padding_side = "left"
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        return processor

    @cached_property
    def yes_no_tokens(self) -> tuple[list[int], list[int]]:
        """The tokens that are spellings of Yes, and of No, with or without a space before: 'Yes', ' yes', 'YES', ..."""
        tokenizer = self.processor.tokenizer
        vocabulary: dict[str, int] = tokenizer.get_vocab()
        yes, no = (
            sorted(
                number
                for piece, number in vocabulary.items()
                if word in piece.casefold() and tokenizer.decode([number]).strip().casefold() == word
            )
            for word in ("yes", "no")
        )
        return yes, no

    def prompt(self, text: str, *, with_picture: bool = True) -> str:
        """Write a question as the model's chat template wants it, with the mark where the picture goes."""
        content: list[dict[str, str]] = [{"type": "text", "text": self._without_marks(text)}]
        if with_picture:
            content.insert(0, {"type": "image"})
        conversation = [{"role": "user", "content": content}]
        # Thinking costs a hundred times the tokens; a template that does not know the word would pass it on.
        options = {"enable_thinking": False} if "enable_thinking" in str(self.processor.chat_template) else {}
        return str(self.processor.apply_chat_template(conversation, add_generation_prompt=True, **options))

    def require_place_for_picture(self) -> None:
        """Refuse a template that would drop the picture without a word.

        Raises:
            DataError: the prompt is the same with and without a picture, or cannot be written at all.
        """
        from jinja2 import TemplateError

        try:
            is_dropped = self.prompt("?") == self.prompt("?", with_picture=False)
        except (TemplateError, TypeError, ValueError) as error:
            raise self._unfit(f"its chat template cannot write a question about a picture ({error})") from error
        if is_dropped:
            raise self._unfit("its chat template has no place for a picture")

    def release(self) -> None:
        """Drop the weights; the next question loads them again."""
        self.__dict__.pop("_network", None)
        free_memory()

    # --------------------------------------------------------------------------- private

    @cached_property
    def _network(self) -> Any:
        import torch
        from transformers import AutoModelForImageTextToText

        settings = self._of_the_source | {"dtype": getattr(torch, self.dtype), "use_safetensors": True}
        if self.device != "cpu":  # straight to the device: the machine's memory may be smaller
            settings["device_map"] = self.device
        network, found = self._loaded(
            lambda: AutoModelForImageTextToText.from_pretrained(
                self.source.location, output_loading_info=True, **settings
            )
        )
        if missing := sorted(found["missing_keys"]):
            # transformers would fill them with random numbers.
            raise self._unfit(f"{len(missing)} of its weights are missing, {missing[0]} among them")
        network.generation_config = self._greedy(network.generation_config)
        return network.eval()

    def _greedy(self, own: Any) -> Any:
        from transformers import GenerationConfig

        tokenizer = self.processor.tokenizer
        kept = {name: value for name in KEPT_SETTINGS if (value := getattr(own, name, None)) is not None}
        ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
        return GenerationConfig(do_sample=False, **(ends | kept))

    @cached_property
    def _memory(self) -> BatchMemory:
        memory = BatchMemory(f"judge {self.source.text} {self.dtype} {_device_name(self.device)}")
        most = MOST_AT_ONCE.get(self.device, MOST_ON_A_GPU)
        memory.limit = min(memory.limit or most, most)
        return memory

    @cached_property
    def _marks(self) -> list[str]:
        """Tokens with which a template steers the model; none of them may come from a name or an answer."""
        added = self.processor.tokenizer.added_tokens_decoder.values()
        marks = {token.content for token in added if token.special}
        return sorted(marks | {str(getattr(self.processor, "image_token", None) or "<image>")}, key=len, reverse=True)

    def _without_marks(self, text: str) -> str:
        for mark in self._marks:
            text = text.replace(mark, " ")
        return text

    def _run(self, rows: Sequence[Row], work: Callable[[Sequence[Row]], list[R]]) -> list[R | BackendError]:
        _ = self._network  # loaded first: what is wrong with the weights is no fault of a picture
        try:
            return self._memory.run(rows, lambda part: self._one_by_one_if_need_be(part, work))
        except BackendError as error:
            why = "out of memory with one picture; use a smaller model or a larger device"
            raise BackendError(f"judge '{self.source.owner}': {why}") from error

    def _one_by_one_if_need_be(
        self, part: Sequence[Row], work: Callable[[Sequence[Row]], list[R]]
    ) -> list[R | BackendError]:
        try:
            return [*work(part)]
        except (ValueError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            if len(part) == 1:
                return [BackendError(f"the judge fell over: {' '.join(str(error).split())[:300]}")]
        return [reply for row in part for reply in self._one_by_one_if_need_be([row], work)]

    def _inputs(self, part: Sequence[Row]) -> Any:
        import torch

        prompts = [self.prompt(text) for _, text in part]
        start = self.processor.tokenizer.bos_token
        # A template that writes the first token itself must not get a second one.
        options = {"add_special_tokens": False} if start and prompts[0].startswith(start) else {}
        pictures = [[picture] for picture, _ in part]
        inputs = self.processor(text=prompts, images=pictures, padding=True, return_tensors="pt", **options)
        return inputs.to(self.device, dtype=getattr(torch, self.dtype))

    def _generate(self, part: Sequence[Row], max_tokens: int) -> list[Reply]:
        import torch

        inputs = self._inputs(part)
        with torch.inference_mode():
            made = self._network.generate(**inputs, max_new_tokens=max_tokens)
        if not self._network.config.is_encoder_decoder:
            made = made[:, inputs["input_ids"].shape[1] :]
        ends = torch.tensor(self._network.generation_config.eos_token_id, device=made.device)
        ended = torch.isin(made, ends).any(dim=1).tolist()
        texts = self.processor.tokenizer.batch_decode(made, skip_special_tokens=True)
        return [text if done else CutOffError(text) for text, done in zip(texts, ended, strict=True)]

    def _first_token(self, part: Sequence[Row]) -> list[tuple[float, float]]:
        import torch

        yes, no = self.yes_no_tokens
        if not yes or not no:  # a word of several tokens has no probability that one pass could tell
            return [(0.0, 0.0)] * len(part)
        inputs = self._inputs(part)
        with torch.inference_mode():
            # generate, not a bare call: it numbers the positions so that padding does not count.
            made = self._network.generate(**inputs, max_new_tokens=1, output_logits=True, return_dict_in_generate=True)
        likely = made.logits[0].float().softmax(dim=-1)
        return [(float(row[yes].sum()), float(row[no].sum())) for row in likely.cpu()]

    @property
    def _of_the_source(self) -> dict[str, Any]:
        return {"trust_remote_code": False} | ({"revision": self.source.commit} if self.source.commit else {})

    def _loaded(self, load: Callable[[], R]) -> R:
        from safetensors import SafetensorError
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            return load()
        except (OSError, ValueError, RuntimeError, ImportError, KeyError, SafetensorError) as error:
            if is_out_of_memory(error):
                raise UserError(
                    f"judge '{self.source.owner}': its weights do not fit into what is free of the memory of "
                    f"'{self.device}'\n  end what else runs there, or use a smaller model or --judge openai:MODEL; "
                    "every picture and verdict is kept"
                ) from error
            raise self._unfit(f"cannot be loaded ({error})") from error

    def _unfit(self, why: str) -> DataError:
        where = shown(self.source.folder) if self.source.folder else self.source.text
        return DataError(
            [f"judge '{self.source.owner}': {where}: {why}"],
            "  needed: a vision-language model that transformers has a class for, with its processor, chat template "
            "and weights in .safetensors files",
        )


def _device_name(device: str) -> str:
    """Name the very kind of device, so that what fits into one is not believed of another."""
    if not device.startswith("cuda"):
        return device
    import torch

    return torch.cuda.get_device_name(device)
