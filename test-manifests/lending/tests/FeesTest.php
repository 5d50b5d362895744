<?php

final class FeesTest extends DeskTest
{
    private function owed(string $reader): string
    {
        return $this->texts($this->page('/readers/' . rawurlencode($reader)), '//*[@id="owed"]')[0];
    }

    private function keep(string $reader, int $days): void
    {
        $book = $this->book($this->unique('Emma'));
        $this->lend($book, $reader);
        $this->takeBack($book, $days);
    }

    public function testTwoWeeksAreFree(): void
    {
        $reader = $this->unique('Ada');
        $this->keep($reader, 14);
        $this->assertSame('£0.00 owed', $this->owed($reader));
    }

    public function testEachFurtherDayIsPaid(): void
    {
        $reader = $this->unique('Ada');
        $this->keep($reader, 17);
        $this->assertSame('£0.60 owed', $this->owed($reader));
    }

    public function testWhatIsOwedForSeveralBooksIsAddedUp(): void
    {
        $reader = $this->unique('Ada');
        foreach ([15, 16, 2] as $days) {
            $this->keep($reader, $days);
        }
        $this->assertSame('£0.60 owed', $this->owed($reader));
    }

    public function testAReaderWhoHasLentNothingOwesNothing(): void
    {
        $this->assertSame('£0.00 owed', $this->owed($this->unique('Nobody')));
    }
}
