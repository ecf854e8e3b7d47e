// How every browser test starts Chromium. CHROMIUM names another browser than Debian's.

export const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** For `chromium.launch` of Playwright. Nothing is fetched but what the test asks for. */
export const launchOptions = {
  executablePath: browserPath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
}
