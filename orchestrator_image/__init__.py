"""The orchestrator: a Lambda that creates and confirms an order in one call."""
