"""Problem codes of archives and other containers: what is inside, and what is refused.

Sentences take the parameters named in them; see `problem_kind`.
"""

from __future__ import annotations

from typing import Final

from opendata.kernel.errors import N_
from opendata.resources.ingest.problem_kind import ProblemKind

_JSON: Final = (
    ProblemKind(
        "json-columns-differ",
        "error",
        N_("Columns of different length"),
        N_(
            "The lists in the JSON have %(low)s to %(high)s entries, so they are not the columns of one table."
        ),
        N_("Give every list as many entries, null where there is no value, or write records: [{…}, {…}]."),
    ),
    ProblemKind(
        "json-columns-too-large",
        "error",
        N_("Too much JSON by column"),
        N_("The JSON is written column by column and holds more than %(limit)s MB, which cannot be read."),
        N_("Write it as records, [{…}, {…}], or as JSON Lines; those may be of any size."),
    ),
    ProblemKind(
        "json-list-as-table",
        "info",
        N_("A list became a table of its own"),
        N_(
            "The list “%(list)s” in the records became a table of its own with %(count)s rows; its column “%(key)s” names the record that each belongs to."
        ),
        "",
    ),
    ProblemKind(
        "json-members-left-out",
        "info",
        N_("Parts of the JSON are in no table"),
        N_(
            "%(count)s parts of the JSON stand in no table: %(names)s. They are in the file that can be downloaded."
        ),
        "",
    ),
)

_ARCHIVES: Final = (
    ProblemKind(
        "archive-inconsistent",
        "error",
        N_("The archive contradicts itself"),
        N_(
            "The list of members in the archive does not agree with the members themselves. It is damaged, or it was made to mislead."
        ),
        N_("Pack the files again with an ordinary program, and upload that."),
    ),
    ProblemKind(
        "archive-overlapping",
        "error",
        N_("Members of the archive overlap"),
        N_("Several members of the archive share the same bytes, as no ordinary program packs them."),
        N_("Pack the files again with an ordinary program, and upload that."),
    ),
    ProblemKind(
        "archive-too-many",
        "error",
        N_("Too many files in the archive"),
        N_("The archive lists more than %(limit)s files."),
        N_("Split it into several archives, or upload the tables on their own."),
    ),
    ProblemKind(
        "archive-too-many-tables",
        "error",
        N_("Too many tables in the archive"),
        N_("The archive holds %(count)s tables; at most %(limit)s are read from one file."),
        N_("Put tables of the same kind together in one, or split the archive."),
    ),
    ProblemKind(
        "archive-bomb",
        "error",
        N_("The file unpacks to far too much"),
        N_("The file would unpack to more than %(size)s MB, %(ratio)s times its size. No table does that."),
        N_("Check where the file comes from; if it really is data, upload it unpacked."),
    ),
    ProblemKind(
        "archive-too-large",
        "error",
        N_("The file unpacks to too much"),
        N_("The tables would unpack to more than %(limit)s MB."),
        N_("Split them into several files, or upload them as Parquet."),
    ),
    ProblemKind(
        "archive-unsafe-name",
        "error",
        N_("A file name that is not safe"),
        N_(
            "The archive holds “%(member)s”, a name that leads out of the folder it is unpacked in, or that some systems cannot have."
        ),
        N_("Pack the files again under plain names."),
    ),
    ProblemKind(
        "archive-link",
        "error",
        N_("The archive holds a link"),
        N_("“%(member)s” in the archive is no file but a link or a device."),
        N_("Pack the files themselves, and upload that."),
    ),
    ProblemKind(
        "archive-duplicate-name",
        "error",
        N_("Two files of the same name"),
        N_("The archive holds “%(member)s” twice, so nobody can say which one is meant."),
        N_("Pack the files again under different names."),
    ),
    ProblemKind(
        "archive-locked",
        "error",
        N_("The archive has a password"),
        N_("The tables in the archive are protected with a password, so nobody could read them."),
        N_("Pack them without a password, and upload that."),
    ),
    ProblemKind(
        "archive-member-damaged",
        "error",
        N_("A damaged file in the archive"),
        N_("“%(member)s” in the archive is damaged or incomplete."),
        N_("Check that the archive opens on your computer, and upload it again."),
    ),
    ProblemKind(
        "archive-without-tables",
        "error",
        N_("No table could be read"),
        N_("None of the files in the archive could be read as a table with rows."),
        N_("Check that the right files were packed, and that they are not archives themselves."),
    ),
    ProblemKind(
        "archive-method",
        "warning",
        N_("A file packed in an unusual way"),
        N_("“%(member)s” is packed in a way that is not read here, so it stands in no table."),
        N_("Pack it again as an ordinary ZIP (method “Deflate”), and upload that."),
    ),
    ProblemKind(
        "archive-member-without-rows",
        "warning",
        N_("A file without rows in the archive"),
        N_("“%(member)s” in the archive holds no rows, so it became no table."),
        N_("Add the rows, or leave it out."),
    ),
    ProblemKind(
        "archive-members-kept",
        "info",
        N_("Other files in the archive"),
        N_(
            "%(count)s other files in the archive are no tables: %(names)s. They are in the archive that can be downloaded."
        ),
        "",
    ),
    ProblemKind(
        "descriptor-unsafe-path",
        "error",
        N_("A data package that points elsewhere"),
        N_(
            "The data package names “%(path)s” as a file, which does not lie in the archive. Nothing is ever fetched from elsewhere."
        ),
        N_("Put the file into the archive and name it by its path there."),
    ),
    ProblemKind(
        "descriptor-unreadable",
        "error",
        N_("The data package cannot be read"),
        N_("“datapackage.json” in the archive is not valid JSON, or is too large."),
        N_("Correct it, or leave it out."),
    ),
    ProblemKind(
        "xml-declarations",
        "error",
        N_("XML that declares entities"),
        N_(
            "“%(part)s” starts with a declaration of a document type, which is used to make a small file fill the memory or to fetch other files."
        ),
        N_("Save the file again from an ordinary program, without a document type."),
    ),
)

