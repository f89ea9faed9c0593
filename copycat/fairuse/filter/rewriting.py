"""A language model that writes passages anew; what it answers is looked at again by the filter."""

from __future__ import annotations

import logging

from copycat.errors import BackendError
from copycat.fairuse.filter.streaming import Rewriter
from copycat.llm import LanguageModel

log = logging.getLogger(__name__)

INSTRUCTION = """\
Write the passage anew in your own words. Keep what it says, change how it says it: other words, another order, other \
sentences. Quote nothing: no four words in a row may stay as they are, apart from names. About the same length. Answer \
with the new passage alone."""


def rewriter_of(llm: LanguageModel, max_tokens: int = 1024) -> Rewriter:
    """Make a rewriter; where the model refuses or fails, it gives the passage as it was, which is then trimmed."""

    def rewrite(passage: str) -> str:
        try:
            return llm.complete(INSTRUCTION, passage, max_tokens=max_tokens)
        except BackendError as error:
            log.warning("a passage was not written anew: %s", error)
            return passage

    return rewrite
