"""One pipeline: load > parse > link > diff > select > defer > compile > execute > write; and what it tells people."""
