"""Attacks that look into a model: searched by gradients on its weights, and saved to be put into prompts later.

How the data flow: concept -> prompts -> pictures of the original and of the attacked model -> search -> pictures under
attack -> judge -> attack.json. What is found is used again by `copycat.attacks.saved`.

prompts.py         the prompts of a concept, each with its seed
settings.py        the settings of each method, and its presets
simplex.py         relaxed tokens: the projection, and the straight-through choice
unlearndiffatk.py  tokens in front of a prompt
cce.py             embeddings learned from pictures
victim.py          the attacked model: drawing and judging, and taken apart
job.py             what was asked for -> what will be done, everything checked; loads no weights
folder.py          what lies in its folder, and whose it is
desk.py            what the loops have in common
searching.py       the loops of the methods that search
running.py         from a plan to attack.json; a kill does not set it back
sheet.py           pure: sheet.html, the pictures of each prompt side by side
rates.py           pure: how often it succeeded, before and after
"""

from __future__ import annotations
