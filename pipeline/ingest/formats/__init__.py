"""One module per file format; the table below says which reads what."""
