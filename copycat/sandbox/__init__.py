"""The embedded world: 50 invented characters whose every fact is known.

world     who the characters are and how often each appears (pure)
renderer  an appearance -> a 64x64 picture
captions  an appearance -> a caption as the web would write it
corpus    the whole training set, from one seed, as pictures and a Parquet of captions
train/    VAE, text encoder + UNet, judge and oracle, trained from scratch
oracle    which attributes a picture shows, whatever the judge says
measure   the figures of docs/sandbox.md
"""
