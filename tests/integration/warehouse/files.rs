//! Data files: what is read of them, what is refused, and the tables that they become.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use explore::warehouse::embedded::{EmbeddedDatabase, start};
use explore::warehouse::files::find;
use explore::warehouse::{Database, Limits, OpenError, SessionContext, Step};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType};
use parquet::data_type::{Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use tempfile::TempDir;

/// A folder of data files.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    async fn load(&self, names: &[&str]) -> Result<EmbeddedDatabase, OpenError> {
        let files = find(&names.iter().map(|name| self.path(name)).collect::<Vec<_>>())?;
        let mut database = start(&SessionContext::default()).await.unwrap();
        database.load_files(files, &|_| {}).await?;
        Ok(database)
    }

    /// Loads one file and expects that it is refused: what is said after the folder's name, and what is advised.
    async fn refused(&self, names: &[&str]) -> (String, String) {
        let error = self.load(names).await.map(drop).unwrap_err();
        let OpenError::File { message, advice } = error else { panic!("{names:?}: {error}") };
        (message.replace(&format!("{}/", self.0.path().display()), ""), advice.unwrap_or_default())
    }
}

/// So many lines, one after the other.
fn lines(count: u32, line: impl Fn(u32) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}

/// The rows of a statement, with a bar between cells and ~ for NULL.
async fn rows(database: &EmbeddedDatabase, statement: &'static str) -> Vec<String> {
    let table = database.own(statement, &[]).await.unwrap();
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "~".to_owned());
    table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|")).collect()
}

/// The columns of a table with their types.
async fn columns(database: &EmbeddedDatabase, table: &str) -> Vec<String> {
    let statement = "SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute \
                     WHERE attrelid = ($1::text[])[1]::regclass AND attnum > 0 ORDER BY attnum";
    let table = database.own(statement, &[&[table.to_owned()]]).await.unwrap();
    table.rows.into_iter().map(|row| row.into_iter().flatten().collect()).collect()
}

fn notes(database: &EmbeddedDatabase) -> String {
    database.server().warnings.join("\n")
}

#[tokio::test]
async fn the_types_of_a_csv_are_those_that_hold_all_its_values() {
    let csv = "id,Unit Price,paid,day,at,seen,postcode,score,note,huge,price,us\n\
               1,2.50,true,2024-01-31,2024-01-31 10:00,2024-01-31T10:00:00Z,01067,7,\"a \"\"b\"\"\nc, d\",9223372036854775808,\"1,5\",12/31/2024\n\
               2,,false,,2024-01-31,2024-01-31T10:00:00+02:00,80331,NA,,1,3,1/2/2024\n\
               -3,1e-3,t,2024-02-29,,,,8,\\t,,,\n";
    let folder = Folder::new().with("Sales Q1.csv", csv);
    let database = folder.load(&["Sales Q1.csv"]).await.unwrap();
    let expected = [
        "id bigint",
        "Unit Price double precision",
        "paid boolean",
        "day date",
        "at timestamp without time zone",
        "seen timestamp with time zone",
        "postcode text",
        "score bigint",
        "note text",
        "huge numeric",
        "price text",
        "us text",
    ];
    assert_eq!(columns(&database, "sales_q1").await, expected);
    let found = rows(&database, "SELECT note, postcode, score, huge, paid, day FROM sales_q1 ORDER BY abs(id)").await;
    let expected = [
        "a \"b\"\nc, d|01067|7|9223372036854775808|true|2024-01-31",
        "~|80331|~|1|false|~",
        "\\t|~|8|~|true|2024-02-29",
    ];
    assert_eq!(found, expected);
    let utc = rows(&database, "SELECT count(DISTINCT seen), min(at) FROM sales_q1").await;
    assert_eq!(utc, ["2|2024-01-31 00:00:00"]);
    let notes = notes(&database);
    for note in [
        "Sales Q1.csv: postcode is text: it has leading zeros, such as \"01067\" (line 2)",
        "price is text: a comma or a separator in \"1,5\" (line 2)",
        "us is text: \"12/31/2024\" (line 2) is not in the form of 2024-12-31",
        "score is bigint: 1 times a word such as \"NA\" (line 4)",
    ] {
        assert!(notes.contains(note), "`{note}` is not in {notes}");
    }
    database.close().await;
}

