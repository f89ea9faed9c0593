"""Which files of a corpus a piece of code shares its shape with: fingerprints, places, licences, duties.

tokens     code -> tokens that renaming, comments and layout leave as they are
winnow     tokens -> fingerprints, with the promise that a long enough shared span has one in common
corpus     a folder of files -> an index of fingerprints
compare    an output against the index: shared spans, with lines on both sides
licences   the licence of a file, and what tells it
duties     what a licence asks for, as a table
"""
