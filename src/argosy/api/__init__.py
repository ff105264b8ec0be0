"""What a kind is: its resource, its schema, its defaults, its rules, its columns. Pure."""
