CREATE EXTENSION pgcrypto;

CREATE TABLE categories (
  id       serial PRIMARY KEY,
  slug     text NOT NULL UNIQUE,
  name     text NOT NULL,
  position integer            -- place in the menu; a category without one is reached by its link only
);

CREATE TABLE products (
  id          serial PRIMARY KEY,
  category_id integer NOT NULL REFERENCES categories,
  slug        text NOT NULL UNIQUE,
  name        text NOT NULL,
  description text NOT NULL DEFAULT '',
  price_cents integer NOT NULL CHECK (price_cents > 0),
  stock       integer NOT NULL DEFAULT 0 CHECK (stock >= 0),
  visible     boolean NOT NULL DEFAULT true,
  created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON products (category_id);

CREATE TABLE customers (
  id            serial PRIMARY KEY,
  email         text NOT NULL UNIQUE CHECK (email = lower(email)),
  name          text NOT NULL,
  password_hash text NOT NULL,
  admin         boolean NOT NULL DEFAULT false,
  street        text,
  city          text,
  postcode      text,
  created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
  token       text PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES customers ON DELETE CASCADE
);

CREATE TABLE discounts (
  code       text PRIMARY KEY CHECK (code = upper(code)),
  percent    integer NOT NULL CHECK (percent BETWEEN 1 AND 100),
  expires_on date
);

-- A visitor's cart belongs to the session token; at sign-in it is merged into the customer's.
CREATE TABLE carts (
  id            serial PRIMARY KEY,
  token         text UNIQUE,
  customer_id   integer UNIQUE REFERENCES customers ON DELETE CASCADE,
  discount_code text REFERENCES discounts,
  CHECK ((token IS NULL) <> (customer_id IS NULL))
);

CREATE TABLE cart_lines (
  cart_id    integer NOT NULL REFERENCES carts ON DELETE CASCADE,
  product_id integer NOT NULL REFERENCES products,
  quantity   integer NOT NULL CHECK (quantity > 0),
  added_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (cart_id, product_id)
);

CREATE TABLE orders (
  id              serial PRIMARY KEY,
  number          text NOT NULL UNIQUE,
  customer_id     integer NOT NULL REFERENCES customers,
  status          text NOT NULL DEFAULT 'placed' CHECK (status IN ('placed', 'dispatched', 'cancelled')),
  subtotal_cents  integer NOT NULL,
  discount_cents  integer NOT NULL,
  shipping_cents  integer NOT NULL,
  total_cents     integer NOT NULL,
  recipient       text NOT NULL,
  street          text NOT NULL,
  city            text NOT NULL,
  postcode        text NOT NULL,
  idempotency_key text UNIQUE,
  placed_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON orders (customer_id);

CREATE TABLE order_lines (
  order_id    integer NOT NULL REFERENCES orders ON DELETE CASCADE,
  product_id  integer NOT NULL REFERENCES products,
  name        text NOT NULL,
  price_cents integer NOT NULL,
  quantity    integer NOT NULL,
  PRIMARY KEY (order_id, product_id)
);
CREATE INDEX ON order_lines (product_id);

CREATE TABLE reviews (
  id          serial PRIMARY KEY,
  product_id  integer NOT NULL REFERENCES products ON DELETE CASCADE,
  customer_id integer NOT NULL REFERENCES customers ON DELETE CASCADE,
  rating      integer NOT NULL CHECK (rating BETWEEN 1 AND 5),
  body        text NOT NULL,
  written_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (product_id, customer_id)
);

CREATE TABLE wishes (
  customer_id integer NOT NULL REFERENCES customers ON DELETE CASCADE,
  product_id  integer NOT NULL REFERENCES products ON DELETE CASCADE,
  wished_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (customer_id, product_id)
);

CREATE TABLE settings (
  name  text PRIMARY KEY,
  value text NOT NULL
);
