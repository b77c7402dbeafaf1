"""Looks for what may never be in the database: read-only, on one snapshot of a live one."""
