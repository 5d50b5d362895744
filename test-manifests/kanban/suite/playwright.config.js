const { defineConfig } = require('@playwright/test');

module.exports = defineConfig({
  testDir: './tests',
  timeout: 40_000,
  retries: 1,
  reporter: 'line',
  use: {
    baseURL: process.env.KANBAN_URL ?? 'http://localhost:8000',
    screenshot: 'only-on-failure',
    trace: 'on-first-retry',
    video: 'off',
    launchOptions: { executablePath: '/usr/lib/chromium/chromium-headless-shell', args: ['--no-sandbox'] },
  },
  projects: [
    { name: 'desktop' },
    { name: 'phone', grep: /@phone/, use: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } },
  ],
});
