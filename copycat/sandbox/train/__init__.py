"""Train the sandbox's models from scratch: `python -m copycat.sandbox train`."""
