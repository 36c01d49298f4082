//! Names and their secrets as programs of all kinds write them, and what only looks so.

use super::{looks, redact};

#[test]
fn no_part_of_a_secret_is_left_however_it_is_written() {
    for text in [
        // In columns.
        "password                 = \"Zebra77\"",
        "  Password:             Zebra77",
        // In bold.
        "**password**: Zebra77",
        "**Password:** Zebra77",
        // As bytes, and as other languages mark a text.
        "Login { password: b\"Zebra77\" }",
        "{'password': u'Zebra77'}",
        "{b'password': b'Zebra77'}",
        "WHERE password = E'Zebra77'",
        "password=$'Zebra77'",
        "password: &\"Zebra77\"",
        "[\"password\"]=> string(7) \"Zebra77\"",
        // With quotes in it.
        "password='x''Zebra77'",
        "User{password='x'Zebra77'}",
        "password=x'Zebra77",
        "password=x<Zebra77",
        "password=''Zebra77''",
        "\"{\"\"password\"\":\"\"Zebra77\"\"}\"",
        "password = \"\"\"Zebra77\"\"\"",
        // On the next line.
        "{\n  \"password\":\n    \"Zebra77\"\n}",
        "password: |\n  x\n  Zebra77\nuser: bob",
        // Beside its name.
        "{\"name\":\"DB_PASSWORD\",\"value\":\"Zebra77\"}",
        "{\"type\":\"password\",\"value\":\"Zebra77\",\"temporary\":false}",
        "{\\\"name\\\":\\\"DB_PASSWORD\\\",\\\"value\\\":\\\"Zebra77\\\"}",
        "{\n  \"name\": \"DB_PASSWORD\",\n  \"value\": \"Zebra77\"\n}",
        "- name: DB_PASSWORD\n  value: Zebra77",
        "<add key=\"Password\" value=\"Zebra77\"/>",
        "env: [{Name:DB_PASSWORD Value:Zebra77 ValueFrom:nil}]",
        // In a statement, a form, a header.
        "ALTER ROLE app WITH PASSWORD 'x''Zebra77' VALID UNTIL 'infinity'",
        "CREATE USER app IDENTIFIED WITH sha256_password BY 'Zebra77'",
        "Content-Disposition: form-data; name=\"password\"\r\n\r\nx\r\nZebra77\r\n--b",
        "Content-Disposition: form-data; name=\\\"password\\\"\\r\\n\\r\\nZebra77\\r\\n--b",
        "Authorization: Custom Zebra77",
        "authorization: Digest username=\"bob\", nonce=\"x\", response=\"Zebra77\"",
        "\"Authorization\": \"OAuth realm=x, oauth_signature=Zebra77\"",
        // In an address.
        "postgres://app:4x/Zebra77@db/x",
        "nats://app:x/Zebra77@nats:4222",
        // Cards.
        "card=4111+1111+1111+1111",
        "4111 - 1111 - 1111 - 1111",
        "**4111111111111111**",
        "****4111111111111111",
        "٤١١١١١١١١١١١١١١١",
    ] {
        assert!(looks(text), "{text}");
        let (clean, _) = redact(text);
        assert!(!clean.contains("Zebra"), "{text}: {clean}");
        assert!(
            !clean.contains("4111") && !clean.contains("٤١١١"),
            "{text}: {clean}"
        );
        assert_eq!(redact(&clean), (clean.clone(), vec![]), "{text}");
    }
}

#[test]
fn what_only_looks_so_is_left() {
    for text in [
        "secret:\n  name: db-url",
        "password: |",
        "password=\"\" user=\"bob\"",
        "{'password': '', 'user': 'bob'}",
        "password = '' OR '1'='1'",
        "{\"name\":\"password\",\"in\":\"body\",\"type\":\"string\"}",
        "{\"key\":\"session\",\"value\":\"abc\"}",
        "name: colour, value: red",
        "type=password value=",
        "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
        "syntax error at or near \"PASSWORD\" at character 20",
        "SECURED BY 'bob'",
        "Content-Type: multipart/form-data; boundary=x",
        "Content-Disposition: form-data; name=\"note\"\r\n\r\nfine\r\n--b",
        "authorization: denied for user 42",
        "postgres://db:5432,db2:5432/x?mail=a@b",
        "1+1+1+1 and 2024 - 05 - 17",
        "****1111, then ****4444",
        "if password == \"\" { return }",
    ] {
        assert_eq!(redact(text), (text.to_owned(), vec![]));
    }
}
