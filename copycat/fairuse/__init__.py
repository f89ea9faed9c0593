"""How much of given works a model reproduces, verbatim or nearly, and what filters change: facts, never a verdict.

After "Foundation Models and Fair Use" (Henderson et al., arXiv 2303.15715) and the measurements that followed it.

    works/     what is looked for: public-domain and invented works, the user's own, withheld ones (hashes alone)
    text/      words with their places; the canonical form in which evasions are equal
    metrics/   pure: output and reference -> how much they share, and where
    compare/   two texts side by side
    extract/   ask a model for works, in many ways, and measure its answers
    filter/    stop reproduction while a model writes
    code/      fingerprints of code, files, licences, duties
    image/     the ladder from exact copies to characters
    attribution/  which work, and where
    report/    facts by the four factors of 17 U.S.C. 107
    world/     a small language model with invented works planted a known number of times
"""
