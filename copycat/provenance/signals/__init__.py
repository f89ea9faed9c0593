"""What rights holders say in machine-readable forms -> allow, deny or unknown, for each use.

sources.py     the table of forms, with the standard of each
terms.py       the words of the standards -> our uses, in one table
recorded.py    what a server answered, as records and as files; nothing here asks the network but live.py
robots.py      robots.txt: groups of user agents (RFC 9309)       agents.json   which agent fetches for what
aipref.py      Content-Usage (IETF AIPREF) and Content-Signal, of robots.txt and of headers
tdmrep.py      TDM Reservation Protocol: file, headers, HTML; publications.py: EPUB and PDF
robots_tags.py X-Robots-Tag, meta robots: noai, noimageai, noindex
rsl.py         Really Simple Licensing
embedded.py    what a picture says inside itself: xmp.py (PLUS, TDMRep), credentials.py (C2PA, CAWG)
reading.py     all of them about one address -> signals
combining.py   signals -> one decision; what policy makes of unknown
columns.py     a batch of a dataset -> decisions; kept.py: what it keeps of signals   counting.py: all of its batches
files.py       recorded answers <-> files                rules.py   S1 to S5      drift.py   then and now
live.py        fetches, only where the user asks for it

Two principles. A permission counts only as the standard writes it; a refusal counts also where its form is faulty but
its meaning is plain. And what cannot be read is `unknown`, with a note: it is never read as a permission.
"""

from copycat.provenance.signals.combining import combine, policy_answer, resolve
from copycat.provenance.signals.reading import read_signals
from copycat.provenance.signals.recorded import Header, Recorded, Response

__all__ = ["Header", "Recorded", "Response", "combine", "policy_answer", "read_signals", "resolve"]
