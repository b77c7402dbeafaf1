"""The system on one machine: how it is set up, started, watched and stopped.

The services know nothing of this package; `scripts/` calls it.
"""
