<?php

namespace Shop\Tests;

use PHPUnit\Framework\TestCase;

final class CartTest extends TestCase
{
    public function testAddsUp(): void
    {
        $this->assertSame(3, 3);
    }

    /** @dataProvider sums */
    public function testSum(int $a, int $b): void
    {
        $this->assertSame($a, $b);
    }

    public static function sums(): array
    {
        return ['equal' => [1, 1], 'a "b" <c>' => [1, 2], [3, 4]];
    }

    public function testRaises(): void
    {
        throw new \RuntimeException('no price');
    }

    public function testLater(): void
    {
        $this->markTestSkipped('not on Mondays');
    }

    public function testUnwritten(): void
    {
        $this->markTestIncomplete('some day');
    }

    public function testSays(): void
    {
        echo 'said';
        $this->assertTrue(true);
    }
}
