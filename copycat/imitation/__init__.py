"""The imitation threshold: how many training pictures of a concept until a model imitates it.

Source: FIT / MIMETIC² (Verma et al., arXiv 2410.15002), rebuilt with controls, intervals and a check against the truth.

records.py         what passes between the stages; tables.py: the same as CSV, JSONL or Parquet of a user's own
concepts.py        who is counted: a character set, or a user's file of names and aliases
counting.py        captions -> counts, duplicates discounted; verification.py: what the pictures really show
generating.py      concepts -> pictures, with control arms, by the project's own models and runner
embedders/         pictures -> unit vectors, by domain; scoring.py: vectors -> scores
estimators/        scores against counts -> where imitation starts; analysis.py: bracket and verdict
report.py          everything -> report.json and report.html
counterfactual/    small sandbox models retrained with counts set by hand: the estimate against the truth
"""
