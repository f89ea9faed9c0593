"""The command lines: they parse, call one function, print. No logic here."""