_WORKBOOKS: Final = (
    ProblemKind(
        "cells-far-apart",
        "error",
        N_("Cells far away from each other"),
        N_(
            "The sheet “%(sheet)s” has %(cells)s filled cells, but they lie so far apart that the table would have %(rows)s rows and %(columns)s columns."
        ),
        N_(
            "Press Ctrl+End in the spreadsheet program: it goes to the last cell. Delete what stands far below or far to the right of the table, save, and upload the file again."
        ),
    ),
)

_MAPS: Final = (
    ProblemKind(
        "geojson-without-features",
        "error",
        N_("A map without features"),
        N_("The GeoJSON holds no features."),
        N_("Export it as a FeatureCollection with at least one feature."),
    ),
    ProblemKind(
        "geometry-as-text",
        "info",
        N_("Outlines as text"),
        N_("The column “%(column)s” holds the shape of each feature as GeoJSON text."),
        "",
    ),
    ProblemKind(
        "geojson-other-system",
        "warning",
        N_("Coordinates in another system"),
        N_(
            "The map says that its coordinates are in the system %(system)s, not in degrees of WGS 84 as GeoJSON has to be."
        ),
        N_("Export it in WGS 84 (EPSG:4326), so that every program shows it in the right place."),
    ),
)

_DATABASES: Final = (
    ProblemKind(
        "arrow-unreadable",
        "error",
        N_("The Arrow file cannot be read"),
        N_("The Arrow file is damaged, was cut off, or uses something that cannot be read here."),
        N_("Write it again, for example with pyarrow, or upload it as Parquet."),
    ),
    ProblemKind(
        "sqlite-unreadable",
        "error",
        N_("The SQLite database cannot be read"),
        N_("The SQLite database is damaged, was cut off, or holds something that is not read here."),
        N_("Check it with “PRAGMA integrity_check”, or export its tables as CSV."),
    ),
    ProblemKind(
        "sqlite-without-tables",
        "error",
        N_("A database without rows"),
        N_("The SQLite database holds no table with rows."),
        N_("Check that the right file was chosen, and that it was saved."),
    ),
    ProblemKind(
        "sqlite-table-without-rows",
        "warning",
        N_("A table without rows"),
        N_("The table “%(name)s” of the database holds no rows, so it became no table here."),
        N_("Add the rows, or leave it out."),
    ),
    ProblemKind(
        "sqlite-left-out",
        "info",
        N_("Views and virtual tables"),
        N_(
            "%(count)s views or virtual tables of the database are not read: %(names)s. To publish one, store it as a table."
        ),
        "",
    ),
)

_XML: Final = (
    ProblemKind(
        "xml-entities",
        "error",
        N_("XML that declares entities"),
        N_(
            "The XML declares entities of its own, which are used to make a small file fill the memory or to fetch other files."
        ),
        N_("Save the file again without a document type, or export the data as CSV or JSON."),
    ),
    ProblemKind(
        "xml-invalid",
        "error",
        N_("Broken XML"),
        N_("The XML is not valid at line %(row)s, position %(position)s."),
        N_("Correct it there; a tag that is never closed is the usual cause."),
    ),
    ProblemKind(
        "xml-irregular",
        "info",
        N_("Kept as it is"),
        N_(
            "The XML is kept and can be downloaded, but it is no table: “%(element)s” repeats and does not hold plain values only, or stands in several places."
        ),
        N_("To offer the data in it, add it as CSV, Excel or JSON records."),
    ),
)

CONTAINER_PROBLEMS: Final = (*_JSON, *_ARCHIVES, *_WORKBOOKS, *_MAPS, *_DATABASES, *_XML)
