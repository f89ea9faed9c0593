"""The same questions to an index of infini-gram (Liu et al., arXiv 2401.17377): corpora of many gigabytes on disk.

Its package makes the index, from JSON lines with `text`, and with `id` for the name of a work:

    python -m infini_gram.indexing --data_dir /DATA --save_dir /DIR --token_dtype u8 --add_metadata --mem 4

Letters are compared as the tokenizer gives them: no canonical form, so an evasion is another text here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from copycat.errors import DataError, MissingExtraError, UserError
from copycat.fairuse.attribution.records import Attribution, IndexFacts, Place, SourcedSpan
from copycat.fairuse.attribution.search import MAX_PLACES, novelty_of, rank_works
from copycat.paths import shown

BYTES = "bytes"
"""The tokenizer of an index that was made without one: a token is a byte of UTF-8."""

TOKENS_PER_WORD = {BYTES: 5.0}
OTHER_TOKENS_PER_WORD = 1.3
MAX_OCCURRENCES = 200
"""A span that occurs more often is a common phrase, and left out."""

_VOCABULARY = {"u8": 255, "u16": 65_535, "u32": 4_294_967_295}


class _Cut(NamedTuple):
    """An output as tokens, and the letters of the output that each stands for."""

    ids: list[int]
    places: Sequence[tuple[int, int]]


class InfiniGram:
    """An index of infini-gram, opened when it is first asked.

    Args:
        folder: where the index is.
        tokenizer: 'bytes', or the folder or Hub name of the tokenizer that the index was made with.
        token_dtype: u8, u16 or u32; None for that of the tokenizer: u8 for bytes, else u16.

    Raises:
        UserError: there is no index in the folder.
        MissingExtraError: the package infini-gram is not installed.
    """

    def __init__(self, folder: Path, tokenizer: str = BYTES, token_dtype: str | None = None) -> None:
        if not any(folder.glob("tokenized.*")):
            raise UserError(
                f"{shown(folder)} holds no index of infini-gram (tokenized.0, table.0, offset.0)\n"
                "  make one: python -m infini_gram.indexing --help"
            )
        self.folder, self.tokenizer = folder, tokenizer
        self.token_dtype = token_dtype or ("u8" if tokenizer == BYTES else "u16")
        self._tokenizer: Any = None if tokenizer == BYTES else _load_tokenizer(tokenizer)
        self.engine: Any = self._open()  # Any: the package's answers are dictionaries of its own

    def count(self, text: str) -> int:
        """Count how often a text occurs."""
        return int(_answer(self.engine.count(self._cut(text).ids))["count"])

    def facts(self) -> IndexFacts:
        """Say what is searched."""
        n_works = sum(path.stat().st_size // 8 for path in self.folder.glob("offset.*"))
        return IndexFacts(kind="infini-gram", works=n_works)

    def attribute(self, output: str, name: str = "output", min_words: int = 6) -> Attribution:
        """Find the documents that hold spans of an output, and how much of it is new.

        Args:
            min_words: turned into tokens, 5 for each word of bytes and 1.3 of another tokenizer.
        """
        cut = self._cut(output)
        if not cut.ids:
            return Attribution(output=name, words=0, works=(), spans=(), novelty={})
        min_tokens = round(min_words * TOKENS_PER_WORD.get(self.tokenizer, OTHER_TOKENS_PER_WORD))
        answer = _answer(
            self.engine.attribute(
                input_ids=cut.ids, delim_ids=[], min_len=min_tokens, max_cnt=MAX_OCCURRENCES, enforce_bow=False
            )
        )
        found = [(self._span(span, cut), range(span["l"], span["r"])) for span in answer["spans"]]
        ends = _answer(self.engine.creativity(cut.ids))["rs"]
        return Attribution(
            output=name,
            words=len(cut.ids),
            works=rank_works(found, {}, len(cut.ids)),
            spans=tuple(span for span, _ in found),
            novelty=novelty_of([end - i for i, end in enumerate(ends)]),
        )

    # ------------------------------------------------------------------------------ private

    def _open(self) -> Any:
        try:
            from infini_gram.engine import InfiniGramEngine
        except ImportError as error:
            raise MissingExtraError(
                "the package infini-gram is not installed\n  install it: pip install 'copycat[index]'"
            ) from error
        size = _VOCABULARY[self.token_dtype]
        end = getattr(self._tokenizer, "eos_token_id", None)
        return InfiniGramEngine(
            index_dir=str(self.folder),
            eos_token_id=min(size - 1, int(end)) if end is not None else size - 1,
            vocab_size=size,
            token_dtype=self.token_dtype,
        )

    def _cut(self, text: str) -> _Cut:
        if self._tokenizer is None:
            places = [(i, i + 1) for i, letter in enumerate(text) for _ in letter.encode("utf-8", "replace")]
            return _Cut(list(text.encode("utf-8", "replace")), places)
        cut = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return _Cut([int(i) for i in cut["input_ids"]], cut["offset_mapping"])

    def _span(self, span: Any, cut: _Cut) -> SourcedSpan:
        names = Counter(self._names(cut.ids[span["l"] : span["r"]]))
        return SourcedSpan(
            start=cut.places[span["l"]][0],
            end=cut.places[span["r"] - 1][1],
            words=span["length"],
            works=tuple(sorted(names)),
            occurrences=span["count"],
            places=tuple(Place(work=name) for name in sorted(names.elements())[:MAX_PLACES]),
        )

    def _names(self, ids: list[int]) -> Iterator[str]:
        """Name the document of each occurrence.

        By rank: version 2.6 refuses odd pointers to documents, which an index of bytes has.
        """
        for shard, (first, last) in enumerate(_answer(self.engine.find(ids))["segment_by_shard"]):
            for rank in range(first, last):
                yield _name_of(_answer(self.engine.get_doc_by_rank(s=shard, rank=rank, max_disp_len=1)), shard)


def _name_of(document: Any, shard: int) -> str:
    """Name a document: by `id` or `title` of its line, else by file and line, else by its number."""
    try:
        about = json.loads(document["metadata"])
        line = f"{about['path']}:{about['linenum'] + 1}"
        return str(about["metadata"].get("id") or about["metadata"].get("title") or line)
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"document {document['doc_ix']} of shard {shard}"


def _answer(answer: Any) -> Any:
    """Give what the engine answered.

    Raises:
        DataError: it says that the question is wrong: the tokens are not of this index.
    """
    if isinstance(answer, dict) and "error" in answer:
        raise DataError(
            [f"infini-gram: {answer['error']}"],
            "  name the tokenizer that the index was made with: --tokenizer bytes, or a folder",
        )
    return answer


def _load_tokenizer(name: str) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(name, use_fast=True)
    except (OSError, ValueError) as error:
        raise UserError(
            f"there is no tokenizer '{name}' ({type(error).__name__})\n"
            "  needed: bytes, or the folder or Hub name of the tokenizer that the index was made with"
        ) from error
