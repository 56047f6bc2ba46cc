"""The command line: arguments become options, events become text. Nothing here knows how anything is done."""
