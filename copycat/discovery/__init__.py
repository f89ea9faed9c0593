"""Discovery: which innocent words bring a character back; candidates, rankers, and search for triggers."""
