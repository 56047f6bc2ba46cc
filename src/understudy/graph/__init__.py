"""Names become edges, and edges a graph: `link` says which node a reference names, `dag` walks what depends on what."""
