"""An index of plain columns: for every word the numbers of its documents, and what each of them gains by it.

The fastest of the engines and made for this catalogue's queries: few words that very many documents hold, of
which an exact total, six facets and twenty rows are wanted at once. Everything about a segment of documents is
an array on disk; a query adds up arrays of one number a document and counts facets with the same arrays.

    arrays_file   named arrays in one checked file, read where they lie
    strings       sorted terms with their numbers, and strings by number
    spilled       long arrays that are made piece by piece, in little memory
    placed        what stands between two spaces as numbers, and the words of documents in order of reading
    postings      who holds a term and what each gains by it, as arrays
    word_columns  words and pairs of neighbours → postings and places, a range of words at a time
    builder       documents → the arrays of a segment
    writing       documents → segments, here or in the processes of a large load
    scored_words  reads postings and places; listed reads facets and rights
    segment       answers for one segment: words, phrases, beginnings, lines, numbers
    merging       small segments → a larger one
    commits       which segments and deletions make up a commit; the IndexFormat
    matching      what a query matches in one segment, and with which score
    weighing      what the terms of a query are worth
    ordering      the best documents of several segments
    told          all that one segment says to a query, kept for the next time
    snapshot      answers over all segments of a commit
"""

from opendata.search.engines.columns.commits import ColumnsFormat

__all__ = ["ColumnsFormat"]
