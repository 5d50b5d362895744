INSERT INTO queues (name) VALUES ('General'), ('Billing'), ('Hardware'), ('Network');

INSERT INTO articles (title, body) VALUES
  ('Connect to the office network', 'Choose the network named Quayside, and sign in as you do at your desk.'),
  ('Order a second screen', 'Ask for one in the queue Hardware. Your manager hears of it.'),
  ('Read an invoice', 'The number at the top right is the one that we ask for.');

-- A year of old tickets, so that pages and searches have something to leave out.
INSERT INTO tickets (token, queue_id, subject, body, requester, status, priority, made_at)
SELECT 'seed-' || n, 1 + n % 4, 'Old matter ' || n, 'It was looked after long ago.', 'someone@quayside.test', 'solved',
       1 + n % 3, now() - n * interval '1 day'
FROM generate_series(1, 365) AS n;

ANALYZE;
