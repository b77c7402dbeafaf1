"""Products: what can be ordered, at which price, and how many units there are."""
