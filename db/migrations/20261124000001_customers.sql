-- migrate:up

-- Customers. Kept after deletion (a soft delete), because their orders refer to them.
CREATE TABLE customers (
    id          BIGINT       NOT NULL AUTO_INCREMENT,
    name        VARCHAR(200) NOT NULL,
    -- ASCII and lower case, compared byte for byte: an accent-insensitive index would take
    -- josé@example.com for jose@example.com.
    email       VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    phone       VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    -- The words of name, e-mail and phone as search sees them, each after a blank:
    -- " acme corp ops acme com 34910000001". Filters what customer_terms found.
    search_text TEXT         NOT NULL,
    -- Counts the changes; the ETag is made of it. Two changes may fall into one millisecond.
    version     BIGINT       NOT NULL DEFAULT 1,
    created_at  DATETIME(3)  NOT NULL DEFAULT (UTC_TIMESTAMP(3)),
    updated_at  DATETIME(3)  NOT NULL DEFAULT (UTC_TIMESTAMP(3)),
    deleted_at  DATETIME(3)  NULL,
    -- An e-mail is unique among the living alone: a deleted customer's is NULL here, and a unique
    -- index takes any number of NULLs.
    live_email  VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin
                GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN email END) VIRTUAL,
    PRIMARY KEY (id),
    UNIQUE KEY customers_live_email (live_email),
    -- A page of the living, newest first, reads just its own rows however many were deleted.
    KEY customers_living (deleted_at, id),
    CONSTRAINT customers_name_not_empty CHECK (name <> ''),
    CONSTRAINT customers_email_lower_case CHECK (email = LOWER(email))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row for each word of a living customer, for search by the beginnings of words.
CREATE TABLE customer_terms (
    -- The word's first 64 characters: enough to find it, search_text has all of it.
    term        VARCHAR(64) NOT NULL,
    customer_id BIGINT      NOT NULL,
    PRIMARY KEY (term, customer_id),
    KEY customer_terms_customer (customer_id),
    CONSTRAINT customer_terms_customer FOREIGN KEY (customer_id) REFERENCES customers (id)
        ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- migrate:down

DROP TABLE customer_terms;
DROP TABLE customers;
