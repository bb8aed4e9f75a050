"""Tables as Parquet, with their types, by Apache Arrow's own library."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from novum.core.model.errors import MissingExtra
from novum.integrations.exports.campaign_tables import sheets
from novum.integrations.exports.files import origin, write_origin, write_whole
from novum.integrations.exports.tables import Table
from novum.views.index.campaign_index import CampaignIndex


def write_parquet(found: CampaignIndex, directory: Path) -> dict[str, int]:
    """Write one file per table; returns the number of rows by table. Raises MissingExtra, UserError.

    Each file carries the origin of its rows in its metadata, under names that begin with "novum.".
    """
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("Parquet files need pyarrow, which is not installed: pip install 'novum[exports]'") from None
    made_from = {f"novum.{name}": value for name, value in origin(found).items()}
    tables = sheets(found)
    for table in tables:
        sheet = _arrow(table).replace_schema_metadata(made_from)
        write_whole(
            directory / f"{table.name}.parquet",
            lambda part, sheet=sheet: pyarrow.parquet.write_table(sheet, part),  # type: ignore[misc]
        )
    write_origin(directory, found)
    return {table.name: len(table.rows) for table in tables}


def _arrow(table: Table) -> Any:
    import pyarrow

    forms = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
        datetime: pyarrow.timestamp("us", tz="UTC"),
    }
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    fields = [pyarrow.field(column.name, forms[column.form]) for column in table.columns]
    arrays = [pyarrow.array(values, type=one.type) for values, one in zip(columns, fields, strict=True)]
    return pyarrow.table(arrays, schema=pyarrow.schema(fields))
