"""The run folder: journal, resume, atomic finish, and the report."""
