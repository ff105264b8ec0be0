"""Which claim has which volume, where volumes come from, and what becomes of them."""
