-- The whole schema, as the migrations leave it: a test compares both.
--
--   mysql backoffice < db/schema.sql
--
-- MySQL 8.4 and later, MariaDB 10.11 and later. All times are UTC, money is in cents. The accounts
-- of the services and what each may do are in db/accounts.py.

SET NAMES utf8mb4;

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

-- Products and their stock.
CREATE TABLE products (
    id          BIGINT       NOT NULL AUTO_INCREMENT,
    sku         VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name        VARCHAR(200) NOT NULL,
    price_cents BIGINT       NOT NULL,
    -- Units that can still be sold: those of living orders are taken off already.
    stock       BIGINT       NOT NULL,
    search_text TEXT         NOT NULL,
    version     BIGINT       NOT NULL DEFAULT 1,
    created_at  DATETIME(3)  NOT NULL DEFAULT (UTC_TIMESTAMP(3)),
    updated_at  DATETIME(3)  NOT NULL DEFAULT (UTC_TIMESTAMP(3)),
    -- The SKU is kept as it was given, and unique with its case aside.
    sku_key     VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin
                GENERATED ALWAYS AS (LOWER(sku)) VIRTUAL,
    PRIMARY KEY (id),
    UNIQUE KEY products_sku_key (sku_key),
    CONSTRAINT products_name_not_empty CHECK (name <> ''),
    CONSTRAINT products_price_not_negative CHECK (price_cents >= 0),
    -- The last line of defence: stock is never sold twice.
    CONSTRAINT products_stock_not_negative CHECK (stock >= 0)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row for each word of a product's SKU and name.
CREATE TABLE product_terms (
    term       VARCHAR(64) NOT NULL,
    product_id BIGINT      NOT NULL,
    PRIMARY KEY (term, product_id),
    KEY product_terms_product (product_id),
    CONSTRAINT product_terms_product FOREIGN KEY (product_id) REFERENCES products (id)
        ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Orders. CREATED -> CONFIRMED -> CANCELED, or CREATED -> CANCELED.
CREATE TABLE orders (
    id           BIGINT      NOT NULL AUTO_INCREMENT,
    customer_id  BIGINT      NOT NULL,
    status       ENUM ('CREATED', 'CONFIRMED', 'CANCELED')
                 CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'CREATED',
    total_cents  BIGINT      NOT NULL,
    version      BIGINT      NOT NULL DEFAULT 1,
    created_at   DATETIME(3) NOT NULL DEFAULT (UTC_TIMESTAMP(3)),
    -- The time to cancel a confirmed order counts from here.
    confirmed_at DATETIME(3) NULL,
    canceled_at  DATETIME(3) NULL,
    PRIMARY KEY (id),
    -- One index for each set of filters of the list, each ending in the order of the list: a page
    -- then reads just its own rows, however deep it lies.
    KEY orders_by_time (created_at, id),
    KEY orders_by_status (status, created_at, id),
    KEY orders_by_customer (customer_id, created_at, id),
    KEY orders_by_customer_and_status (customer_id, status, created_at, id),
    CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id),
    -- 2^53 - 1: what every JSON reader keeps exactly.
    CONSTRAINT orders_total_in_range CHECK (total_cents BETWEEN 0 AND 9007199254740991),
    CONSTRAINT orders_times_fit_status CHECK (
        (status = 'CREATED' AND confirmed_at IS NULL AND canceled_at IS NULL)
        OR (status = 'CONFIRMED' AND confirmed_at IS NOT NULL AND canceled_at IS NULL)
        OR (status = 'CANCELED' AND canceled_at IS NOT NULL)
    )
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The items of an order: one for each product, with the price as it was when the order was taken.
CREATE TABLE order_items (
    id               BIGINT NOT NULL AUTO_INCREMENT,
    order_id         BIGINT NOT NULL,
    product_id       BIGINT NOT NULL,
    qty              BIGINT NOT NULL,
    unit_price_cents BIGINT NOT NULL,
    subtotal_cents   BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY order_items_order_product (order_id, product_id),
    KEY order_items_product (product_id),
    CONSTRAINT order_items_order FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT order_items_product FOREIGN KEY (product_id) REFERENCES products (id),
    CONSTRAINT order_items_qty_positive CHECK (qty > 0),
    CONSTRAINT order_items_price_not_negative CHECK (unit_price_cents >= 0),
    CONSTRAINT order_items_subtotal CHECK (subtotal_cents = qty * unit_price_cents)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

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
