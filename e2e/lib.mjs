// What the browser tests share: the program with its own database, and Chromium.
//
// GATEPOST_BIN   the program; the debug build by default
// CHROMIUM       the browser; /usr/bin/chromium by default
// SCREENSHOTS    a folder for screenshots of every stage; without it, none are taken
//
// If the program or the browser is missing, a test says SKIPPED; with CI=true that is a failure.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { browserPath, launchOptions } from './chromium.mjs'

const bin = process.env.GATEPOST_BIN ?? fileURLToPath(new URL('../target/debug/gatepost', import.meta.url))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export const WIDTHS = [400, 1280]
export const THEMES = ['light', 'dark']

/** The tools that are missing, each with the way to get it. */
function missingTools() {
  const tools = { [bin]: 'the program (cargo build)', [browserPath]: 'Chromium (Debian: chromium)' }
  return Object.entries(tools).filter(([path]) => !isExecutable(path)).map(([path, name]) => `${name} at ${path}`)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Runs a story: starts a server and a browser, and calls `tell(stage)`, which calls `stage.step(name, run)` for each
 * step. The last line is `N passed, N failed`. An error in a page's console also fails the story.
 */
export async function story(title, settings, tell) {
  const counts = { passed: 0, failed: 0 }
  const missing = missingTools()
  if (missing.length > 0) {
    console.log(`SKIPPED ${title}. Missing: ${missing.join('; ')}`)
    return close(process.env.CI === 'true' ? { passed: 0, failed: 1 } : { ...counts, skipped: 1 })
  }
  const server = await startServer(settings)
  const { chromium } = await import('playwright-core')
  const browser = await chromium.launch(launchOptions)
  const stop = async () => {
    await browser.close()
    await server.stop()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, () => stop().then(() => process.exit(1)))
  // Ends a story that hangs.
  const limit = setTimeout(() => stop().then(() => process.exit(1)), 480_000)
  const unexpected = []
  const stage = {
    server,
    browser,
    newPage: (options) => newPage(browser, server, unexpected, options),
    async step(name, run) {
      process.stdout.write(`${name} ... `)
      await run()
      counts.passed += 1
      console.log('ok')
    },
  }
  try {
    await tell(stage)
    await stage.step('no page has logged an error or asked another site', () => assert.deepEqual(unexpected, []))
  } catch (error) {
    counts.failed += 1
    console.log(`FAILED\n${error.stack}\n\nThe browser: ${unexpected.join('\n') || 'nothing'}\n\n${server.log().slice(-4000)}`)
    await pictureOfFailure(browser)
  }
  clearTimeout(limit)
  await stop()
  close(counts)
}

function close({ passed, failed, skipped }) {
  console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
  if (failed > 0) process.exitCode = 1
}

/** Starts the program in development mode in its own folder; `settings` are additional variables. */
async function startServer(settings) {
  const folder = mkdtempSync(join(tmpdir(), 'gatepost-e2e-'))
  const env = { PATH: process.env.PATH, APP_ENV: 'development', BIND_ADDRESS: '127.0.0.1:0', ...settings }
  const child = spawn(bin, ['serve'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [said, logged] = ['', '']
  child.stdout.on('data', (chunk) => { said += chunk })
  child.stderr.on('data', (chunk) => { logged += chunk })
  const ended = new Promise((done) => { child.once('exit', done) })
  const find = async (pattern) => {
    for (let wait = 0; wait < 600; wait += 1) {
      const found = said.match(pattern)
      if (found) return found
      assert.equal(child.exitCode, null, `the program has ended: ${logged}`)
      await new Promise((done) => { setTimeout(done, 50) })
    }
    throw new Error(`the program does not say ${pattern}: ${said}${logged}`)
  }
  const [, origin] = await find(/API\s+(http:\/\/[^/]+)\//)
  const [, username, password] = await find(/superuser\s+(\S+), password (\S+)/)
  return {
    origin,
    superuser: { username, password },
    log: () => logged,
    /** Runs a command of the program next to the server, and returns what it prints. */
    run(...args) {
      const ran = spawnSync(bin, args, { cwd: folder, env, encoding: 'utf8' })
      assert.equal(ran.status, 0, ran.stderr)
      return ran.stdout.trim()
    },
    /** Sends a request without the browser. */
    fetch: (path, init) => fetch(origin + path, init),
    async stop() {
      child.kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A page in its own context: it shares no cookies or storage. It may ask only the server, and the origins in `also`. */
async function newPage(browser, server, unexpected, { width = 1280, theme = 'light', also = [], ...options } = {}) {
  const context = await browser.newContext({
    baseURL: server.origin, viewport: { width, height: 900 }, colorScheme: theme, reducedMotion: 'reduce', ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  page.on('pageerror', (error) => unexpected.push(`error: ${error.message}`))
  page.on('console', (message) => {
    // The browser logs every answer with 400 or more, and the stories provoke some.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) unexpected.push(message.text())
  })
  page.on('request', (request) => {
    const isKnown = [server.origin, ...also].some((origin) => request.url().startsWith(origin))
    if (!isKnown && !/^(blob|data):/.test(request.url())) unexpected.push(`asked: ${request.url()}`)
  })
  return page
}

/** Fails if axe-core finds a violation of WCAG 2.2 AA or of its best practices on the page as it is now. */
export async function checkAccessibility(page, { exclude = [], runOnly } = {}) {
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axe)
  const { violations } = await page.evaluate(
    // To preload style sheets, axe-core adds one to the page, which the page's policy forbids.
    ([hidden, runOnly]) => window.axe.run({ exclude: hidden.map((selector) => [selector]) }, { preload: false, ...(runOnly && { runOnly }) }),
    [exclude, runOnly],
  )
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `    ${node.html.slice(0, 200)}\n      ${node.failureSummary}`).join('\n')}`)
  assert.deepEqual(found, [], `axe-core finds at ${page.url()}:\n${found.join('\n')}`)
}

/** Fails if the page is wider than the window. */
export async function checkWidth(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  assert.ok(content <= window, `${page.url()} is ${content} px wide in a window of ${window} px`)
}

/** As `look`, at more widths. Only colours differ between the themes, so the second one is checked for nothing else. */
export async function lookAtState(page, name, widths = [400, 768, 1280]) {
  await lookAt(page, name, widths, (theme) => theme === THEMES[0] ? {} : { runOnly: ['color-contrast', 'link-in-text-block'] })
}

/** Checks the page in each width and theme, and takes a screenshot. */
export async function look(page, name, options) {
  await lookAt(page, name, WIDTHS, () => options)
}

async function lookAt(page, name, widths, optionsOf) {
  const viewport = page.viewportSize()
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 })
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme })
      await checkWidth(page)
      await checkAccessibility(page, optionsOf(colorScheme))
      await picture(page, `${name}-${width}-${colorScheme}`)
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(viewport)
}

async function picture(page, name) {
  if (!process.env.SCREENSHOTS) return
  mkdirSync(process.env.SCREENSHOTS, { recursive: true })
  await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true, animations: 'disabled' })
}

async function pictureOfFailure(browser) {
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    await picture(page, 'failure').catch(() => {})
  }
}
