"""The registry of works: shipped ones by name, the user's own files and folders, withheld ones."""

from copycat.fairuse.works.loading import SHIPPED, LoadedWork, load_works
from copycat.fairuse.works.withheld import GRAM_LETTERS, WithheldGrams, WithheldHit, withhold

__all__ = ["GRAM_LETTERS", "SHIPPED", "LoadedWork", "WithheldGrams", "WithheldHit", "load_works", "withhold"]
