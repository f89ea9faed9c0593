"""The check against truth: small sandbox models retrained with counts set by hand.

Source: the counterfactual that FIT / MIMETIC² names as the ideal and cannot afford (arXiv 2410.15002, section 2).

plan.py       who gets how many pictures in which world; settings.py: how large the worlds are
pictures.py   the bank of pictures that all worlds draw from
training.py   one world, from scratch, and pictures from it; scoring.py: what they come to
runner.py     all worlds, resumable, by one process or several
logistic.py   the dose-response; analysis.py: the estimate of each world against it; figure.py: both as a picture
"""
