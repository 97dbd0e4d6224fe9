"""Workbooks: Excel's files, as a spreadsheet writes numbers, dates and several sheets."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from propgraph.errors import InputError
from propgraph.jobs.build import build
from propgraph.readers.find import find_logs
from propgraph.readers.layouts import sheets
from propgraph.readers.read import read_logs

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def cell(row: int, column: int, value: object) -> str:
    place = f'r="{chr(65 + column)}{row}"'
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c {place} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c {place}><v>{value!r}</v></c>"
    if isinstance(value, datetime):
        days = (value - datetime(1899, 12, 30)).total_seconds() / 86_400
        return f'<c {place} s="1"><v>{days!r}</v></c>'
    text = str(value).replace("&", "&amp;").replace("<", "&lt;")
    return f'<c {place} t="inlineStr"><is><t>{text}</t></is></c>'


def related(*targets: tuple[str, str]) -> str:
    inner = "".join(
        f'<Relationship Id="rId{k}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for k, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def workbook(path: Path, **tables: list[list[object]]) -> Path:
    """Write a workbook of the least that Excel opens: rows of texts, numbers, dates and None, by sheet."""
    names = "".join(f'<sheet name="{name}" sheetId="{k}" r:id="rId{k}"/>' for k, name in enumerate(tables, 1))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": related(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": related(
            *(("worksheet", f"worksheets/sheet{k}.xml") for k in range(1, len(tables) + 1)),
            ("styles", "styles.xml"),
        ),
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>'
        "</styleSheet>",
    }
    for k, rows in enumerate(tables.values(), 1):
        inner = "".join(
            f'<row r="{r}">{"".join(cell(r, c, value) for c, value in enumerate(row))}</row>'
            for r, row in enumerate(rows, 1)
        )
        parts[f"xl/worksheets/sheet{k}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{inner}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


WHEN = datetime(2024, 3, 5, 10, 0, 7)
HEAD = ["account_id", "timestamp", "content_id", "text"]
ROWS = [["ana", WHEN, 1234567890123456, "x & y"], ["bo", WHEN.replace(second=9), 17, None]]


def test_a_sheet_is_a_table_of_texts_numbers_and_dates(tmp_path):
    path = workbook(
        tmp_path / "log.xlsx", Data=[HEAD, *ROWS, [], ["cy", None, 3, "no time"], ["dee", WHEN, 4, 5]]
    )
    study = build([path], tmp_path / "study")
    assert study.posts.select("content_id", "account_id", "timestamp", "text").rows() == [
        ("1234567890123456", "ana", WHEN.replace(tzinfo=UTC), "x & y"),
        ("4", "dee", WHEN.replace(tzinfo=UTC), "5"),
        ("17", "bo", WHEN.replace(second=9, tzinfo=UTC), None),
    ]
    # A row without any cell is none; the others count by their place in the sheet.
    assert study.rejected.select("source", "line", "reason").rows() == [(str(path), 5, "timestamp: empty")]
    assert study.run["build"]["counts"]["rows"] == 4


def test_ids_that_the_spreadsheet_rounded_are_rejected(tmp_path):
    rows = [["ana", WHEN, 1764912345678901234, "x"], ["bo", WHEN, 17, "y"]]
    log = read_logs([workbook(tmp_path / "log.xlsx", Data=[HEAD, *rows])])
    assert log.posts["content_id"].to_list() == ["17"]
    (reason,) = log.rejected["reason"]
    assert "rounded" in reason


def test_of_several_sheets_the_first_that_is_known_is_read_and_told(tmp_path):
    path = workbook(
        tmp_path / "log.xlsx",
        About=[["who", "ana"], ["when", "a day"]],
        Data=[[], ["Report:", None, "valley"], [], HEAD, *ROWS],
        More=[HEAD, *ROWS],
    )
    log = read_logs([path])
    assert log.posts.height == 2
    assert (
        f"{path}: of its sheets one is read, sheet 'Data', the header in row 4; not 'About', 'More'"
        in log.notes
    )


def test_columns_may_be_named_and_the_header_too(tmp_path):
    path = workbook(
        tmp_path / "log.xlsx", Data=[["made", "by us"], ["who", "when"], ["ana", WHEN], ["bo", WHEN]]
    )
    names = {"account_id": "who", "timestamp": "when"}
    assert read_logs([path], mapping=names).posts.height == 2
    assert read_logs([path], mapping=names, skip_lines=1).posts.height == 2
    with pytest.raises(InputError, match="no column 'who'; found ana"):
        read_logs([path], mapping=names, skip_lines=2)
    with pytest.raises(InputError, match="Found: made, by us"):
        read_logs([path])


def test_a_workbook_has_to_be_named(tmp_path):
    workbook(tmp_path / "log.xlsx", Data=[HEAD, *ROWS])
    workbook(tmp_path / "really.csv", Data=[HEAD, *ROWS])
    (tmp_path / "log.csv").write_text("account_id,timestamp\na,1600000000\n")
    files, left_out = find_logs([tmp_path])
    assert [file.path.name for file in files] == ["log.csv"]
    assert left_out == [
        f"{tmp_path}/log.xlsx: left out, a workbook by its name; name it to have it read, or all of them: '*.xlsx'",
        f"{tmp_path}/really.csv: left out, a workbook; name it to have it read",
    ]
    files, _ = find_logs([f"{tmp_path}/*.xlsx"])
    assert [file.layout for file in files] == ["workbook"]


def test_a_workbook_piped_in(tmp_path):
    path = workbook(tmp_path / "log.xlsx", Data=[HEAD, *ROWS])
    command = [sys.executable, "-m", "propgraph", "build", "-", "-o", str(tmp_path / "study")]
    done = subprocess.run(command, input=path.read_bytes(), capture_output=True, check=True)
    assert b"read      -: 2 rows, columns" in done.stdout


def test_an_empty_workbook_is_empty(tmp_path):
    with pytest.raises(InputError, match=r"no log to read: .*log\.xlsx: left out, empty"):
        find_logs([workbook(tmp_path / "log.xlsx", Data=[], More=[["one cell"]])])


def test_without_the_library_the_way_out_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "find_spec", lambda name: None)
    monkeypatch.setattr("propgraph.readers.layouts.kinds.is_readable", sheets.is_readable)
    with pytest.raises(
        InputError, match=r"log\.xlsx: a workbook; .* pip install 'propgraph\[xlsx\]', or save"
    ):
        find_logs([workbook(tmp_path / "log.xlsx", Data=[HEAD, *ROWS])])


def test_a_damaged_workbook_is_one_clear_error_or_as_good_as_whole(tmp_path, capfd):
    whole = workbook(tmp_path / "log.xlsx", Data=[HEAD, *ROWS * 20]).read_bytes()
    for place in range(0, len(whole), 11):
        path = tmp_path / "damaged.xlsx"
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x2A]) + whole[place + 1 :])
        try:
            log = read_logs([path])
        except InputError:
            continue
        assert log.posts.height + log.rejected.height == 40
    assert "panicked" not in capfd.readouterr().err


def test_what_has_the_mark_of_an_old_workbook_only_is_told(tmp_path):
    (tmp_path / "log.xls").write_bytes(sheets.OLD_MARK + bytes(600))
    with pytest.raises(InputError, match=r"log\.xls: cannot be read to its end"):
        find_logs([tmp_path / "log.xls"])


def test_a_bomb_of_a_workbook_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr("propgraph.readers.files.unpack._FREE_BYTES", 1 << 20)
    path = workbook(tmp_path / "log.xlsx", Data=[HEAD, *([["ana", WHEN, 1, "x" * 30_000]] * 200)])
    with pytest.raises(InputError, match=r"log\.xlsx: it unpacks to more than 300 times its size"):
        find_logs([path])
