<?php

final class LoansTest extends DeskTest
{
    public function testACopyThatIsLentIsNotHere(): void
    {
        $book = $this->book($this->unique('Emma'), 2);
        $this->lend($book, 'Ada');
        $this->assertSame('1 of 2 here', $this->free($book));
        $this->assertSame(['AdaTake back'], $this->texts($this->page($book), '//ul[@id="loans"]/li'));
    }

    public function testACopyThatComesBackIsHere(): void
    {
        $book = $this->book($this->unique('Emma'));
        $this->lend($book, 'Ada');
        $this->takeBack($book, 3);
        $this->assertSame('1 of 1 here', $this->free($book));
    }

    public function testWhoGetsNoCopyWaits(): void
    {
        $book = $this->book($this->unique('Emma'));
        foreach (['Ada', 'Grace', 'Mary'] as $reader) {
            $this->lend($book, $reader);
        }
        $this->assertSame(['Grace', 'Mary'], $this->texts($this->page($book), '//ol[@id="waits"]/li'));
    }

    public function testWhoWaitsLongestGetsTheNextCopy(): void
    {
        $book = $this->book($this->unique('Emma'));
        foreach (['Ada', 'Grace', 'Mary'] as $reader) {
            $this->lend($book, $reader);
        }
        $this->takeBack($book, 3);
        $this->assertSame(['Mary'], $this->texts($this->page($book), '//ol[@id="waits"]/li'));
        $this->assertSame('0 of 1 here', $this->free($book));
    }

    public function testTwoReadersAtTheSameMomentDoNotGetTheSameCopy(): void
    {
        $book = $this->book($this->unique('Emma'));
        $both = curl_multi_init();
        foreach (['Ada', 'Grace'] as $reader) {
            curl_multi_add_handle($both, $this->request("$book/loans", ['reader' => $reader]));
        }
        do {
            curl_multi_exec($both, $running);
            curl_multi_select($both, 0.1);
        } while ($running);
        $this->assertCount(1, $this->texts($this->page($book), '//ul[@id="loans"]/li'));
        $this->assertCount(1, $this->texts($this->page($book), '//ol[@id="waits"]/li'));
    }
}
