CREATE TABLE agents (
  id       serial PRIMARY KEY,
  name     text NOT NULL UNIQUE,
  email    text NOT NULL UNIQUE CHECK (email = lower(email)),
  password text NOT NULL              -- hashed as Werkzeug does it
);

CREATE TABLE queues (
  id   serial PRIMARY KEY,
  name text NOT NULL UNIQUE
);

CREATE TABLE tickets (
  id        serial PRIMARY KEY,
  token     text NOT NULL UNIQUE,     -- the requester's page; agents use the id
  queue_id  integer NOT NULL REFERENCES queues,
  subject   text NOT NULL,
  body      text NOT NULL,
  requester text NOT NULL,
  status    text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'waiting', 'solved')),
  priority  integer NOT NULL DEFAULT 2 CHECK (priority BETWEEN 1 AND 3),   -- 1 is urgent
  assignee  integer REFERENCES agents,
  affected  integer NOT NULL DEFAULT 1,
  rating    integer CHECK (rating BETWEEN 1 AND 5),
  made_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON tickets (queue_id, status);

CREATE TABLE replies (
  id        serial PRIMARY KEY,
  ticket_id integer NOT NULL REFERENCES tickets ON DELETE CASCADE,
  author    text NOT NULL,
  body      text NOT NULL,
  internal  boolean NOT NULL DEFAULT false,
  key       text UNIQUE               -- the same reply sent twice is kept once
);
CREATE INDEX ON replies (ticket_id);

CREATE TABLE tags (
  ticket_id integer NOT NULL REFERENCES tickets ON DELETE CASCADE,
  name      text NOT NULL CHECK (name = lower(name)),
  PRIMARY KEY (ticket_id, name)
);

CREATE TABLE work (
  id        serial PRIMARY KEY,
  ticket_id integer NOT NULL REFERENCES tickets ON DELETE CASCADE,
  minutes   integer NOT NULL CHECK (minutes > 0),
  what      text NOT NULL
);

CREATE TABLE articles (
  id      serial PRIMARY KEY,
  title   text NOT NULL UNIQUE,
  body    text NOT NULL,
  helpful integer NOT NULL DEFAULT 0
);

CREATE TABLE settings (
  name  text PRIMARY KEY,
  value text NOT NULL
);
