"""Which work an output's words come from, and where in it they stand.

index      works -> a suffix array over their canonical letters, on disk
search     an output against it: longest spans, works ranked, novelty
infini     the same questions to an index of infini-gram, for corpora that do not fit
"""
