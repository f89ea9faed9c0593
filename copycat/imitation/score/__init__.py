"""From pictures to scores: similarity to references that are chosen before any picture is looked at.

references.py  which pictures a concept is compared with; leaks.py: those of them that are generated pictures too
embedders/     pictures -> unit vectors, by domain; embedding.py: none is embedded twice; material.py: vectors by cell
scoring.py     the arithmetic: raw, z, identification, match; stage.py: the stage, with scores.csv and scores.json
"""
