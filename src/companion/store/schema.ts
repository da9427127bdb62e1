/** What brings the store from one version to the next. A released one never changes. Times are milliseconds since 1970. */
export const MIGRATIONS: readonly string[] = [
  `
  -- Peers of whom something is kept. What is of a peer goes with it.
  CREATE TABLE peers (
    id TEXT PRIMARY KEY,
    seen INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE subscriptions (
    peer TEXT NOT NULL REFERENCES peers ON DELETE CASCADE,
    id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    p256dh BLOB NOT NULL,
    auth BLOB NOT NULL,
    title TEXT NOT NULL,
    navigate TEXT NOT NULL,
    expires INTEGER NOT NULL,
    refusals INTEGER NOT NULL DEFAULT 0,
    paused_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (peer, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE capabilities (
    id TEXT PRIMARY KEY,
    peer TEXT NOT NULL REFERENCES peers ON DELETE CASCADE,
    hash BLOB NOT NULL,
    expires INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX capabilities_of_peer ON capabilities (peer);

  -- Wakes that a push service has not taken yet. AUTOINCREMENT: an id that came again would be settled for the wrong one.
  CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    peer TEXT NOT NULL,
    subscription TEXT NOT NULL,
    payload BLOB NOT NULL,
    urgency TEXT NOT NULL,
    topic TEXT,
    deadline INTEGER NOT NULL,
    due INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (peer, subscription) REFERENCES subscriptions ON DELETE CASCADE
  ) STRICT;
  CREATE INDEX deliveries_by_due ON deliveries (due);
  CREATE INDEX deliveries_of_subscription ON deliveries (peer, subscription);
  `,
  `
  CREATE TABLE offers (
    peer TEXT NOT NULL REFERENCES peers ON DELETE CASCADE,
    id TEXT NOT NULL,
    capability TEXT NOT NULL REFERENCES capabilities ON DELETE CASCADE,
    body BLOB NOT NULL,
    left_at INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (peer, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX offers_of_capability ON offers (capability);
  CREATE INDEX offers_by_end ON offers (expires);
  `,
  `
  -- The sequence is text: it has 64 bits without sign.
  CREATE TABLE names (
    name TEXT PRIMARY KEY,
    record BLOB NOT NULL,
    sequence TEXT NOT NULL,
    ends_at INTEGER NOT NULL,
    ttl INTEGER NOT NULL,
    expires INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX names_by_end ON names (expires);
  `,
]
