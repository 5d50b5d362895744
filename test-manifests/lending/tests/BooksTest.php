<?php

final class BooksTest extends DeskTest
{
    public function testANewBookIsHere(): void
    {
        $book = $this->book($this->unique('Emma'), 3);
        $this->assertSame('3 of 3 here', $this->free($book));
    }

    public function testABookIsFoundByAPartOfItsTitle(): void
    {
        $title = $this->unique('Middlemarch');
        $this->book($title);
        $found = $this->page('/found?q=' . rawurlencode(substr($title, 5)));
        $this->assertSame([$title], $this->texts($found, '//li'));
    }

    public function testTitlesAreShownAsTheyAre(): void
    {
        $title = $this->unique('<b>"Sense" & Sensibility</b> €');
        $book = $this->book($title);
        $this->assertSame([$title], $this->texts($this->page($book), '//h1'));
    }

    public function testWhatIsNotHereIsSaidToBe(): void
    {
        $page = $this->page('/books/999999', null, 404);
        $this->assertSame(['Not here'], $this->texts($page, '//h1'));
    }
}
