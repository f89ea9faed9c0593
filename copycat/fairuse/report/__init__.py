"""Facts of a run by the four factors of 17 U.S.C. 107; what they come to is for others to say.

statements.py  what a user states of purpose and market (YAML)
sheet.py       a run -> facts by factor
page.py        sheet.json and sheet.html
"""
