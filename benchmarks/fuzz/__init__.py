"""A campaign of hostile inputs: seeded, bounded, every input reproducible by its number."""
