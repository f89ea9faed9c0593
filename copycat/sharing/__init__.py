"""The suite and the results of runs as folders that the Hub, `datasets` and Croissant understand; and the way back.

`suite_export.py`, `run_export.py` and `model_cards.py` write, `suite_download.py` fetches, `prompt_lists.py` takes up
prompts that others wrote, `checking.py` looks for faults.
"""
