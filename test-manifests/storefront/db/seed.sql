INSERT INTO categories (slug, name, position) VALUES
  ('tea', 'Tea', 1), ('coffee', 'Coffee', 2), ('kitchen', 'Kitchen', 3),
  ('garden', 'Garden', 4), ('stationery', 'Stationery', 5), ('outdoors', 'Outdoors', 6),
  ('odds-and-ends', 'Odds and ends', NULL); -- not in the menu: whatever has no better place

-- Twenty products in each category: every adjective with every noun.
WITH words (category, adjectives, nouns) AS (VALUES
  ('tea',        '{Smoky,Golden,Highland,Evening}'::text[],   '{Assam,Oolong,Sencha,Rooibos,Earl Grey}'::text[]),
  ('coffee',     '{Dark,Mellow,Harbour,Morning}',             '{Espresso,Filter Roast,Decaf,Robusta,House Blend}'),
  ('kitchen',    '{Enamel,Beech,Copper,Stoneware}',           '{Kettle,Ladle,Mixing Bowl,Colander,Storage Jar}'),
  ('garden',     '{Heritage,Compact,Cedar,Galvanised}',       '{Watering Can,Trowel,Planter,Seed Tray,Bird Table}'),
  ('stationery', '{Linen,Pocket,Ruled,Marbled}',              '{Notebook,Folder,Letter Set,Diary,Sketchbook}'),
  ('outdoors',   '{Waxed,Folding,Lightweight,Northern}',      '{Rucksack,Camp Stool,Lantern,Blanket,Flask}')
),
combined AS (
  SELECT category, adjective || ' ' || noun AS name, row_number() OVER () AS n
  FROM words, unnest(adjectives) AS adjective, unnest(nouns) AS noun
)
INSERT INTO products (category_id, slug, name, description, price_cents, stock, created_at)
SELECT categories.id, lower(replace(combined.name, ' ', '-')), combined.name,
       combined.name || ' from our ' || lower(categories.name) || ' shelf, packed by hand and sent within two days.',
       250 + (n * 137 % 77) * 50, 20 + n * 7 % 60, now() - n * interval '1 day'
FROM combined JOIN categories ON categories.slug = combined.category;

INSERT INTO customers (email, name, password_hash, admin)
VALUES ('admin@storefront.test', 'Ada Admin', crypt('harbour-light', gen_salt('bf', 4)), true);

INSERT INTO discounts (code, percent, expires_on) VALUES ('WELCOME10', 10, NULL), ('SUMMER19', 25, '2019-09-01');

ANALYZE;
