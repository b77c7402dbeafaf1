-- migrate:up

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

-- migrate:down

DROP TABLE product_terms;
DROP TABLE products;
