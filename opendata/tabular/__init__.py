"""The row path: one query language over published tables, for the page, the API and every download.

`filters` turns a query string into a `RowQuery`, `engine` answers it from the version's Parquet file,
`export` writes the same rows as CSV, JSON, Parquet or Arrow. Nothing here knows Flask, people or datasets.
"""
