"""One plugin a file; `table` lists them in the order in which they are asked."""
