//! Panics, backtraces and stack traces.

use super::Rows;

pub(super) const TRACES: Rows = &[
    (
        "rust-trace",
        3,
        &[
            "thread 'main' panicked at src/main.rs:‹number:1-900›:5:\nindex out of bounds: the len is 3 but the index is ‹number:3-99›",
            "thread 'tokio-runtime-worker' panicked at src/token.rs:‹number:1-900›:9:\ncalled `Option::unwrap()` on a `None` value\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
            "stack backtrace:\n   0: rust_begin_unwind\n             at /rustc/‹hex:40›/library/std/src/panicking.rs:662:5\n   1: core::panicking::panic_fmt\n   2: bookings::auth::check_password::h‹hex:16›",
            "   7:     0x‹hex:12› - <tokio::runtime::task::core::Core<T,S> as core::ops::Drop>::drop::h‹hex:16›",
            "called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit } (‹number:1-900›)",
            "called `Result::unwrap()` on an `Err` value: Error(\"missing field `password`\", line: 1, column: ‹number:1-900›)",
            "Error: failed to read key\n\nCaused by:\n    0: open /etc/keys/‹number:1-99›.pem\n    1: No such file or directory (os error 2)",
            "reqwest::Error { kind: Request, url: \"https://api.example.com/v1/seats/‹number:1-900›\", source: TimedOut }",
            "sqlx::Error::Database(PgDatabaseError { severity: Error, code: \"23505\", message: \"duplicate key value violates unique constraint\", detail: Some(\"Key (id)=(‹number:1-900›) already exists.\") })",
        ],
    ),
    (
        "java-trace",
        3,
        &[
            "java.lang.NullPointerException: Cannot invoke \"String.length()\" because \"password\" is null\n\tat com.example.auth.Login.check(Login.java:‹number:1-900›)",
            "org.springframework.security.authentication.BadCredentialsException: Bad credentials\n\tat org.springframework.security.authentication.dao.DaoAuthenticationProvider.additionalAuthenticationChecks(DaoAuthenticationProvider.java:‹number:1-900›)",
            "org.apache.kafka.common.errors.SaslAuthenticationException: Authentication failed: Invalid username or password (attempt ‹number:1-900›)",
            "java.security.InvalidKeyException: Illegal key size: ‹number:1-900›\n\tat javax.crypto.Cipher.checkCryptoPerm(Cipher.java:1039)",
            "io.jsonwebtoken.ExpiredJwtException: JWT expired ‹number:1-900› milliseconds ago at ‹time:rfc3339›.",
            "com.example.Seat@‹hex:8›\n\tat com.example.Seat$$Lambda$‹number:1-900›/0x‹hex:16›.apply(Unknown Source)",
            "\tat jdk.internal.reflect.GeneratedMethodAccessor‹number:1-900›.invoke(Unknown Source)",
        ],
    ),
    (
        "python-trace",
        3,
        &[
            "Traceback (most recent call last):\n  File \"/app/auth.py\", line ‹number:1-900›, in login\n    token = body[\"token\"]\nKeyError: 'token'",
            "  File \"/usr/lib/python3.12/site-packages/jwt/api_jwt.py\", line ‹number:1-900›, in decode\njwt.exceptions.ExpiredSignatureError: Signature has expired",
            "TypeError: login() missing 1 required positional argument: 'password' (line ‹number:1-900›)",
            "<Booking object at 0x‹hex:12›>",
            "botocore.exceptions.NoCredentialsError: Unable to locate credentials (attempt ‹number:1-900›)",
        ],
    ),
    (
        "go-trace",
        3,
        &[
            "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x‹hex:6›]\n\ngoroutine ‹number:1-900› [running]:\nmain.checkToken(0xc000‹hex:6›)",
            "goroutine ‹number:1-900› [chan receive, 4 minutes]:\nnet/http.(*persistConn).readLoop(0xc000‹hex:6›)\n\t/usr/local/go/src/net/http/transport.go:2205 +0x‹hex:4›",
            "rpc error: code = Unauthenticated desc = invalid token (attempt ‹number:1-900›)",
            "x509: certificate signed by unknown authority (serial ‹digits:20›)",
        ],
    ),
    (
        "node-trace",
        3,
        &[
            "TypeError: Cannot read properties of undefined (reading 'token')\n    at login (/app/dist/auth.js:‹number:1-900›:17)\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
            "JsonWebTokenError: jwt malformed\n    at module.exports [as verify] (/app/node_modules/jsonwebtoken/verify.js:‹number:1-900›:17)",
            "Error: connect ECONNREFUSED ‹ip›:6379\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1607:16)",
            "UnhandledPromiseRejection: password is required, code: 'ERR_‹number:1-900›'",
            "at Object.<anonymous> (webpack-internal:///(rsc)/./src/app/token/page.tsx:‹number:1-900›:68)",
        ],
    ),
    (
        "other-trace",
        3,
        &[
            "System.UnauthorizedAccessException: Access to the path '/keys/‹number:1-900›' is denied.\n   at System.IO.FileStream..ctor(String path)",
            "NoMethodError (undefined method `token' for nil:NilClass):\napp/controllers/sessions_controller.rb:‹number:1-900›:in `create'",
            "PHP Fatal error:  Uncaught TypeError: password_verify(): Argument #1 ($password) must be of type string, null given in /app/login.php:‹number:1-900›",
            "segfault at ‹hex:12› ip ‹hex:16› sp ‹hex:16› error 4 in libssl.so.3[‹hex:12›+5c000]",
            "#4  0x‹hex:16› in SSL_CTX_use_PrivateKey_file () from /lib/x86_64-linux-gnu/libssl.so.3",
        ],
    ),
];
