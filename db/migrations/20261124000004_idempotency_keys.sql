-- migrate:up

-- What was done under an idempotency key, and the response that a repeat gets again. Written in the
-- transaction of the effect itself, as its last statement.
CREATE TABLE idempotency_keys (
    -- Compared byte for byte: even ascii_bin would ignore blanks at the end.
    `key`         VARBINARY(255) NOT NULL,
    -- The operation ("order.create", "order.confirm", "order.cancel") and the order that it acted on.
    target_type   VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    target_id     BIGINT       NOT NULL,
    -- SHA-256 of operation, target and JSON value of the request: tells a repeat from a reuse.
    fingerprint   BINARY(32)   NOT NULL,
    -- The first response. The body is bytes, not JSON: that type would reorder them.
    status        SMALLINT UNSIGNED NOT NULL,
    location      VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
    etag          VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    response_body MEDIUMBLOB   NOT NULL,
    created_at    DATETIME(3)  NOT NULL DEFAULT (UTC_TIMESTAMP(3)),
    expires_at    DATETIME(3)  NOT NULL,
    PRIMARY KEY (`key`),
    -- For the purge.
    KEY idempotency_keys_expiry (expires_at),
    CONSTRAINT idempotency_keys_key_not_empty CHECK (`key` <> '')
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- migrate:down

DROP TABLE idempotency_keys;
