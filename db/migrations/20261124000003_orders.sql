-- migrate:up

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

-- migrate:down

DROP TABLE order_items;
DROP TABLE orders;
