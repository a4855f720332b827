"""A centre of some years: `make big-data` makes 300,000 persons and 1,000,000 orders with all that hangs on them."""
