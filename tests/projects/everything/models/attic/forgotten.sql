select this is no SQL and {{ no jinja
