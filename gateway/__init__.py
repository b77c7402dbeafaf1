"""The front door: one origin for both services, the orchestrator behind HTTP, one document."""
