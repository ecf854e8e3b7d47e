// How every browser test starts Chromium. CHROMIUM is the path of the browser; Debian's by default.

export const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** For Playwright's `chromium.launch`. The browser fetches only what the test asks for. */
export const launchOptions = {
  executablePath: browserPath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
}
