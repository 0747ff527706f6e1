"""`landbridge validate`: judge any file on disk by a contract."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, assert_never

import typer

from landbridge.cli.options import HERE, JsonOption, ProjectFolder
from landbridge.cli.output import err, print_json, print_pairs, print_table, progress
from landbridge.errors import Exit, UsageError
from landbridge.facts import GateReport
from landbridge.feed.outputs import ContractReference, Csv, File, Jsonl, Parquet


class FormatName(StrEnum):
    """Formats that need no layout."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


_SUFFIXES = {
    ".csv": FormatName.CSV,
    ".txt": FormatName.CSV,
    ".tsv": FormatName.CSV,
    ".jsonl": FormatName.JSONL,
    ".ndjson": FormatName.JSONL,
    ".parquet": FormatName.PARQUET,
}
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}


def validate(
    file: Annotated[Path, typer.Argument(help="The file to judge.", exists=True, dir_okay=False)],
    contract: Annotated[
        Path | None, typer.Option("--contract", "-c", help="ODCS document; the feed's own with --feed.")
    ] = None,
    schema_object: Annotated[
        str, typer.Option("--object", help="Object of the contract's schema, when it holds several.")
    ] = "",
    feed: Annotated[str, typer.Option("--feed", "-f", help="Judge the file as this feed declares it.")] = "",
    form: Annotated[
        FormatName | None, typer.Option("--format", help="Format of the file.", show_default="from its name")
    ] = None,
    delimiter: Annotated[
        str,
        typer.Option("--delimiter", help="Delimiter of a CSV file; `\\t` is a tab.", show_default="comma"),
    ] = "",
    encoding: Annotated[str, typer.Option("--encoding", help="Encoding of a CSV file.")] = "utf-8",
    null: Annotated[str, typer.Option("--null", help="Text of a missing value in a CSV file.")] = "",
    header: Annotated[bool, typer.Option("--header/--no-header", help="Whether a CSV file has one.")] = True,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the results here, as JUnit XML.", dir_okay=False)
    ] = None,
    memory: Annotated[int, typer.Option("--memory", help="Memory to use, in MiB.", min=128)] = 512,
    project: ProjectFolder = HERE,
    as_json: JsonOption = False,
) -> int:
    """Judge any file on disk by a contract: structure, encoding, types, and every rule of its values.

    Exit code 65 means that the file broke the contract, 78 that the contract itself is wrong or asks for what is
    not supported. Leading and trailing records, fixed width and quoting are declared in a feed: use --feed.

    Example: landbridge validate report.csv --contract contracts/verifications.odcs.yaml --junit report.xml
    """
    from landbridge.contract.gate import gate_for
    from landbridge.contract.odcs import load
    from landbridge.disk.scratch import scratch

    if feed:
        declared, reference = _of_feed(project, feed)
        contract = contract or project / reference.file
        schema_object = schema_object or reference.schema_object or ""
    else:
        declared = _described(file, form, delimiter=delimiter, encoding=encoding, null=null, header=header)
    if contract is None:
        raise UsageError("nothing to judge the file by", expected="--contract or --feed")
    promise = load(contract, schema_object or None)
    with scratch() as folder, progress(quiet=as_json) as bars:
        report = gate_for(promise, declared, memory=memory, spill=folder).judge(file, bars)
    _say(report, file, junit, as_json=as_json)
    return Exit.DONE if report.passed else Exit.DATA


def _of_feed(project: Path, feed: str) -> tuple[File, ContractReference]:
    from landbridge.declare import load

    feeds = load(project).feeds
    if feed not in feeds:
        raise UsageError(f"no feed `{feed}`", expected=f"one of {', '.join(sorted(feeds)) or 'no feeds'}")
    return feeds[feed].file, feeds[feed].contract


def _described(
    file: Path, form: FormatName | None, *, delimiter: str, encoding: str, null: str, header: bool
) -> File:
    """Describe the file by its name and the options; nothing is guessed from its bytes."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    compression = _COMPRESSIONS.get(suffixes[-1] if suffixes else "", "none")
    plain = (suffixes[:-1] if compression != "none" else suffixes) or [""]
    form = form or _SUFFIXES.get(plain[-1])
    format_: dict[str, object]
    match form:
        case FormatName.CSV:
            default = "\t" if plain[-1] == ".tsv" else ","
            given = delimiter.replace("\\t", "\t") or default
            format_ = Csv.model_validate(
                {"delimiter": given, "encoding": encoding, "null": null, "header": header}
            ).model_dump()
        case FormatName.JSONL:
            format_ = Jsonl(kind="jsonl").model_dump()
        case FormatName.PARQUET:
            format_ = Parquet(kind="parquet").model_dump()
        case None:
            raise UsageError(
                f"the name `{file.name}` does not tell its format", expected="--format csv, jsonl or parquet"
            )
        case _:
            assert_never(form)
    return File.model_validate(
        {
            "name": file.name,
            "folder": "validate",
            "format": format_,
            "compression": compression,
            "formula_injection": "allow",
        }
    )


def _say(report: GateReport, file: Path, junit: Path | None, *, as_json: bool) -> None:
    from landbridge.contract import report as shapes

    if junit is not None:
        _write(junit, shapes.junit(report, file.name))
    if as_json:
        print_json({"file": str(file), **shapes.as_json(report)})
        return
    print_table("", shapes.RULE_COLUMNS, shapes.rule_rows(report))
    if report.defects:
        print_table("\nFirst failing rows", shapes.DEFECT_COLUMNS, shapes.defect_rows(report))
    broken = sum(shapes.verdict(rule) == "broken" for rule in report.rules)
    warnings = sum(shapes.verdict(rule) == "warning" for rule in report.rules)
    print_pairs(
        "\nmet its contract" if report.passed else "\nbroke its contract",
        {
            "file": str(file),
            "contract": f"{report.contract} {report.contract_version}",
            "rows": f"{report.rows:,}",
            "rules": f"{len(report.rules)} judged, {broken} broken, {warnings} with a warning",
        },
    )
    if junit is not None:
        err().print(f"results written to {junit}", style="dim")


def _write(path: Path, text: str) -> None:
    from landbridge.errors import disk_refused

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline=os.linesep)
    except OSError as error:
        raise disk_refused(error, f"writing {path}") from error
