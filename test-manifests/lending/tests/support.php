<?php
// What the tests share: a client for the desk's pages, and one for a browser by ChromeDriver's own interface.

use PHPUnit\Framework\TestCase;

abstract class DeskTest extends TestCase
{
    protected static function url(string $path): string
    {
        return getenv('LENDING_URL') . $path;
    }

    /** One request; a form where there are fields. Returns a handle for curl. */
    protected function request(string $path, ?array $fields = null): CurlHandle
    {
        $request = curl_init(self::url($path));
        $attempt = getenv('SHAKEDOWN_ATTEMPT') ?: '1';
        curl_setopt_array($request, [
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_FOLLOWLOCATION => true,
            CURLOPT_TIMEOUT => 10,
            CURLOPT_HTTPHEADER => ["X-Attempt: $attempt"],
        ]);
        if ($fields !== null) {
            curl_setopt($request, CURLOPT_POSTFIELDS, http_build_query($fields));
        }
        return $request;
    }

    /** The page that answers. */
    protected function page(string $path, ?array $fields = null, int $status = 200): DOMXPath
    {
        $request = $this->request($path, $fields);
        $body = curl_exec($request);
        $this->assertNotFalse($body, curl_error($request));
        $this->assertSame($status, curl_getinfo($request, CURLINFO_RESPONSE_CODE));
        $page = new DOMDocument();
        $page->loadHTML('<?xml encoding="utf-8"?>' . $body, LIBXML_NOERROR);
        return new DOMXPath($page);
    }

    /** What elements say. */
    protected function texts(DOMXPath $page, string $path): array
    {
        return array_map(fn ($node) => trim($node->textContent), iterator_to_array($page->query($path)));
    }

    protected function unique(string $name): string
    {
        return $name . ' ' . bin2hex(random_bytes(4));
    }

    /** A new book's path. */
    protected function book(string $title, int $copies = 1): string
    {
        $this->page('/books', ['title' => $title, 'copies' => $copies]);
        $found = $this->page('/found?q=' . rawurlencode($title));
        return $found->query('//a/@href')->item(0)->nodeValue;
    }

    protected function lend(string $book, string $reader): void
    {
        $this->page("$book/loans", ['reader' => $reader]);
    }

    /** Takes back the first copy that is lent. */
    protected function takeBack(string $book, int $days): void
    {
        $form = $this->page($book)->query('//ul[@id="loans"]//form/@action')->item(0)->nodeValue;
        $this->page($form, ['days' => $days]);
    }

    protected function free(string $book): string
    {
        return $this->texts($this->page($book), '//*[@id="free"]')[0];
    }
}

final class Browser
{
    /** @var resource */
    private $driver;
    private string $session;

    public function __construct()
    {
        $this->driver = proc_open(['chromedriver', '--port=9515', '--log-level=OFF'], [1 => ['file', '/dev/null', 'w']], $pipes);
        $options = [
            'binary' => '/usr/lib/chromium/chromium-headless-shell',
            'args' => ['--no-sandbox', '--disable-gpu', '--window-size=1000,700'],
        ];
        $wanted = ['capabilities' => ['alwaysMatch' => ['goog:chromeOptions' => $options]]];
        $deadline = microtime(true) + 20;
        $status = curl_init('http://127.0.0.1:9515/status');
        curl_setopt_array($status, [CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 1]);
        while (!curl_exec($status)) {
            if (microtime(true) > $deadline) {
                throw new RuntimeException('chromedriver does not answer');
            }
            usleep(20_000);
        }
        $this->session = '';
        $this->session = '/' . $this->ask('POST', '', $wanted)['sessionId'];
    }

    public function quit(): void
    {
        $this->ask('DELETE', '');
        proc_terminate($this->driver);
        proc_close($this->driver);
    }

    public function visit(string $url): void
    {
        $this->ask('POST', '/url', ['url' => $url]);
        $attempt = getenv('SHAKEDOWN_ATTEMPT') ?: '1';
        $this->ask('POST', '/cookie', ['cookie' => ['name' => 'attempt', 'value' => $attempt]]);
    }

    public function type(string $selector, string $text): void
    {
        $this->ask('POST', $this->element($selector) . '/value', ['text' => $text]);
    }

    public function click(string $selector): void
    {
        $this->ask('POST', $this->element($selector) . '/click', new stdClass());
    }

    /** Waits up to two seconds for an element that says so. */
    public function sees(string $selector, string $text): bool
    {
        $deadline = microtime(true) + 2;
        do {
            foreach ($this->ask('POST', '/elements', ['using' => 'css selector', 'value' => $selector]) as $element) {
                if (str_contains($this->ask('GET', '/element/' . end($element) . '/text', null, true) ?? '', $text)) {
                    return true;
                }
            }
            usleep(50_000);
        } while (microtime(true) < $deadline);
        return false;
    }

    public function screenshot(string $path): void
    {
        file_put_contents($path, base64_decode($this->ask('GET', '/screenshot')));
    }

    private function element(string $selector): string
    {
        return '/element/' . current($this->ask('POST', '/element', ['using' => 'css selector', 'value' => $selector]));
    }

    /** Elements may be gone by the time that they are asked: null then, where the caller is `lenient`. */
    private function ask(string $method, string $path, $body = null, bool $lenient = false)
    {
        $request = curl_init("http://127.0.0.1:9515/session{$this->session}$path");
        curl_setopt_array($request, [CURLOPT_RETURNTRANSFER => true, CURLOPT_CUSTOMREQUEST => $method, CURLOPT_TIMEOUT => 20]);
        if ($body !== null) {
            curl_setopt($request, CURLOPT_POSTFIELDS, json_encode($body));
        }
        $answer = json_decode((string) curl_exec($request), true);
        if (curl_getinfo($request, CURLINFO_RESPONSE_CODE) !== 200) {
            if ($lenient) {
                return null;
            }
            throw new RuntimeException("$method $path: " . ($answer['value']['message'] ?? 'no answer'));
        }
        return $answer['value'];
    }
}
