<?php
// The desk's pages.

require 'desk.php';

function text($value): string
{
    return htmlspecialchars((string) $value);
}

function pounds(int $pence): string
{
    return sprintf('£%.2f', $pence / 100);
}

function page(string $title, string $body): void
{
    header('Content-Type: text/html; charset=utf-8');
    echo '<!doctype html><html lang="en"><head><title>', text($title), '</title></head><body><h1>', text($title),
        '</h1>', $body, '</body></html>';
}

function to(string $path): void
{
    header("Location: $path", true, 303);
}

function items(array $rows, callable $item): string
{
    return implode('', array_map(fn ($row) => '<li>' . $item($row) . '</li>', $rows));
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$posted = $_SERVER['REQUEST_METHOD'] === 'POST';
$link = fn ($book) => "<a href=\"/books/{$book['id']}\">" . text($book['title']) . '</a>';

if ($path === '/up') {
    echo 'up';
} elseif ($path === '/') {
    $script = <<<'JS'
        <script>
          const q = document.querySelector('#q')
          q.addEventListener('input', async () => {
            const answer = await fetch('/found?q=' + encodeURIComponent(q.value))
            document.querySelector('#found').innerHTML = await answer.text()
          })
        </script>
        JS;
    page('Lending desk', '<input id="q" placeholder="Title"><ul id="found"></ul>' . $script);
} elseif ($path === '/found') {
    if (faulty('slow')) {
        sleep(4);
    }
    echo items(found($_GET['q'] ?? ''), $link);
} elseif ($path === '/books' && $posted) {
    to('/books/' . add($_POST['title'], (int) $_POST['copies']));
} elseif (preg_match('~^/books/(\d+)$~', $path, $match) && ($book = book((int) $match[1]))) {
    $free = $book['copies'] - $book['lent'];
    $loans = rows('SELECT * FROM loans WHERE book = ? AND owed IS NULL ORDER BY id', [$book['id']]);
    $waits = rows('SELECT * FROM waits WHERE book = ? ORDER BY id', [$book['id']]);
    page($book['title'], "<p id=\"free\">$free of {$book['copies']} here</p>"
        . '<ul id="loans">' . items($loans, fn ($loan) => text($loan['reader'])
            . "<form method=\"post\" action=\"/loans/{$loan['id']}\"><input name=\"days\" value=\"1\"><button>Take back</button></form>")
        . '</ul><ol id="waits">' . items($waits, fn ($wait) => text($wait['reader'])) . '</ol>'
        . "<form method=\"post\" action=\"/books/{$book['id']}/loans\"><input id=\"reader\" name=\"reader\"><button id=\"lend\">Lend</button></form>");
} elseif (preg_match('~^/books/(\d+)/loans$~', $path, $match) && $posted) {
    lend((int) $match[1], $_POST['reader']);
    to("/books/{$match[1]}");
} elseif (preg_match('~^/loans/(\d+)$~', $path, $match) && $posted) {
    take_back((int) $match[1], (int) $_POST['days']);
    to('/books/' . rows('SELECT book FROM loans WHERE id = ?', [$match[1]])[0]['book']);
} elseif (preg_match('~^/readers/([^/]+)$~', $path, $match)) {
    if (faulty('crash')) {
        // The server's first process, with all others.
        posix_kill(posix_getppid(), SIGKILL);
    }
    $reader = rawurldecode($match[1]);
    $owed = rows('SELECT sum(owed) AS owed FROM loans WHERE reader = ?', [$reader])[0]['owed'];
    $loans = rows('SELECT books.* FROM loans JOIN books ON books.id = book WHERE reader = ? ORDER BY loans.id', [$reader]);
    page($reader, '<ul id="lent">' . items($loans, $link) . '</ul><p id="owed">' . pounds((int) $owed) . ' owed</p>');
} else {
    http_response_code(404);
    page('Not here', '<p>There is nothing here.</p>');
}
