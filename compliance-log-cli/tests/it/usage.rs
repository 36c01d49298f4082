use std::path::Path;

use crate::command::run;

#[test]
fn wrong_arguments_exit_3_and_name_the_mistake() {
    for (arguments, named) in [
        (vec!["verfy", "x"], "'verfy'"),
        (vec!["show", ".", "--seq", "9..7"], "9 comes after 7"),
        (vec!["show", ".", "--since", "yesterday"], "yesterday"),
        (vec!["show", ".", "--where", "novalue"], "key=value"),
        (vec!["verify", ".", "--threads", "0"], "--threads"),
        (vec!["show", ".", "--category", "audits"], "audits"),
        (vec!["schema", "dif"], "'dif'"),
        (vec!["schema", "diff", "one"], "<NEW>"),
        (vec![], "Usage"),
    ] {
        let said = run(Path::new("/nowhere"), &arguments);
        assert_eq!(said.code, 3, "{arguments:?}: {}", said.err);
        assert!(said.err.contains(named), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "");
    }
}

#[test]
fn help_exits_0_and_names_the_rights_that_each_verb_needs() {
    for verb in ["verify", "show", "tail", "observe-report", "schema"] {
        let said = run(Path::new("/nowhere"), [verb, "--help"]);
        assert_eq!(said.code, 0);
        assert!(said.out.contains("Needs: read access"), "{}", said.out);
    }
    for (verbs, named) in [
        (&["prove"][..], "Needs: read access to the store"),
        (&["check-proof"], "1  that is not shown"),
        (&["witness", "serve"], "Needs: write access to DIR"),
        (
            &["witness", "submit"],
            "1  another history of this store exists",
        ),
        (&["witness", "origins"], "Needs: access to the witness"),
        (&["keys", "init"], "Needs: write access to the folder"),
        (&["keys", "request"], "Needs: read access to the store"),
        (
            &["keys", "certify"],
            "Needs: read access to the files given",
        ),
        (&["keys", "rotate"], "Needs: write access to the store"),
        (&["keys", "revoke"], "Needs: read access to the private key"),
        (&["keys", "show"], "Needs: read access to the file"),
        (&["evidence", "show"], "1  it did not"),
    ] {
        let said = run(Path::new("/nowhere"), verbs.iter().chain(&["--help"]));
        assert_eq!(said.code, 0, "{verbs:?}");
        assert!(said.out.contains(named), "{}", said.out);
    }
    let said = run(Path::new("/nowhere"), ["schema", "diff", "--help"]);
    assert!(said.out.contains("Needs: read access"), "{}", said.out);
    assert!(said.out.contains("1  breaking"), "{}", said.out);
    let said = run(Path::new("/nowhere"), ["--help"]);
    assert!(said.out.contains("4  torn only"), "{}", said.out);
}

#[test]
fn a_missing_folder_is_named_with_what_to_do() {
    let said = run(Path::new("/nowhere"), ["show", "/nowhere/at/all"]);
    assert_eq!(said.code, 3);
    assert_eq!(
        said.err,
        "error: cannot open [DIR]/at/all: No such file or directory (os error 2)\n\
         hint: give the folder of a store, or a folder of stores\n"
    );
}
