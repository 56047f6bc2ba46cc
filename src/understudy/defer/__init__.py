"""The centre: which relation stands for a node in this run. `decide` holds the rule, `resolution` applies it to all nodes once."""
