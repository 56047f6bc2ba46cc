"""The edge to target/ and to states: versioned structs of the artifacts, atomic writes, finding and reading a state."""
