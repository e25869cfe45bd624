"""A generic search service; it knows no dataset.

Read in this order: `port` (what is said and heard), `analysis` (text to words), `query` and `parsing`
(a typed line to a tree), `fields`, `folder` and `engines` (how an index is kept and asked), `highlight`,
`suggest`, and `service`, which puts them together.
"""
