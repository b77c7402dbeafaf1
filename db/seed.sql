-- Example data: six customers, ten products, and orders in all three states.
--
--   mysql backoffice < db/seed.sql
--
-- For an empty database; scripts/seed leaves one alone that has rows. Stock is what is left after the
-- living orders below, and versions count what those orders did. The words (search_text and the
-- tables of terms) are what the services would write; a test compares them.

SET NAMES utf8mb4;
SET time_zone = '+00:00';

START TRANSACTION;

INSERT INTO customers (id, name, email, phone, search_text, created_at, updated_at) VALUES
    (1, 'ACME', 'ops@acme.com', '+34 910 000 001',
     ' acme ops com 34 910 000 001 34910000001',
     '2026-01-05 09:00:00.000', '2026-01-05 09:00:00.000'),
    (2, 'Café Ñandú S.L.', 'pedidos@cafe-nandu.example', '+34 932 000 002',
     ' cafe nandu s l pedidos example 34 932 000 002 34932000002',
     '2026-01-06 09:00:00.000', '2026-01-06 09:00:00.000'),
    (3, 'Müller & Söhne GmbH', 'einkauf@mueller.example', '+49 (30) 555-0003',
     ' muller sohne gmbh einkauf mueller example 49 30 555 0003 49305550003',
     '2026-01-07 09:00:00.000', '2026-01-07 09:00:00.000'),
    (4, 'Northwind Traders', 'buying@northwind.example', '+1 206 555 0104',
     ' northwind traders buying example 1 206 555 0104 12065550104',
     '2026-01-08 09:00:00.000', '2026-01-08 09:00:00.000'),
    (5, 'Distribuciones Pérez', 'compras@perez.example', NULL,
     ' distribuciones perez compras example',
     '2026-01-09 09:00:00.000', '2026-01-09 09:00:00.000'),
    (6, 'Globex Corporation', 'orders@globex.example', '+1 (555) 010-0006',
     ' globex corporation orders example 1 555 010 0006 15550100006',
     '2026-01-10 09:00:00.000', '2026-01-10 09:00:00.000');

INSERT INTO customer_terms (customer_id, term) VALUES
    (1, '000'), (1, '001'), (1, '34'), (1, '34910000001'), (1, '910'), (1, 'acme'), (1, 'com'),
    (1, 'ops'),
    (2, '000'), (2, '002'), (2, '34'), (2, '34932000002'), (2, '932'), (2, 'cafe'), (2, 'example'),
    (2, 'l'), (2, 'nandu'), (2, 'pedidos'), (2, 's'),
    (3, '0003'), (3, '30'), (3, '49'), (3, '49305550003'), (3, '555'), (3, 'einkauf'),
    (3, 'example'), (3, 'gmbh'), (3, 'mueller'), (3, 'muller'), (3, 'sohne'),
    (4, '0104'), (4, '1'), (4, '12065550104'), (4, '206'), (4, '555'), (4, 'buying'),
    (4, 'example'), (4, 'northwind'), (4, 'traders'),
    (5, 'compras'), (5, 'distribuciones'), (5, 'example'), (5, 'perez'),
    (6, '0006'), (6, '010'), (6, '1'), (6, '15550100006'), (6, '555'), (6, 'corporation'),
    (6, 'example'), (6, 'globex'), (6, 'orders');

INSERT INTO products
    (id, sku, name, price_cents, stock, version, search_text, created_at, updated_at)
