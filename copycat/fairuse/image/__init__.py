"""Pictures against references, rung by rung: from the same file to the same character.

ladder     `copycat.measures.ladder` is the core; here pictures of a folder go up it, and a judge says who is shown
page       each picture beside its nearest reference, blurred until it is asked for
"""
