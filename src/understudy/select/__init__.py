"""Selection: expressions (`tag:mart+`, `selectors.yml`) become trees, and trees become sets of nodes."""
