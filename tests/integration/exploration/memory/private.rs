//! Who may read what a run writes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::{Nights, OFFLINE};

#[tokio::test]
async fn reports_and_journals_are_for_their_owner_alone() {
    let nights = Nights::new("memory_private").await;
    fs::create_dir_all(nights.program.path("metadata/verified")).unwrap();
    let question =
        "-- question: how many tickets\n-- expect: n between 0 and 1000000\nSELECT count(*) AS n FROM tickets";
    fs::write(nights.program.path("metadata/verified/tickets.sql"), question).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    // Under the most generous umask.
    let write = |arguments: &[&str]| {
        let output = nights.program.command_after("umask 000").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    write(&[&OFFLINE[..], &["-o", "run.json"]].concat());
    let run = fs::read_dir(nights.program.path("runs")).unwrap().next().unwrap().unwrap();
    assert_eq!(mode(&run.path().join("journal.jsonl")), 0o600);
    assert_eq!(mode(&nights.program.path("run.json")), 0o600);
    for (command, file) in [
        (&["replay", "latest"][..], "report.txt"),
        (&["replay", "latest"], "report.md"),
        (&["replay", "latest"], "report.html"),
        (&["sql", "SELECT 1 AS one"], "rows.csv"),
        (&["verify"], "verified.json"),
    ] {
        write(&[command, &["-o", file]].concat());
        assert_eq!(mode(&nights.program.path(file)), 0o600, "{file}");
        // Whoever chose another mode keeps it.
        fs::set_permissions(nights.program.path(file), Permissions::from_mode(0o640)).unwrap();
        write(&[command, &["-o", file]].concat());
        assert_eq!(mode(&nights.program.path(file)), 0o640, "{file}");
    }
}
