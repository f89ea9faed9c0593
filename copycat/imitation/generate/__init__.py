"""From concepts to pictures: the named arm and its controls, by the project's own models and runner.

prompts.py     templates, and each with a concept in it; arms.py: which control asks whom
generating.py  the runs of a study, and generations.json; pictures.py: which picture is of whom, in a study or a folder
"""
