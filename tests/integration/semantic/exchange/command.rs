use super::{contents, material};
use crate::support::program::Program;

#[test]
fn an_import_prints_the_files_and_tells_what_is_not_taken_without_a_database() {
    let program = Program::new();
    let manifest = material("dbt/manifest.json").display().to_string();
    let outcome = program.run(&["schema", "import", "dbt", &manifest]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let printed = outcome.stdout.lines().collect::<Vec<_>>();
    assert!(
        printed.contains(&"metadata/schema/table.json") && printed.contains(&"metadata/fct_orders.json"),
        "{printed:?}"
    );
    assert!(printed.contains(&"metadata/raw.customers.json"), "{printed:?}");
    let told = "not taken: metric revenue_so_far: a cumulative metric is no aggregate over rows";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    let again = program.run(&["schema", "import", "dbt", &manifest, "--quiet"]);
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (0, "", ""));
}

#[test]
fn a_conflict_is_told_and_replace_takes_the_import() {
    let program = Program::new();
    let model = material("ossie/tpcds_semantic_model.yaml").display().to_string();
    std::fs::create_dir(program.path("meaning")).unwrap();
    let program = program.file("meaning/store.json", r#"{"description": "Our shops."}"#);
    let arguments = ["schema", "import", "ossie", &model, "--metadata", "meaning"];
    let outcome = program.run(&arguments);
    assert!(outcome.stderr.contains("store: description stays \"Our shops.\""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--replace takes what is imported instead"), "{}", outcome.stderr);
    let description = || {
        let contents = contents(&program.path("meaning"));
        contents.into_iter().find(|(name, _)| name == "store.json").unwrap().1.description.unwrap()
    };
    assert_eq!(description(), "Our shops.");
    program.run(&[&arguments[..], &["--replace"]].concat());
    assert!(description().starts_with("Store dimension"), "{}", description());
}

#[test]
fn an_export_is_written_and_what_cannot_be_read_is_a_wrong_use() {
    let program = Program::new();
    let model = material("ossie/tpcds_semantic_model.yaml").display().to_string();
    program.run(&["schema", "import", "ossie", &model]);
    let outcome = program.run(&["schema", "export", "ossie", "out.yaml"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "out.yaml\n"), "{}", outcome.stderr);
    assert!(std::fs::read_to_string(program.path("out.yaml")).unwrap().contains("SUM(store_sales.ss_net_profit)"));
    let check = |arguments: &[&str], expected: &str| {
        let outcome = program.run(arguments);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    };
    check(&["schema", "import", "dbt", "nowhere.json"], "nowhere.json: cannot be read: No such file");
    check(&["schema", "import", "ossie", &material("ossie/flights.yaml").display().to_string()], "is an ontology");
    check(
        &["schema", "export", "ossie", "x.yaml", "--metadata", "nowhere"],
        "nowhere: cannot be read as a metadata directory",
    );
}
