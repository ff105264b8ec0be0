"""Dynamic resource allocation: which devices there are, who has them, who gets them next."""
