"""Ask a model for works in many ways, and measure how much of them its answers hold.

axes.py        what a user types -> the axes of a run
prompts.py     the wording of requests (prompts.yaml), and of evasions
plan.py        works x axes -> requests in order, a key each
backends/      who answers: a model on this machine, a service, a file of ready answers
continuing.py  ask, feed the end of the answer back, ask again
runner.py      the journal: append, resume, stop for money
measuring.py   an answer against its work, in figures and places
summary.py     figures by work, by axis, beside controls -> measures.json
gate.py        limits for a regression gate, and stretches that an earlier run did not have
page.py        report.html of the run
job.py         all of it, read top to bottom
"""
