"""The report: a choice of reviews (scope), what named queries say about them (content, pain_points, segments, sources), charts
(figures, charts), templates (render), files in a dated folder (build, export, workbook), and a summary for the command line
(digest).

In: a published warehouse, open. Out: HTML, Markdown, CSV, JSON, Parquet, XLSX.
Imported by tuning, service and cli; imports the rooms before it.
"""
