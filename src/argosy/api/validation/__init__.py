"""What a schema can't say: each kind's own rules, one group a file; `table` is all there is."""
