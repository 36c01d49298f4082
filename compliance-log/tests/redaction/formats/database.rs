//! How services reach their databases and brokers.

use super::Rows;

pub(super) const TEXTS: Rows = &[
    (
        "user-statement",
        &[
            "ALTER ROLE booking WITH PASSWORD '«base62:16»'",
            "alter role booking with login password '«base62:16»' valid until 'infinity'",
            "create user booking identified by '«base62:16»'",
        ],
    ),
    (
        "postgres-url",
        &[
            "postgres://booking:«password:20»@db-1.internal:5432/bookings?sslmode=require",
            "postgresql://booking:«password:20»@10.0.3.17/bookings",
            "postgres://booking:«base62:9»%24«base62:9»@db/bookings",
        ],
    ),
    (
        "mysql-url",
        &[
            "mysql://booking:«password:18»@db-1:3306/bookings",
            "mysql+pymysql://root:«password:18»@db/b",
        ],
    ),
    (
        "mongodb-url",
        &[
            "mongodb+srv://booking:«password:18»@cluster0.a1b2c.mongodb.net/?retryWrites=true",
            "mongodb://booking:«password:18»@m1:27017,m2:27017/admin?replicaSet=rs0",
        ],
    ),
    (
        "redis-url",
        &[
            "redis://:«password:24»@cache-1:6379/0",
            "rediss://default:«password:24»@cache.internal:6380",
        ],
    ),
    (
        "amqp-url",
        &[
            "amqp://booking:«password:18»@rabbit-1:5672/%2Fbookings",
            "amqps://b:«password:18»@rabbit:5671",
        ],
    ),
    (
        "broker-url",
        &[
            "nats://booking:«password:18»@nats-1:4222",
            "smtp://mailer:«password:18»@mail.internal:587",
            "clickhouse://default:«password:18»@ch-1:9000/events",
            "ldap://cn=svc:«password:18»@ldap.internal",
        ],
    ),
    (
        "url-userinfo",
        &[
            "https://deploy:«password:20»@git.internal/bookings.git",
            "https://x-access-token:«password:40»@github.com/airline/bookings.git",
            "ftp://files:«password:12»@ftp.internal/in",
        ],
    ),
    (
        "jdbc-url",
        &[
            "jdbc:postgresql://db-1:5432/bookings?user=booking&password=«password:18»",
            "jdbc:sqlserver://db-1:1433;databaseName=bookings;user=sa;password=«password:18»;encrypt=true",
            "jdbc:mysql://booking:«password:18»@db-1:3306/bookings",
            "jdbc:oracle:thin:booking/«password:18»@//db-1:1521/XE",
        ],
    ),
    (
        "ado-net-connection",
        &[
            "Server=tcp:db-1,1433;Database=bookings;User Id=booking;Password=«password:signs»;Encrypt=True",
            "Data Source=db-1;Initial Catalog=bookings;User ID=booking;Pwd=«password:18»;",
            "Host=db-1;Username=booking;Password=«password:18»;Database=bookings",
        ],
    ),
    (
        "libpq-connection",
        &[
            "host=db-1 port=5432 dbname=bookings user=booking password=«password:18» sslmode=require",
            "host=db-1 user=booking password='«password:phrase»' dbname=bookings",
        ],
    ),
    (
        "kafka-jaas",
        &[
            "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
             username=\"booking\" password=\"«password:24»\";",
            "org.apache.kafka.common.security.scram.ScramLoginModule required username='booking' \
             password='«password:24»';",
        ],
    ),
    (
        "go-mysql-dsn",
        &["booking:«password:18»@tcp(db-1:3306)/bookings?parseTime=true"],
    ),
];
