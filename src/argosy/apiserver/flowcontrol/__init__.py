"""API Priority and Fairness: whose request is next, and who is asked to come back later."""
