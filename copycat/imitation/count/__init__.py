"""From captions to counts: how many training pictures a concept has, duplicates discounted, matchers' errors corrected.

counting.py      the arithmetic: raw, exact and near counts; near.py: which pictures are near duplicates
verification.py  what pictures really show, by a sample; adjusting.py: counts corrected by it and by dead links
files.py         counts.csv and counts.json
"""
