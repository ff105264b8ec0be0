"""CEL, one engine for every rule that people write: CRDs, policies, selectors, match conditions."""