VALUES
    (1, 'MON-27', 'Monitor 27" 4K', 32900, 400, 3, ' mon 27 monitor 4k',
     '2026-01-05 10:01:00.000', '2026-01-05 10:01:00.000'),
    (2, 'LAP-14', 'Laptop 14" 16 GB', 129900, 100000, 3, ' lap 14 laptop 16 gb',
     '2026-01-05 10:02:00.000', '2026-01-05 10:02:00.000'),
    (3, 'DOCK-USB-C', 'Dock USB-C, 2 displays', 14900, 800, 2, ' dock usb c 2 displays',
     '2026-01-05 10:03:00.000', '2026-01-05 10:03:00.000'),
    (4, 'KEY-ES', 'Teclado español', 4900, 2500, 2, ' key es teclado espanol',
     '2026-01-05 10:04:00.000', '2026-01-05 10:04:00.000'),
    (5, 'MOU-WL', 'Wireless mouse', 2450, 3000, 2, ' mou wl wireless mouse',
     '2026-01-05 10:05:00.000', '2026-01-05 10:05:00.000'),
    (6, 'CHAIR-ERGO', 'Ergonomic chair', 25900, 150, 3, ' chair ergo ergonomic',
     '2026-01-05 10:06:00.000', '2026-01-05 10:06:00.000'),
    (7, 'DESK-160', 'Height-adjustable desk 160 cm', 48900, 75, 3, ' desk 160 height adjustable cm',
     '2026-01-05 10:07:00.000', '2026-01-05 10:07:00.000'),
    (8, 'CABLE-HDMI-2M', 'HDMI cable 2 m', 1290, 10000, 2, ' cable hdmi 2m 2 m',
     '2026-01-05 10:08:00.000', '2026-01-05 10:08:00.000'),
    (9, 'HEADSET-NC', 'Noise-cancelling headset', 17900, 600, 1, ' headset nc noise cancelling',
     '2026-01-05 10:09:00.000', '2026-01-05 10:09:00.000'),
    (10, 'WEBCAM-1080', 'Webcam 1080p', 6990, 0, 1, ' webcam 1080 1080p',
     '2026-01-05 10:10:00.000', '2026-01-05 10:10:00.000');

INSERT INTO product_terms (product_id, term) VALUES
    (1, '27'), (1, '4k'), (1, 'mon'), (1, 'monitor'),
    (2, '14'), (2, '16'), (2, 'gb'), (2, 'lap'), (2, 'laptop'),
    (3, '2'), (3, 'c'), (3, 'displays'), (3, 'dock'), (3, 'usb'),
    (4, 'es'), (4, 'espanol'), (4, 'key'), (4, 'teclado'),
    (5, 'mou'), (5, 'mouse'), (5, 'wireless'), (5, 'wl'),
    (6, 'chair'), (6, 'ergo'), (6, 'ergonomic'),
    (7, '160'), (7, 'adjustable'), (7, 'cm'), (7, 'desk'), (7, 'height'),
    (8, '2'), (8, '2m'), (8, 'cable'), (8, 'hdmi'), (8, 'm'),
    (9, 'cancelling'), (9, 'headset'), (9, 'nc'), (9, 'noise'),
    (10, '1080'), (10, '1080p'), (10, 'webcam');

-- CANCELED from CREATED is order 3, CANCELED from CONFIRMED (within 10 minutes) is order 5.
INSERT INTO orders
    (id, customer_id, status, total_cents, version, created_at, confirmed_at, canceled_at)
VALUES
    (1, 1, 'CREATED', 144800, 1, '2026-02-02 08:30:00.000', NULL, NULL),
    (2, 2, 'CONFIRMED', 99300, 2, '2026-02-03 11:15:00.000', '2026-02-03 11:16:30.000', NULL),
    (3, 3, 'CANCELED', 51800, 2, '2026-02-04 16:45:00.000', NULL, '2026-02-04 17:00:00.000'),
    (4, 1, 'CONFIRMED', 389700, 2, '2026-02-05 09:00:00.000', '2026-02-05 09:00:01.250', NULL),
    (5, 4, 'CANCELED', 114700, 3, '2026-02-06 12:00:00.000', '2026-02-06 12:01:00.000',
     '2026-02-06 12:05:00.000');

INSERT INTO order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents) VALUES
    (1, 2, 1, 129900, 129900),
    (1, 3, 1, 14900, 14900),
    (2, 4, 10, 4900, 49000),
    (2, 5, 10, 2450, 24500),
    (2, 8, 20, 1290, 25800),
    (3, 6, 2, 25900, 51800),
    (4, 2, 3, 129900, 389700),
    (5, 1, 2, 32900, 65800),
    (5, 7, 1, 48900, 48900);

COMMIT;
