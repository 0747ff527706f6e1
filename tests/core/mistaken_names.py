"""Which mistakes can be made with names: templates, names that meet, parts that do not fit? Rows of test_declare_mistakes."""

from __future__ import annotations

from tests.core import declared

PROJECT, ORDERS, SALES, CONTRACT = declared.FILES

NAMES = [
    # templates and names
    (
        ORDERS,
        "name: ORDERS",
        "name: §O{enviroment}",
        "file.name",
        "unknown word `{enviroment}`",
        "environment",
    ),
    (ORDERS, "name: ORDERS", "name: §O{variables.bnak}", "file.name", "unknown word", "`{variables.bank}`"),
    (ORDERS, "name: ORDERS", "name: §O{feed", "file.name", "cannot be read", ""),
    (ORDERS, "name: ORDERS", "name: §a:b", "file.name", "cannot be a file name", ""),
    (ORDERS, "folder: shop/orders", "folder: §../orders", "file.folder", "cannot be a file name", ""),
    (
        ORDERS,
        "ORDERS_{ENVIRONMENT}_{business_date:%Y%m%d}",
        "§O_{business_date:%H}",
        "file.name",
        "does not fit",
        "",
    ),
    (
        ORDERS,
        "ORDERS_{ENVIRONMENT}_{business_date:%Y%m%d}_{revision:03d}",
        "§O_{business_date:%Y%m%d}",
        "file.name",
        "the revisions 1 and 2",
        "`{revision:03d}`",
    ),
    (
        ORDERS,
        "ORDERS_{ENVIRONMENT}_{business_date:%Y%m%d}_{revision:03d}",
        "§O_{revision}",
        "file.name",
        "the slots",
        "`{business_date:%Y%m%d}`",
    ),
    (
        ORDERS,
        "ORDERS_{ENVIRONMENT}_{business_date:%Y%m%d}_{revision:03d}",
        "§O",
        "file.name",
        "revisions",
        "`{business_date:%Y%m%d}`",
    ),
    (
        ORDERS,
        "ORDERS_{ENVIRONMENT}_{business_date:%Y%m%d}",
        "§O{business_date:%m%d}",
        "file.name",
        "the slots",
        "`{business_date",
    ),
    (
        SALES,
        "SALES_{scheduled_at:%Y%m%dT%H%MZ}",
        "§S_{scheduled_at:%H%M}",
        "file.name",
        "the slots",
        "`{scheduled_at:%Y%m%dT%H%MZ}`",
    ),
    (
        SALES,
        "SALES_{scheduled_at:%Y%m%dT%H%MZ}",
        "§S_{scheduled_at:%Y%m%d}",
        "file.name",
        "the slots",
        "`{scheduled_at:%Y%m%dT%H%MZ}`",
    ),
    (
        SALES,
        "SALES_{scheduled_at:%Y%m%dT%H%MZ}",
        "§S_{scheduled_at:%d%H%M}",
        "file.name",
        "the slots",
        "`{scheduled_at:%Y%m%dT%H%MZ}`",
    ),
    (
        ORDERS,
        "  folder: shop/orders",
        "  done_file: §'{name}'\n  folder: shop/orders",
        "file.done_file",
        "the name of the file itself",
        "{name}.done",
    ),
    (
        SALES,
        "SALES_{scheduled_at:%Y%m%dT%H%MZ}_{revision:03d}.csv",
        "§S.{scheduled_at:%Q}",
        "file.name",
        "fit",
        "",
    ),
    (
        PROJECT,
        "host: env:SFTP_HOST",
        "host: §sftp.{env}.example.org",
        "sftp.host",
        "only `{environment}`",
        "",
    ),
    (
        PROJECT,
        "demo-{environment}-staging",
        "§demo.{environment}..staging",
        "buckets.staging",
        "S3 takes no bucket",
        "63",
    ),
    (
        PROJECT,
        "demo-{environment}-ledger",
        "§demo-{environment}-reports",
        "buckets.ledger",
        "shares the reports bucket",
        "",
    ),
    # names that meet
    (
        PROJECT,
        "demo-{environment}-reports",
        "§demo-reports",
        "buckets.reports",
        "share the reports bucket",
        "{environment}",
    ),
    (
        PROJECT,
        "demo-{environment}-ledger",
        "§demo-ledger",
        "buckets.ledger",
        "share the ledger bucket",
        "{environment}",
    ),
    (PROJECT, "demo-{environment}-staging", "§demo-{environment}-reports", "buckets.staging", "forgets", ""),
    # parts that do not fit
    (
        SALES,
        "format: csv}",
        "format: csv, encoding: §utf-9}",
        "sources.orders.encoding",
        "no encoding",
        "utf-8",
    ),
    (
        SALES,
        "format: csv}",
        'format: csv, columns: {id: §"decimal(50,2)"}}',
        "sources.orders.columns.id",
        "no such type",
        "38",
    ),
    (
        SALES,
        "format: csv}",
        "format: csv, columns: {id: §text}}",
        "sources.orders.columns.id",
        "cannot be used",
        "`string`",
    ),
    (
        SALES,
        "  folder: shop/sales",
        "  folder: shop/sales\n  format: {kind: parquet}\n  compression: §gzip",
        "file.compression",
        "compressed inside",
        "codec: gzip",
    ),
    (
        SALES,
        "  folder: shop/sales",
        "  folder: shop/sales\n  format: {kind: csv, delimiter: §'\"'}",
        "file.format.delimiter",
        "the quote too",
        "",
    ),
    (SALES, "transform: SELECT", "§transforms: SELECT", "transforms", "unknown key", "`transform`"),
    # what a source asks for, and what a record says
    *(
        (ORDERS, "url: env:DATABASE_URL", f"{new}", f"sources.orders.{path}", "unknown word", "`{business_date}`")
        for new, path in (
            ('url: §"sqlite:///{bussiness_date}"', "url"),
            ('url: env:U\n    parameters: {business_date: §"{bussiness_date}"}', "parameters.business_date"),
        )
    ),
    *(
        (SALES, "url: env:API_URL", f"url: env:API_URL\n    {new}", f"sources.items.{path}", "unknown word", "`{feed}`")
        for new, path in (
            ('path: §"/{feeed}"', "path"),
            ('method: POST\n    body: {a: §"{feeed}"}', "body.a"),
        )
    ),
    (SALES, "{since:", '{of: §"{feeed}", since:', "sources.items.parameters.of", "unknown word", "`{feed}`"),
    (SALES, 'path: "in/orders.csv"', 'path: §"in/{feeed}.csv"', "sources.orders.path", "unknown word", "`{feed}`"),
    (ORDERS, '"{rows}"', '§"{feeed}"', "file.format.trailing.fields[1]", "unknown word", "`{feed}`"),
    (ORDERS, '["T", ', '[§"{feeed}", ', "file.format.trailing.fields[0]", "unknown word", "`{total}`"),
    *(
        (SALES, "format: csv}", f"format: csv, columns: {{id: §'{kind}'}}}}", "sources.orders.columns.id", "no such type", "38")
        for kind in ("decimal(39,2)", "decimal(5,6)", "decimal(0,0)")
    ),
    # values of another kind than was meant
    (ORDERS, '{at: "07:00"}', "§[1]", "schedule.deadline", "cannot be used", "90m"),
    (ORDERS, "kind: sql", "kind: §[sql]", "sources.orders.kind", "unknown `kind`", "`sql`"),
    # a place of one environment
    *(
        (
            PROJECT, "  PRD: {}",
            f"  PRD: {{buckets: {{staging: {name}, reports: demo-prd-reports, ledger: demo-prd-ledger}}}}",
            "environments.PRD.buckets.staging", "S3 takes no bucket", "63",
        )
        for name in ("§demo..staging", "§demo-", f"§{'a' * 64}")
    ),
    (PROJECT, "host: env:SFTP_HOST", "host: §sftp}.example.org", "sftp.host", "only `{environment}`", ""),
    # a name that some months make too long
    (
        ORDERS, "name: ORDERS_{ENVIRONMENT}_{business_date:%Y%m%d}_{revision:03d}.csv",
        f"name: §{'x' * 235}_{{business_date:%Y%m%d}}_{{business_date:%B}}_{{revision:d}}",
        "file.name", "bytes, more than", "",
    ),
]  # fmt: skip
