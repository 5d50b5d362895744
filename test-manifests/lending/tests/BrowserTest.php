<?php

final class BrowserTest extends DeskTest
{
    private static ?Browser $browser = null;

    public static function setUpBeforeClass(): void
    {
        self::$browser = new Browser();
    }

    public static function tearDownAfterClass(): void
    {
        self::$browser->quit();
    }

    /** JUnit names the picture: so the tools that read it find it. */
    protected function onNotSuccessfulTest(Throwable $failure): void
    {
        $path = sys_get_temp_dir() . '/' . $this->getName(false) . '.png';
        self::$browser->screenshot($path);
        echo "[[ATTACHMENT|$path]]\n";
        throw $failure;
    }

    public function testTheSearchShowsBooksWhileTyping(): void
    {
        $title = $this->unique('Persuasion');
        $this->book($title);
        self::$browser->visit(self::url('/'));
        self::$browser->type('#q', substr($title, 4));
        $this->assertTrue(self::$browser->sees('#found a', $title), "$title is found");
    }

    public function testTheDeskLendsByItsForm(): void
    {
        $book = $this->book($this->unique('Persuasion'));
        self::$browser->visit(self::url($book));
        self::$browser->type('#reader', 'Ada');
        self::$browser->click('#lend');
        $this->assertTrue(self::$browser->sees('#free', '0 of 1 here'), 'the copy is lent');
    }

    public function testTheDeskTakesBackByItsButton(): void
    {
        $book = $this->book($this->unique('Persuasion'));
        $this->lend($book, 'Ada');
        self::$browser->visit(self::url($book));
        self::$browser->click('#loans button');
        $this->assertTrue(self::$browser->sees('#free', '1 of 1 here'), 'the copy is here');
    }
}
