module.exports = { testDir: '.', timeout: 120_000 };
