"""Language models: what their answers are read with."""
