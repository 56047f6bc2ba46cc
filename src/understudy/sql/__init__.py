"""Pure text per engine: names, types, DDL. No driver; what is returned here is sent by `adapters`."""
