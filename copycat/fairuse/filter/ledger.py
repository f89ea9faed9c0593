"""What may be shown: runs are joined to spans, their words counted against the policy's allowance.

Letters come in order, each once all windows that hold it are known. What is decided about a letter depends on those
before it and the window - 1 after it, so on no way to cut the text into pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from copycat.fairuse.filter.letters import FIFTHS, LetterStream
from copycat.fairuse.filter.matching import PROMPT, Run
from copycat.fairuse.filter.records import MAX_GAP_LETTERS, FoundSpan, Outcome, Policy
from copycat.fairuse.records import Work


@dataclass(slots=True)
class Span:
    """Runs along one work that follow each other, joined over small gaps. Letters of the output, end exclusive.

    Attributes:
        place: in the work, of the letter after the last.
        counts_from: its words count once it is so long; more than 0 behind text that may be copied, where the same
            next letter is often chance.
        noticed: the letter at which it was found; later than `start` where the near stage found it.
        beyond_from: the letter with which it became longer than allowed.
    """

    work: int
    start: int
    end: int
    place: int
    noticed: int
    counts_from: int = 0
    is_near: bool = True
    beyond_from: int | None = None


def outcomes_of(works: Sequence[Work], policy: Policy) -> tuple[Outcome, ...]:
    """Say what the policy lets be done with each work, whatever the length of a span."""
    allowed = frozenset(policy.allow_works)

    def outcome_of(work: Work) -> Outcome:
        if work.id in allowed or work.status in policy.allow:
            return "allowed"
        return "attributed" if work.status in policy.attribute else "quoted"

    return tuple(map(outcome_of, works))


class Ledger:
    """Goes through the letters of one output in order.

    Attributes:
        done: letters that are decided.
        open: spans that may become longer, by work.
        closed: those that may not, in the order in which they ended; of the first `settled`, the text is dealt with.
        is_blocked: more was found than may be shown, and the policy blocks.
    """

    def __init__(
        self, works: Sequence[Work], outcomes: Sequence[Outcome], policy: Policy, letters: LetterStream, window: int
    ) -> None:
        self.works, self.outcomes, self.policy = works, outcomes, policy
        self.done = 0
        self.open: dict[int, Span] = {}
        self.closed: list[Span] = []
        self.settled = 0
        self.is_blocked = False
        self._letters, self._window = letters, window
        self._trims = policy.beyond == "trim"
        self._used: dict[int, int] = {}
        self._was_exempt = self._is_cutting = False

    def decide(self, live: list[Run]) -> bool:
        """Decide the next letter by the runs that hold it; say whether it is cut out."""
        at = self.done
        here = [run for run in live if run.start <= at < run.end]
        outcomes = self.outcomes
        is_exempt = any(run.work == PROMPT or outcomes[run.work] == "allowed" for run in here)
        is_beyond = False
        for run in here:
            if not is_exempt or (run.work != PROMPT and outcomes[run.work] == "allowed"):
                is_beyond |= self._cover(run, at)
        if len(self.open) > len(here):
            self._close_old(at)
        self._was_exempt = is_exempt
        self.done = at + 1
        is_rest_of_word = self._is_cutting and not self._letters.begins[at]
        self._is_cutting = self._trims and (is_beyond or is_rest_of_word)
        return self._is_cutting

    def skip_to(self, letter: int) -> None:
        """Let letters pass that nothing was found in."""
        if letter > self.done:
            self.done = letter
            self._was_exempt = self._is_cutting = False

    def finish(self) -> None:
        """End every span: the output has no more letters."""
        for span in list(self.open.values()):
            self._close(span)

    def held_from(self) -> int | None:
        """Give the first letter that must wait: for the end of its span, or to be written anew; None: nothing waits."""
        if self._trims:
            return None
        waiting = [span.noticed for span in self.open.values() if self.outcomes[span.work] == "quoted"]
        waiting += [span.noticed for span in self.closed[self.settled :] if span.beyond_from is not None]
        return min(waiting, default=None)

    def settle(self) -> list[Span]:
        """Give the spans beyond the allowance that ended since the last time, once no quotation may become longer."""
        if any(self.outcomes[span.work] == "quoted" for span in self.open.values()):
            return []
        ended, self.settled = self.closed[self.settled :], len(self.closed)
        return [span for span in ended if span.beyond_from is not None]

    def found(self) -> tuple[FoundSpan, ...]:
        """Give the spans that ended, as records, in the order of the output."""
        starts, ends = self._letters.starts, self._letters.ends
        rows = [
            FoundSpan(
                work=self.works[span.work].id,
                title=self.works[span.work].title,
                start=starts[span.start],
                end=ends[span.end - 1],
                words=self.words(span.start, span.end),
                outcome=self.outcomes[span.work] if span.beyond_from is None else "beyond",
                is_near=span.is_near,
            )
            for span in self.closed
            if span.end - span.start >= span.counts_from
        ]
        return tuple(sorted(rows, key=lambda row: (row.start, row.end, row.work)))

    def words(self, start: int, end: int) -> int:
        """Count the words of letters start to end, parts of words up."""
        return -(-(self._letters.words[end] - self._letters.words[start]) // FIFTHS)

    # --------------------------------------------------------------------------- private

    def _cover(self, run: Run, at: int) -> bool:
        """Note that a letter is of a run; say whether it is beyond the allowance."""
        span = self.open.get(run.work)
        if span is not None and span.end > at:  # by another run along this work, which repeats itself
            return span.beyond_from is not None
        place = run.place + at - run.start
        if span is None or not self._goes_on(span, place, at):
            if span is not None:
                self._close(span)
            is_cut_off = self._was_exempt
            start = run.start if run.is_near and not is_cut_off else at
            span = Span(run.work, start, at, place, at, counts_from=self._window if is_cut_off else 0)
            self.open[run.work] = span
        span.end, span.place = at + 1, place + 1
        span.is_near &= run.is_near
        if span.beyond_from is None and self._is_too_long(span, at):
            span.beyond_from = at
            self.is_blocked |= self.policy.beyond == "block"
        return span.beyond_from is not None

    def _goes_on(self, span: Span, place: int, at: int) -> bool:
        return span.end == at or (
            at - span.end <= MAX_GAP_LETTERS and -MAX_GAP_LETTERS <= place - span.place <= 2 * MAX_GAP_LETTERS
        )

    def _is_too_long(self, span: Span, at: int) -> bool:
        if self.outcomes[span.work] != "quoted" or span.end - span.start < span.counts_from:
            return False
        words = self._letters.words[at + 1] - self._letters.words[span.start]
        used = self._used.get(span.work, 0)
        return words > FIFTHS * self.policy.quote_words or used + words > FIFTHS * self.policy.work_words

    def _close_old(self, at: int) -> None:
        for span in [span for span in self.open.values() if at - span.end >= MAX_GAP_LETTERS]:
            self._close(span)

    def _close(self, span: Span) -> None:
        del self.open[span.work]
        self.closed.append(span)
        if span.beyond_from is None:
            self.count_quoted(span, span.end)
        elif self.policy.beyond == "trim":
            self.count_quoted(span, span.beyond_from)

    def count_quoted(self, span: Span, end: int) -> None:
        """Note that a span was shown up to a letter: it counts among the words of its work."""
        words = self._letters.words[end] - self._letters.words[span.start]
        self._used[span.work] = self._used.get(span.work, 0) + words
