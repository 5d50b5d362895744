<?php
// The desk's books: what is lent, to whom, who waits, and what is owed.

const FREE_DAYS = 14;
const PENCE_A_DAY = 20;

function database(): PDO
{
    static $database;
    if (!$database) {
        $database = new PDO('sqlite:/desk/desk.db', null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
        $database->exec('PRAGMA busy_timeout = 5000');
    }
    return $database;
}

function prepare(): void
{
    database()->exec('PRAGMA journal_mode = WAL');
    database()->exec('CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT, copies INTEGER, lent INTEGER DEFAULT 0)');
    database()->exec('CREATE TABLE loans (id INTEGER PRIMARY KEY, book INTEGER, reader TEXT, owed INTEGER)');
    database()->exec('CREATE TABLE waits (id INTEGER PRIMARY KEY, book INTEGER, reader TEXT)');
}

function rows(string $sql, array $values = []): array
{
    $statement = database()->prepare($sql);
    $statement->execute($values);
    return $statement->fetchAll(PDO::FETCH_ASSOC);
}

/** Whether a fault is planted: `NAME` in a test's first attempt, `NAME=always` in each. */
function faulty(string $name): bool
{
    $faults = explode(',', (string) getenv('LENDING_FAULTS'));
    $attempt = $_SERVER['HTTP_X_ATTEMPT'] ?? $_COOKIE['attempt'] ?? '1';
    return in_array("$name=always", $faults) || (in_array($name, $faults) && $attempt === '1');
}

function add(string $title, int $copies): int
{
    rows('INSERT INTO books (title, copies) VALUES (?, ?)', [$title, $copies]);
    return (int) database()->lastInsertId();
}

function book(int $id): ?array
{
    return rows('SELECT * FROM books WHERE id = ?', [$id])[0] ?? null;
}

function found(string $words): array
{
    return rows("SELECT * FROM books WHERE title LIKE '%' || ? || '%' ORDER BY title", [$words]);
}

/** Lends a copy, or lets the reader wait for one. */
function lend(int $id, string $reader): void
{
    if (faulty('lost-update')) {
        // Reads, thinks, and writes what it has read: two readers at the same moment get the same copy.
        $lent = book($id)['lent'];
        usleep(300_000);
        rows('UPDATE books SET lent = ? WHERE id = ?', [$lent + 1, $id]);
        rows('INSERT INTO loans (book, reader) VALUES (?, ?)', [$id, $reader]);
        return;
    }
    database()->exec('BEGIN IMMEDIATE');
    $book = book($id);
    if ($book['lent'] < $book['copies']) {
        rows('UPDATE books SET lent = lent + 1 WHERE id = ?', [$id]);
        rows('INSERT INTO loans (book, reader) VALUES (?, ?)', [$id, $reader]);
    } else {
        rows('INSERT INTO waits (book, reader) VALUES (?, ?)', [$id, $reader]);
    }
    database()->exec('COMMIT');
}

/** Takes a copy back after so many days, and hands it to whoever waits longest. */
function take_back(int $loan, int $days): void
{
    $late = faulty('bug') ? $days : max(0, $days - FREE_DAYS);
    database()->exec('BEGIN IMMEDIATE');
    $book = rows('SELECT book FROM loans WHERE id = ?', [$loan])[0]['book'];
    rows('UPDATE loans SET owed = ? WHERE id = ?', [$late * PENCE_A_DAY, $loan]);
    $next = rows('SELECT * FROM waits WHERE book = ? ORDER BY id LIMIT 1', [$book])[0] ?? null;
    if ($next) {
        rows('DELETE FROM waits WHERE id = ?', [$next['id']]);
        rows('INSERT INTO loans (book, reader) VALUES (?, ?)', [$book, $next['reader']]);
    } else {
        rows('UPDATE books SET lent = lent - 1 WHERE id = ?', [$book]);
    }
    database()->exec('COMMIT');
}