#[tokio::test]
async fn a_value_near_the_end_decides_the_type_of_its_column() {
    let csv = format!("n,m\n{}50000,n/k\n0.5,7\n", lines(50_000, |n| format!("{n},{n}\n")));
    let folder = Folder::new().with("late.csv", csv);
    let database = folder.load(&["late.csv"]).await.unwrap();
    assert_eq!(columns(&database, "late").await, ["n numeric", "m text"]);
    assert_eq!(rows(&database, "SELECT count(*), sum(n), max(m) FROM late").await, ["50002|1250025000.5|n/k"]);
    assert!(notes(&database).contains("50001 of 50002 values are numbers, but not \"n/k\" (line 50002)"));
    let statistics = rows(&database, "SELECT count(*) > 0 FROM pg_stats WHERE tablename = 'late'").await;
    assert_eq!(statistics, ["true"]);
    database.close().await;
}

#[tokio::test]
async fn every_format_and_compression_gives_the_same_table() {
    let csv = "id,name\n1,Ann\n2,\n";
    let lines = "{\"id\": 1, \"name\": \"Ann\"}\n\n{\"name\": null, \"id\": 2}\n";
    let array = "[{\"id\": 1, \"name\": \"Ann\"},\n {\"id\": 2}]";
    let utf16 = "\u{feff}id;name\r\n1;Ann\r\n2;\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let zstandard = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    let folder = Folder::new()
        .with("a.csv", csv)
        .with("b.tsv", csv.replace(',', "\t"))
        .with("c.jsonl", lines)
        .with("d.json", array)
        .with("e.csv.gz", [gzip("id,name\n1,Ann\n"), gzip("2,\n")].concat())
        .with("f.ndjson.zst", zstandard(lines))
        .with("g.CSV", format!("\u{feff}{}", csv.replace(',', "|")))
        .with("h.csv", utf16)
        .with("i.json.gz", gzip(lines));
    let names = ["a.csv", "b.tsv", "c.jsonl", "d.json", "e.csv.gz", "f.ndjson.zst", "g.CSV", "h.csv", "i.json.gz"];
    let database = folder.load(&names).await.unwrap();
    for table in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
        assert_eq!(columns(&database, table).await, ["id bigint", "name text"], "{table}");
    }
    let all = "SELECT (SELECT count(*) FROM a NATURAL JOIN b NATURAL JOIN c NATURAL JOIN d NATURAL JOIN e NATURAL JOIN f \
               NATURAL JOIN g NATURAL JOIN h NATURAL JOIN i), count(*), count(name) FROM h";
    assert_eq!(rows(&database, all).await, ["1|2|1"]);
    database.close().await;
}

#[tokio::test]
async fn json_keeps_what_is_nested_and_the_columns_of_all_objects() {
    let lines = r#"{"id": 1, "tags": ["a", "é\n"], "when": "2024-01-31", "code": "007", "mixed": 1}
{"id": 2.5, "tags": {"x": [1e400]}, "when": null, "code": "8", "mixed": "one", "late": true, "id": 3}
{"id": 1e3, "tags": "plain", "\u0041\"b": 12345678901234567890}"#;
    let folder = Folder::new().with("events.jsonl", lines);
    let database = folder.load(&["events.jsonl"]).await.unwrap();
    let expected =
        ["id double precision", "tags jsonb", "when date", "code text", "mixed text", "late boolean", "A\"b numeric"];
    assert_eq!(columns(&database, "events").await, expected);
    let found = rows(&database, "SELECT id, tags->>1, code, mixed, late, \"A\"\"b\" FROM events ORDER BY id").await;
    assert_eq!(found, ["1|é\n|007|1|~|~", "3|~|8|one|true|~", "1000|~|~|~|~|12345678901234567890"]);
    let plain = rows(&database, "SELECT jsonb_typeof(tags) FROM events ORDER BY id").await;
    assert_eq!(plain, ["array", "object", "string"]);
    database.close().await;
}

