"""The imitation threshold: how many training pictures of a concept until a model imitates it.

Source: FIT / MIMETIC² (Verma et al., arXiv 2410.15002), rebuilt with controls, intervals and a check against the truth.
A folder for each command, in the order in which they work; each takes files, and can be used alone:

count/             captions -> counts
generate/          concepts -> pictures, with control arms
score/             pictures -> scores against references
threshold/         scores against counts -> where imitation starts
report/            everything -> report.json and report.html
counterfactual/    small sandbox models retrained with counts set by hand: the estimate against the truth

records.py         what passes between them; tables.py: the same as CSV, JSONL or Parquet of a user's own
concepts.py        who is studied: a character set, or a user's file; whose.py: whom a name in a file means
"""
