"""The Orders API: products with their stock, and orders that take it exactly once."""
