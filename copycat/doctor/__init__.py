"""What is installed, reachable and missing: facts are gathered (`facts.py`, `network.py`), then judged (`findings.py`).

No fact holds a secret: of keys only the names, of addresses only the host.
"""