#[tokio::test]
async fn what_is_wrong_in_a_file_is_named_with_its_line_and_what_to_do() {
    let folder = Folder::new()
        .with("ragged.csv", "a,b,c\n1,2,3\n\n4,5\n")
        .with("crlf.csv", "a,b\r\n1,\"x\r\ny\"\r\n\r\n1,2\r\n7\r\n")
        .with("long.csv", "a,b\n\"x\ny\",2\n1,2,3\n")
        .with("quote.csv", "a,b\n1,x\n2,\"never closed\n3,z\n")
        .with("latin.csv", b"name,n\nAnn,1\nK\xF6ln,2\n")
        .with("nul.csv", "a,b\n1,x\0y\n")
        .with("empty.csv", "")
        .with("empty.json", " \n")
        .with("bad.jsonl", "{\"a\": 1}\n{\"a\": 1,}\n")
        .with("pretty.json", "{\n  \"a\": 1\n}\n")
        .with("scalar.json", "[{\"a\": 1}, 7]")
        .with("cut.json", "[{\"a\": 1},\n {\"a\"")
        .with("nul.jsonl", "{\"a\": \"x\"}\n{\"a\": {\"b\": \"x\\u0000\"}}\n")
        .with("deep.jsonl", format!("{{\"a\": {}{}}}", "[".repeat(500), "]".repeat(500)))
        .with("damaged.parquet", "PAR1 is not enough")
        .with("damaged.csv.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3])
        .with("notes.txt", "x");
    for (name, message, advice) in [
        ("ragged.csv", "ragged.csv, line 4: it has 2 fields, and the header has 3", "double quotes"),
        ("crlf.csv", "crlf.csv, line 6: it has 1 field, and the header has 2", "double quotes"),
        ("long.csv", "long.csv, line 4: it has 3 fields, and the header has 2", "double quotes"),
        ("quote.csv", "quote.csv, line 3: a quote is opened and not closed", "written twice"),
        ("latin.csv", "latin.csv, line 3: the byte 0xf6 at offset 14 is not UTF-8", "iconv -f WINDOWS-1252"),
        ("nul.csv", "nul.csv, line 2: a NUL byte at offset 7", "iconv"),
        ("empty.csv", "empty.csv: it is empty", "leave it out"),
        ("empty.json", "empty.json: it has no columns", "leave it out"),
        ("bad.jsonl", "bad.jsonl, line 2: it is not JSON: key must be a string in column 9", "one object a line"),
        ("pretty.json", "pretty.json, line 1: it is not JSON", "jq -c ."),
        ("scalar.json", "scalar.json, item 2: an object is expected, and this is a number", "one array"),
        ("cut.json", "cut.json, line 2: it is not JSON: EOF", "one array"),
        ("nul.jsonl", "nul.jsonl, line 2: it has a NUL character", "jq"),
        ("deep.jsonl", "deep.jsonl, line 1: it is not JSON: recursion limit", "one array"),
        ("damaged.parquet", "damaged.parquet: it cannot be read as Parquet", "export it again"),
        ("damaged.csv.gz", "damaged.csv.gz", ""),
        ("notes.txt", "notes.txt: a file that ends in .txt is not read", ".parquet"),
        ("missing.csv", "missing.csv: cannot be read: No such file", ""),
        ("*.tsv", "*.tsv: no file matches this pattern", ""),
        ("", ": it is a directory", "*.csv"),
    ] {
        let (told, advised) = folder.refused(&[name]).await;
        assert!(told.contains(message), "{name}: {told}");
        assert!(advised.contains(advice), "{name}: {advised}");
    }
}

#[tokio::test]
async fn of_several_files_all_are_loaded_or_none() {
    let folder = Folder::new().with("good.csv", "a\n1\n").with("bad.csv", "a,b\n1\n");
    let mut database = start(&SessionContext::default()).await.unwrap();
    let files = find(&[folder.path("*.csv")]).unwrap();
    assert_eq!(files.iter().map(|file| file.table.as_str()).collect::<Vec<_>>(), ["bad", "good"]);
    database.load_files(files, &|_| {}).await.unwrap_err();
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(rows(&database, tables).await, ["0"]);

    // The database refuses the second table, and the first one goes with it.
    let wide = (0..2000).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
    let folder = folder.with("wide.csv", wide);
    let files = find(&[folder.path("good.csv"), folder.path("wide.csv")]).unwrap();
    let refused = database.load_files(files, &|_| {}).await.unwrap_err().to_string();
    assert!(
        refused.contains("wide.csv: its table cannot be created: tables can have at most 1600 columns"),
        "{refused}"
    );
    assert_eq!(rows(&database, tables).await, ["0"]);
    database.load_files(find(&[folder.path("good.csv")]).unwrap(), &|_| {}).await.unwrap();
    assert_eq!(rows(&database, "SELECT a FROM good").await, ["1"]);
    database.close().await;
}

#[tokio::test]
async fn two_files_of_one_table_are_named_and_the_same_file_counts_once() {
    let folder = Folder::new().with("sales.csv", "a\n1\n").with("Sales.tsv", "a\n1\n");
    let (told, advised) = folder.refused(&["sales.csv", "Sales.tsv"]).await;
    assert_eq!(told, "Sales.tsv: it and sales.csv would both be the table sales");
    assert!(advised.contains("rename one of them"), "{advised}");
    let twice = find(&[folder.path("sales.csv"), folder.path("./sales.csv"), folder.path("s*.csv")]).unwrap();
    assert_eq!(twice.len(), 1);
}

#[tokio::test]
async fn hostile_names_and_odd_headers_become_names_that_can_be_read() {
    let folder = Folder::new()
        .with("a\"; DROP TABLE x; --\u{1b}[2J.csv", "say \"\"hi\"\",\"x\u{1b}[31m\u{202e}\",,a,A,\n1,2,3,4,5,\n")
        .with("2024.csv", "2023;2024\n1;2\n")
        .with("select.csv", "a,b\n");
    let name = "a\"; DROP TABLE x; --\u{1b}[2J.csv";
    let database = folder.load(&[name, "2024.csv", "select.csv"]).await.unwrap();
    let tables = rows(&database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").await;
    assert_eq!(tables, ["a_drop_table_x_2j", "select_file", "t_2024"]);
    let columns = columns(&database, "a_drop_table_x_2j").await;
    assert_eq!(columns.len(), 5, "{columns:?}");
    assert_eq!(columns[2..], ["column_3 bigint", "a bigint", "A_2 bigint"]);
    assert!(!columns.concat().contains(char::is_control), "{columns:?}");
    let notes = notes(&database);
    for note in [
        "column 3 has no name and is called column_3",
        "column 5 is called A_2",
        "one of them is \"2023\"",
        "select.csv: it has no rows",
    ] {
        assert!(notes.contains(note), "`{note}` is not in {notes}");
    }
    assert!(!notes.contains("column_6"), "{notes}");
    database.close().await;
}

#[tokio::test]
async fn parquet_has_the_types_that_it_declares() {
    let folder = Folder::new().with("events.parquet", events());
    let folder = folder.with("again.parquet.zst", zstd::encode_all(events().as_slice(), 1).unwrap());
    let database = folder.load(&["events.parquet", "again.parquet.zst"]).await.unwrap();
    let expected = [
        "id bigint",
        "price numeric",
        "rate double precision",
        "paid boolean",
        "day date",
        "at timestamp without time zone",
        "seen timestamp with time zone",
        "name text",
        "key text",
        "tags jsonb",
    ];
    assert_eq!(columns(&database, "events").await, expected);
    assert_eq!(columns(&database, "again").await, expected);
    let statement =
        "SELECT id, price, rate, paid, day, at, seen AT TIME ZONE 'UTC', name, key, tags FROM events ORDER BY id";
    let expected = [
        "1|12.50|0.1|true|2024-01-31|2024-01-31 10:00:00.000001|2024-01-31 10:00:00|a\tb|\
         00112233-4455-6677-8899-aabbccddeeff|[7, 8]",
        "2|-0.05|~|false|1969-12-31|1969-12-31 23:59:59|1970-01-01 00:00:00|~|\
         00000000-0000-0000-0000-000000000000|[]",
    ];
    assert_eq!(rows(&database, statement).await, expected);
    database.close().await;
}

/// A Parquet file of two rows.
fn events() -> Vec<u8> {
    let schema = "message events {
        required int64 id;
        required int32 price (DECIMAL(9, 2));
        required double rate;
        required boolean paid;
        required int32 day (DATE);
        required int64 at (TIMESTAMP(NANOS, false));
        required int64 seen (TIMESTAMP(MILLIS, true));
        optional binary name (UTF8);
        required fixed_len_byte_array(16) key (UUID);
        required group tags (LIST) { repeated group list { required int32 element; } }
    }";
    let mut file = Vec::new();
    let properties = WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut write = |write: &dyn Fn(&mut SerializedColumnWriter<'_>)| {
        let mut column = group.next_column().unwrap().unwrap();
        write(&mut column);
        column.close().unwrap();
    };
    let second = 1_000_000_000;
    let noon = 1_706_695_200;
    let key = (0..16).map(|n| n * 0x11).collect::<Vec<u8>>();
    let keys = [key, vec![0; 16]].map(|key| FixedLenByteArray::from(ByteArray::from(key)));
    write(&|c| _ = c.typed::<Int64Type>().write_batch(&[1, 2], None, None).unwrap());
    write(&|c| _ = c.typed::<Int32Type>().write_batch(&[1250, -5], None, None).unwrap());
    write(&|c| _ = c.typed::<DoubleType>().write_batch(&[0.1, f64::NAN], None, None).unwrap());
    write(&|c| _ = c.typed::<BoolType>().write_batch(&[true, false], None, None).unwrap());
    write(&|c| _ = c.typed::<Int32Type>().write_batch(&[19_753, -1], None, None).unwrap());
    write(&|c| _ = c.typed::<Int64Type>().write_batch(&[noon * second + 1000, -second], None, None).unwrap());
    write(&|c| _ = c.typed::<Int64Type>().write_batch(&[noon * 1000, 0], None, None).unwrap());
    write(&|c| _ = c.typed::<ByteArrayType>().write_batch(&["a\tb".into()], Some(&[1, 0]), None).unwrap());
    write(&|c| _ = c.typed::<FixedLenByteArrayType>().write_batch(&keys, None, None).unwrap());
    write(&|c| _ = c.typed::<Int32Type>().write_batch(&[7, 8], Some(&[1, 1, 0]), Some(&[0, 1, 0])).unwrap());
    group.close().unwrap();
    writer.close().unwrap();
    file
}

#[tokio::test]
async fn files_are_loaded_into_a_new_engine_again_unless_they_changed() {
    let folder = Folder::new().with("sales.csv", "n\n7\n");
    let database = folder.load(&["sales.csv"]).await.unwrap();
    let short = Limits::of_query(std::time::Duration::from_millis(300), 10, None);
    let policy = explore::warehouse::sql::Policy {
        functions: ["pg_sleep".to_owned()].into(),
        ..explore::warehouse::sql::Policy::default()
    };
    let endless = explore::warehouse::sql::validate("SELECT pg_sleep(3600)", &policy).unwrap();
    database.select(&endless, &short).await.unwrap_err();
    assert_eq!(rows(&database, "SELECT n FROM sales").await, ["7"]);
    let folder = folder.with("sales.csv", "n\n8\n9\n");
    let gone = database.select(&endless, &short).await.unwrap_err().to_string();
    assert!(gone.contains("sales.csv: it was changed while it was read"), "{gone}");
    database.close().await;
    drop(folder);
}

#[tokio::test]
async fn what_is_done_with_the_files_is_told() {
    let csv = format!("n,text\n{}", lines(30_000, |n| format!("{n},{}\n", "x".repeat(50))));
    let folder = Folder::new().with("a.csv", csv);
    let steps = Mutex::new(Vec::new());
    let mut database = start(&SessionContext::default()).await.unwrap();
    let files = find(&[folder.path("a.csv")]).unwrap();
    database.load_files(files, &|step| steps.lock().unwrap().push(step)).await.unwrap();
    database.close().await;
    let told = steps.into_inner().unwrap().into_iter().map(|step| match step {
        Step::Doing(text) | Step::Done(text) | Step::Warning(text) => text,
    });
    let told = told.collect::<Vec<_>>().join("\n");
    let name = folder.path("a.csv").display().to_string();
    for text in [
        format!("reading {name}: 20,000 rows"),
        format!("loading {name}: 30,000 of 30,000 rows"),
        format!("table a: 30,000 rows and 2 columns of {name}"),
    ] {
        assert!(told.contains(&text), "`{text}` is not in {told}");
    }
}

#[tokio::test]
async fn a_script_loads_the_data_of_copy_as_a_dump_has_them() {
    let database = start(&SessionContext::default()).await.unwrap();
    let many = lines(200_000, |n| format!("{n}\tnumber {n}\n"));
    let script = format!(
        "\\restrict x\nCREATE TABLE t (n int, text text);\n\nCOPY public.t (n, text) FROM stdin;\n{many}-1\ta\\tb; \\\\.\n\\.\n\n\
         COPY t FROM STDIN WITH (FORMAT csv);\n-2,\"x\n;\"\n-3,\n\\.\nCREATE INDEX ON t (n);\n\\unrestrict x\n"
    );
    database.load(&script).await.unwrap();
    let found = rows(&database, "SELECT n, text FROM t WHERE n < 0 ORDER BY n DESC").await;
    assert_eq!(found, ["-1|a\tb; \\.", "-2|x\n;", "-3|~"]);
    assert_eq!(rows(&database, "SELECT count(*), sum(n) FROM t").await, ["200003|19999899994"]);

    let failed = database.load("CREATE TABLE u (n int);\nCOPY u FROM stdin;\n1\n2\nx\n\\.\n").await.unwrap_err();
    let expected =
        "line 5: column n: invalid input syntax for type integer: \"x\" (SQLSTATE 22P02); in: COPY u FROM stdin";
    assert_eq!(failed.to_string(), expected);
    database.load("INSERT INTO u VALUES (7)").await.unwrap();
    assert_eq!(rows(&database, "SELECT n FROM u").await, ["7"]);
    database.close().await;
}
