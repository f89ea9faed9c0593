"""Where the records of a dataset come from, under which licence and signals, and how they leave it again.

Source: "Towards Best Practices for Open Datasets for LLM Training" (arXiv 2501.08365): its practices as checks.
A folder for each question; all of them read a dataset through `dataset/`, which never holds it in memory:

dataset/      a folder, Parquet, JSONL, WebDataset or Hub-style dataset -> its files, its card, batches of records
rules/        the table of rules (L1 to R1) and what runs them: batches -> findings
check/        findings -> terminal, JSON, SARIF, HTML
signals/      robots.txt, headers, tdmrep.json, pictures -> allow, deny or unknown for each use
licences/     SPDX expressions, their duties, and whether they go together
manifest/     Croissant and a record-level table; Merkle root; what differs between two versions
lookup/       "am I in it?"
removal/      tombstones, and what follows from them: splits, counts, exposure
datasheet/    how complete a card is; personal data; what the law asks to be published
usable/       licence and signals together: which records may be used for a purpose
own/          the same applied to what this project ships

records.py    what passes between them
"""
