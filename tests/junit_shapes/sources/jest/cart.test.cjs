describe('Cart', () => {
  test('adds up', () => {});

  test('keeps "quoted" & <marked up> names', () => {
    expect(2).toBe(1);
  });

  describe('when empty', () => {
    test.skip('later', () => {});

    test.todo('some day');

    test.each([['Ä 1'], ['b']])('shows %s', (text) => {
      expect(text).toBe('b');
    });
  });
});
