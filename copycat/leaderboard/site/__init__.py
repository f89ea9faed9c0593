"""The static site: one page for the board, one for each run, each character, and for comparing two runs."""
