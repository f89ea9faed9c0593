"""Text in, text out that may be shown: `OutputFilter` for whole texts, `FilterStream` for a model that is writing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from copy import copy
from pathlib import Path

from copycat.errors import UserError
from copycat.fairuse.filter import index
from copycat.fairuse.filter.building import build_filter
from copycat.fairuse.filter.ledger import Ledger, Span, outcomes_of
from copycat.fairuse.filter.letters import LetterStream
from copycat.fairuse.filter.matching import Matcher, WithheldWork
from copycat.fairuse.filter.records import MAX_GAP_LETTERS, TRIM_MARK, Action, Decision, FoundSpan, Policy
from copycat.fairuse.records import Work
from copycat.fairuse.works import LoadedWork

KEPT = 4096
"""Letters of text that are kept after they were shown, before the memory is given back."""

Rewriter = Callable[[str], str]
"""A passage -> the same in other words; what it gives is looked at again, so it may fail and give the passage."""


class OutputFilter:
    """A built filter with a policy; safe to share between threads, each with its own streams.

    Args:
        folder: what `build_filter` wrote.
        rewriter: writes a passage anew, where the policy is to rewrite.

    Raises:
        UserError: the folder holds no filter, or the policy rewrites and there is no rewriter.
        DataError: the filter is damaged, or of another version.
    """

    def __init__(self, folder: Path, policy: Policy | None = None, rewriter: Rewriter | None = None) -> None:
        self.folder = folder
        self.file = index.read_filter_file(folder)
        indexed = index.read_works(folder, self.file)
        self.letters = index.WorkLetters(folder, indexed)
        self.index = index.GramIndex(folder, "", self.file, self.letters)
        self._near = None
        if self.file.near_window:
            near = index.GramIndex(folder, "near-", self.file, self.letters)
            self._near = (near, self.file.near_window, self.file.near_sample)
        grams = index.read_withheld(folder, self.file)
        self.withheld = [
            WithheldWork(len(indexed) + number, one, self.file.bloom_rate) for number, one in enumerate(grams)
        ]
        self.works = (*(row.work for row in indexed), *(one.file.work for one in grams))
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._set_policy(policy or Policy(), rewriter)

    @classmethod
    def of_works(
        cls, works: Iterable[LoadedWork], policy: Policy | None = None, rewriter: Rewriter | None = None
    ) -> OutputFilter:
        """Build a filter of a few works into a temporary folder that goes with it."""
        folder = tempfile.TemporaryDirectory(prefix="copycat-filter-")
        build_filter(works, Path(folder.name) / "filter")
        made = cls(Path(folder.name) / "filter", policy, rewriter)
        made._temporary = folder
        return made

    def with_policy(self, policy: Policy, rewriter: Rewriter | None = None) -> OutputFilter:
        """Give the same filter under another policy; both share what is loaded."""
        made = copy(self)
        made._set_policy(policy, rewriter or self.rewriter)
        return made

    def _set_policy(self, policy: Policy, rewriter: Rewriter | None) -> None:
        if policy.beyond == "rewrite" and rewriter is None:
            raise UserError("the policy rewrites, and there is nothing to rewrite with\n  name a model, or trim")
        self.policy, self.rewriter = policy, rewriter
        self.outcomes = outcomes_of(self.works, policy)
        self.allowed = frozenset(number for number, outcome in enumerate(self.outcomes) if outcome == "allowed")

    def check(self, text: str, prompt: str = "") -> Decision:
        """Decide on a whole output.

        Args:
            prompt: what the user wrote: it is no reproduction when the output repeats it.
        """
        stream = self.stream(prompt)
        stream.push(text)
        return stream.close()[1]

    def stream(self, prompt: str = "") -> FilterStream:
        """Begin an output that arrives in pieces."""
        return FilterStream(self, prompt)

    def matcher(self, output: LetterStream, prompt: str) -> Matcher:
        """Give a matcher for the letters of one output."""
        return Matcher(
            self.index,
            self.letters,
            self.withheld,
            window=self.file.window,
            seed=self.file.hash_seed,
            begins=output.begins,
            near=self._near,
            prompt=prompt,
            allowed=self.allowed,
        )


class FilterStream:
    """One output. What `push` and `close` give, put together, is the `text` of the decision, whatever the pieces.

    At most the last window of letters waits, and where the policy is to rewrite or to block, a quotation until it ends.
    """

    def __init__(self, owner: OutputFilter, prompt: str = "") -> None:
        self._owner, self._policy = owner, owner.policy
        self._letters = LetterStream()
        self._ledger = Ledger(owner.works, owner.outcomes, owner.policy, self._letters, owner.file.window)
        self._prompt = prompt
        self._matcher = owner.matcher(self._letters, prompt)
        self._window = owner.file.window
        self._text, self._base = "", 0  # the last of the text, and the place where it begins
        self._at = 0  # before it, all is shown or cut
        self._out: list[str] = []
        self._shown: list[str] = []
        self._is_cut = self._was_blocked = False
        self.is_closed = False
        self._rewrites = owner.policy.beyond == "rewrite"
        self._rewritten = 0

    @property
    def is_blocked(self) -> bool:
        """Whether nothing more will be shown, so that the model may stop."""
        return self._ledger.is_blocked

    def push(self, piece: str) -> str:
        """Take the next piece of the output; give what may be shown now."""
        self._text += piece
        self._take(self._letters.push(piece))
        if not self.is_blocked:
            self._show_until(self._ready())
        if self._at - self._base > KEPT:
            self._text, self._base = self._text[self._at - self._base :], self._at
        return self._given()

    def close(self) -> tuple[str, Decision]:
        """End the output; give the last of what may be shown, and the decision on all of it."""
        self.is_closed = True
        self._take(self._letters.close())
        self._matcher.finish()
        while self._ledger.done < self._matcher.seen:
            self._decide()
        self._ledger.finish()
        if not self.is_blocked:
            if self._rewrites:
                self._settle()
            self._show_until(self._base + len(self._text))
        spans = self._ledger.found()
        action = self._action(spans)
        if not self.is_blocked:
            self._out.extend(f"\n\n{line}" for line in self._citations(spans))
        given = self._given()
        return given, Decision(
            action=action, text="".join(self._shown), spans=spans, reason=self._reason(action, spans)
        )

    # --------------------------------------------------------------------------- letters

    def _take(self, letters: str) -> None:
        self._matcher.take(letters, self._decide_next)
        if not self._matcher.live and not self._ledger.open:
            self._ledger.skip_to(self._matcher.seen - self._window + 1)

    def _decide_next(self) -> bool:
        """Decide the letters that no later window holds; say whether spans are open."""
        ledger, decided = self._ledger, self._matcher.seen - self._window + 1
        if not ledger.open:
            ledger.skip_to(decided - 1)  # nothing was found in the letters until this one
        while ledger.done < decided:
            self._decide()
        return bool(ledger.open)

    def _decide(self) -> None:
        """Decide the next letter; cut it where it is beyond the allowance."""
        matcher, ledger = self._matcher, self._ledger
        at = ledger.done
        is_cut = ledger.decide(matcher.live)
        if any(not run.is_open for run in matcher.live):
            matcher.live = [run for run in matcher.live if run.is_open or run.end > at + 1]
        if is_cut:
            if not self._is_cut:
                self._show_until(self._letters.starts[at])
                self._out.append(TRIM_MARK)
            self._at = max(self._at, self._letters.ends[at])
        self._is_cut = is_cut
        if ledger.is_blocked and not self._was_blocked:
            self._was_blocked = True
            held = ledger.held_from()
            self._show_until(self._letters.starts[at if held is None else held])
        if self._rewrites and len(ledger.closed) > ledger.settled:
            self._settle()

    # --------------------------------------------------------------------------- text

    def _ready(self) -> int:
        """Give the place before which the text is decided."""
        if self._is_cut:
            return self._at
        first = self._ledger.done
        if (held := self._ledger.held_from()) is not None:
            first = min(first, held)
        starts = self._letters.starts
        return starts[first] if first < len(starts) else self._letters.place

    def _show_until(self, place: int) -> None:
        if place > self._at:
            self._out.append(self._text[self._at - self._base : place - self._base])
            self._at = place

    def _given(self) -> str:
        given = "".join(self._out)
        self._out = []
        self._shown.append(given)
        return given

    # --------------------------------------------------------------------------- rewriting

    def _settle(self) -> None:
        """Write anew what ended since the last time and is beyond the allowance; overlapping spans at once."""
        together: list[list[Span]] = []
        for span in sorted(self._ledger.settle(), key=lambda span: (span.noticed, span.end)):
            if together and span.noticed < max(other.end for other in together[-1]):
                together[-1].append(span)
            else:
                together.append([span])
        for spans in together:
            self._rewrite(spans)

    def _rewrite(self, spans: list[Span]) -> None:
        """Show a passage in other words, or what may be quoted of it where those copy too."""
        letters = self._letters
        start, end = min(span.noticed for span in spans), max(span.end for span in spans)
        for _ in range(MAX_GAP_LETTERS):  # to the end of the word
            if end >= len(letters.begins) or letters.begins[end]:
                break
            end += 1
        self._show_until(letters.starts[start])
        after = letters.ends[end - 1]
        passage = self._text[self._at - self._base : after - self._base]
        written = self._written_anew(passage)
        if written is None:
            first = min(span.beyond_from for span in spans if span.beyond_from is not None)
            self._show_until(letters.starts[first])
            self._out.append(TRIM_MARK)
            for span in spans:
                self._ledger.count_quoted(span, max(first, span.start))
        else:
            self._rewritten += 1
            self._out.append(written)
        self._at = max(self._at, after)

    def _written_anew(self, passage: str) -> str | None:
        """Ask for other words, and others than those, until nothing is beyond the allowance; None where it stays."""
        checker = self._owner.with_policy(self._policy.model_copy(update={"beyond": "trim", "cite": False}))
        written = passage
        for _ in range(self._policy.rewrites):
            assert self._owner.rewriter is not None  # noqa: S101 - checked when the filter was made
            written = self._owner.rewriter(written)
            if all(span.outcome != "beyond" for span in checker.check(written, self._prompt).spans):
                return written
        return None

    # --------------------------------------------------------------------------- the decision

    def _action(self, spans: tuple[FoundSpan, ...]) -> Action:
        if self.is_blocked:
            return "block"
        outcomes = {span.outcome for span in spans}
        if "beyond" in outcomes:
            return "rewrite" if self._rewritten else "trim"
        return "attribute" if self._citations(spans) else "allow"

    def _citations(self, spans: tuple[FoundSpan, ...]) -> list[str]:
        """Give a line for each work that is shown with its source."""
        cited = {"attributed"} | ({"quoted", "beyond"} if self._policy.cite else set())
        ids = {span.work for span in spans if span.outcome in cited}
        return [f"[{_source_of(work)}]" for work in self._owner.works if work.id in ids]

    def _reason(self, action: Action, spans: tuple[FoundSpan, ...]) -> str:
        beyond = [span for span in spans if span.outcome == "beyond"]
        if not beyond:
            return {"allow": "", "attribute": "shown with its source"}.get(action, "")
        longest = max(beyond, key=lambda span: span.words)
        policy = self._policy
        return (
            f"{longest.words} words of '{longest.title}'; {policy.quote_words} of one passage may be quoted, "
            f"{policy.work_words} of one work"
        )


def _source_of(work: Work) -> str:
    by = f" by {work.author}" if work.author else ""
    licence = f", {work.licence}" if work.licence else ""
    return f'From "{work.title}"{by}{licence}'
