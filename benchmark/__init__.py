"""Measuring: big data, load, floors, CPU per request; nothing of it runs in the services."""
