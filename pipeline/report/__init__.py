"""The report: content from named queries, charts, templates, files in a dated folder.

In: a published warehouse. Out: HTML, Markdown, CSV, JSON, Parquet, XLSX.
Imported by tuning, service and cli; imports the rooms before it.
"""
