"""Orders: taken with their stock, confirmed once, canceled in time."""
