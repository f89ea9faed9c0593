"""N-gram blocking while a model decodes: the tokens that would complete a window of a work are forbidden.

After MemFree (Ippolito et al., arXiv 2210.17546), which looks n-grams of tokens up in a Bloom filter and so misses a
text in capitals or with other spaces, since its tokens are others. Here the windows are of canonical letters, the same
as in the output filter: neither the tokenizer nor capitals, spaces, digits for letters or look-alikes matter. What it
cannot see: changed words (that is the near stage of the output filter), and letters whose bytes are split over tokens
until the last of them is there.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from copycat.errors import UserError
from copycat.fairuse.filter.hashing import window_hashes
from copycat.fairuse.filter.letters import LetterStream

if TYPE_CHECKING:
    import torch

    from copycat.fairuse.filter.streaming import OutputFilter

PREFIX_LETTERS = 12
"""A place in a work is watched once so many letters are the same; no token completes the rest unseen."""

TAIL_TOKENS_MORE = 16
"""Tokens that are decoded beyond one for each letter of a window; more where they hold too few letters."""

_LAST = chr(0x10FFFF)


class BlockedNgrams:
    """A logits processor of transformers: `model.generate(..., logits_processor=LogitsProcessorList([it]))`.

    The first call of a generation tells where the prompt ends: one that is not a token longer than the last, or begins
    otherwise. (A prompt that is an earlier one with its whole answer counts as that answer going on.) Windows of the
    prompt are not forbidden, nor are those of works that the filter's policy allows. The quotation allowance does not
    act here: no window is ever completed. Of a withheld work nobody knows the next letters, so it is stopped with the
    token after the one that completes a window.

    Args:
        owner: a built filter.
        tokenizer: of the model.
        letters: how many canonical letters of a work in a row are one too many; the filter's window, if not given.

    Raises:
        UserError: `letters` is smaller than the filter's window.
    """

    def __init__(self, owner: OutputFilter, tokenizer: Any, letters: int | None = None) -> None:
        self.letters = letters or owner.file.window
        if self.letters < owner.file.window:
            raise UserError(
                f"{self.letters} letters are fewer than the filter's window of {owner.file.window}\n"
                f"  build the filter with --window {self.letters}"
            )
        self._owner, self._tokenizer = owner, tokenizer
        self._allowed = owner.allowed
        self._withheld = [work for work in owner.withheld if work.number not in self._allowed]
        self._prefix = min(PREFIX_LETTERS, owner.file.window - 1)
        self._hashes, self._places = self._watched()
        self._spelt, self._ids = _vocabulary(tokenizer)
        self._first = _by_first_letter(self._spelt, self._ids)
        self._seen_length = self._prompt_length = -1
        self._prompt_ids: list[list[int]] = [[]]
        self._prompts: list[frozenset[str]] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Forbid tokens.

        Shapes:
            input_ids: (rows, tokens so far), the prompt first.
            scores: (rows, vocabulary); left as they are.
            returns: (rows, vocabulary), minus infinity for what is forbidden.
        """
        length = int(input_ids.shape[1])
        if length != self._seen_length + 1 or input_ids[:, : len(self._prompt_ids[0])].tolist() != self._prompt_ids:
            self._prompt_length, self._prompt_ids = length, input_ids.tolist()
            self._prompts = [self._prompt_windows(row) for row in self._prompt_ids]
        self._seen_length = length
        if length == self._prompt_length:
            return scores
        copied = None
        for row, ids in enumerate(input_ids[:, self._prompt_length :].tolist()):
            tail = self._tail(ids)
            if forbidden := self.forbidden_after(tail, self._prompts[row]):
                copied = scores.clone() if copied is None else copied
                copied[row, forbidden] = float("-inf")
        return scores if copied is None else copied

    def forbidden_after(self, tail: str, prompt: frozenset[str] = frozenset()) -> list[int]:
        """Give the tokens that would complete a window.

        Args:
            tail: canonical letters of the output so far; its last `letters` are enough.
            prompt: windows of the prompt, which may be repeated.
        """
        forbidden: set[int] = set()
        for start, place in self._watched_in(tail):
            rest = self._owner.letters.read(place, self.letters)
            same = len(tail) - start
            if len(rest) == self.letters and rest[:same] == tail[start:] and rest[-self._window :] not in prompt:
                forbidden.update(self._beginning_with(rest[same:]))
        if self._withheld and len(tail) >= self._window - 1:
            forbidden.update(self._withheld_after(tail, prompt))
        return sorted(forbidden)

    # --------------------------------------------------------------------------- private

    @property
    def _window(self) -> int:
        return self._owner.file.window

    def _tail(self, ids: list[int]) -> str:
        """Give the last letters of the output so far, from as many tokens as that takes: most may be spaces."""
        count = self.letters + TAIL_TOKENS_MORE
        while True:
            letters = _letters_of(self._tokenizer.decode(ids[-count:], skip_special_tokens=True))
            if len(letters) >= self.letters or count >= len(ids):
                return letters[-self.letters :]
            count *= 2

    def _prompt_windows(self, ids: list[int]) -> frozenset[str]:
        letters = _letters_of(self._tokenizer.decode(ids, skip_special_tokens=True))
        return frozenset(letters[i : i + self._window] for i in range(len(letters) - self._window + 1))

    def _watched(self) -> tuple[Any, Any]:
        """Give the hashes of the first letters of each window of the works, sorted, and the windows' places."""
        import numpy as np

        file, letters = self._owner.file, self._owner.letters
        places = np.sort(self._owner.index.places().astype(np.int64))
        hashes, kept = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        for number, work in enumerate(letters.works):
            if number in self._allowed:
                continue
            here = places[np.searchsorted(places, work.first) : np.searchsorted(places, work.first + work.letters)]
            codes = np.frombuffer(letters.read(work.first, work.letters).encode("utf-32-le"), np.uint32)
            hashes.append(window_hashes(codes, self._prefix, file.hash_seed)[here - work.first])
            kept.append(here)
        all_hashes, all_places = np.concatenate(hashes), np.concatenate(kept)
        order = np.argsort(all_hashes, kind="stable")
        return all_hashes[order], all_places[order]

    def _watched_in(self, tail: str) -> list[tuple[int, int]]:
        """Find where in the tail the beginning of a window stands: its start there, and its place in the works."""
        import numpy as np

        skipped = max(0, len(tail) - self.letters + 1)
        codes = np.frombuffer(tail[skipped:].encode("utf-32-le"), np.uint32)
        wanted = window_hashes(codes, self._prefix, self._owner.file.hash_seed)
        low, high = np.searchsorted(self._hashes, wanted, "left"), np.searchsorted(self._hashes, wanted, "right")
        return [
            (skipped + int(start), place)
            for start in np.flatnonzero(high > low)
            for place in self._places[low[start] : high[start]].tolist()
        ]

    def _beginning_with(self, rest: str) -> list[int]:
        """Give the tokens whose letters begin with these."""
        return self._ids[bisect_left(self._spelt, rest) : bisect_left(self._spelt, rest + _LAST)]

    def _withheld_after(self, tail: str, prompt: frozenset[str]) -> set[int]:
        """Give the tokens whose first letter completes a window of a withheld work."""
        begun = tail[len(tail) - self._window + 1 :]
        forbidden: set[int] = set()
        for letter, ids in self._first.items():
            window = begun + letter
            hashed = window.encode("utf-8")
            if window not in prompt and any(work.find(work.hash(hashed)) for work in self._withheld):
                forbidden.update(ids)
        return forbidden


def _letters_of(text: str) -> str:
    stream = LetterStream()
    return stream.push(text) + stream.close()


def _vocabulary(tokenizer: Any) -> tuple[list[str], list[int]]:
    """Give the canonical letters of all tokens that have some, sorted, and the tokens in that order."""
    special = set(tokenizer.all_special_ids)
    ids = [number for number in range(len(tokenizer)) if number not in special]
    texts = tokenizer.batch_decode([[number] for number in ids])
    spelt = sorted((letters, number) for number, text in zip(ids, texts, strict=True) if (letters := _letters_of(text)))
    return [letters for letters, _ in spelt], [number for _, number in spelt]


def _by_first_letter(spelt: list[str], ids: list[int]) -> dict[str, list[int]]:
    by_letter: dict[str, list[int]] = {}
    for letters, number in zip(spelt, ids, strict=True):
        by_letter.setdefault(letters[0], []).append(number)
    return by_letter
