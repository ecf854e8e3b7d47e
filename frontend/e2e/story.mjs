// One user's story in a real browser, against a running page, API and user pool; nothing is mocked.
//
//   FRONTEND_URL  the URL of the page (http://localhost:3000)
//   CODE          the sign-up code that the pool accepts (123456)
//   CHROMIUM      the browser (/usr/bin/chromium)
//   SCREENSHOTS   a folder for screenshots of every stage; without it, none are taken
//   REPORT        a file for the report: who signed up and what was created
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { launchOptions } from '../../e2e/chromium.mjs'

const address = process.env.FRONTEND_URL ?? 'http://localhost:3000'
const code = process.env.CODE ?? '123456'
const tag = randomUUID().slice(0, 8)
const anna = { username: `anna-${tag}`, email: `anna-${tag}@example.com`, password: `Aa1!${randomUUID()}` }
const rival = { ...anna, username: `rival-${tag}` }

const browser = await chromium.launch(launchOptions)
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
const page = await context.newPage()
page.setDefaultTimeout(20_000)

const unexpected = []
page.on('pageerror', (error) => unexpected.push(`error: ${error.message}`))
page.on('console', (message) => {
  // The browser logs every answer with 400 or more, and the story provokes some.
  if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) unexpected.push(message.text())
})

const row = page.locator('.articles li')
const status = page.locator('.count')
const nameField = page.getByLabel('Name of a new article')
const create = page.getByRole('button', { name: 'Create', exact: true })
const signOut = page.getByRole('button', { name: 'Sign out' })
const signInTab = page.getByRole('tab', { name: 'Sign in' })

try {
  await step('a stranger is asked to sign in', async () => {
    await page.goto(address)
    await signInTab.waitFor()
    assert.equal(await row.count(), 0)
    await look('sign-in')
  })

  await step('anna signs up, enters her code and is in', async () => {
    await signUp(anna, 'sign-up')
  })

  await step('the API tells who she is', async () => {
    assert.equal(await fact('username'), anna.username)
    assert.equal(await fact('email'), anna.email)
    assert.equal(await fact('is_staff'), 'false')
    assert.match(await fact('id'), /^\d+$/)
  })

  await step('she creates an article and finds it on top', async () => {
    const before = await total()
    await createArticle(`Hello ${tag}`)
    await row.first().filter({ hasText: `Hello ${tag}` }).waitFor()
    assert.equal(await total(), before + 1)
    assert.equal(await nameField.inputValue(), '')
    if (process.env.REPORT) {
      const report = { username: anna.username, email: anna.email, article: `Hello ${tag}`, idToken: await stored('idToken') }
      writeFileSync(process.env.REPORT, JSON.stringify(report), { mode: 0o600 })
    }
  })

  await step('a name of 51 characters gets the API’s message at the field, and stays to be corrected', async () => {
    const before = await total()
    await nameField.fill('x'.repeat(51))
    await create.click()
    await page.getByText('Ensure this field has no more than 50 characters.').waitFor()
    assert.equal(await nameField.getAttribute('aria-invalid'), 'true')
    assert.equal((await nameField.inputValue()).length, 51)
    assert.equal(await total(), before)
    await look('field-error')
    await nameField.fill('')
    await create.click()
    await page.getByText('This field may not be blank.').waitFor()
  })

  await step('with more than ten articles, the Link header leads on and back', async () => {
    for (let number = 1; number <= 11; number += 1) await createArticle(`Article ${number} of ${tag}`)
    const first = await row.allTextContents()
    assert.equal(first.length, 10)
    const all = await total()
    assert.ok(all >= 12, `${all} articles`)
    assert.equal(await page.getByRole('button', { name: 'Previous page' }).getAttribute('aria-disabled'), 'true')
    await look('articles')

    await page.getByRole('button', { name: 'Next page' }).click()
    await row.filter({ hasText: `Article 1 of ${tag}` }).first().waitFor()
    const second = await row.allTextContents()
    assert.deepEqual(second.filter((text) => first.includes(text)), [])
    assert.equal(await total(), all)

    await page.getByRole('button', { name: 'Previous page' }).click()
    await row.first().filter({ hasText: `Article 11 of ${tag}` }).waitFor()
    assert.deepEqual(await row.allTextContents(), first)
  })

  await step('a reload keeps the session', async () => {
    await page.reload()
    await row.first().waitFor()
    assert.ok(await signOut.isVisible())
  })

  await step('a token that the API refuses is refreshed once, unnoticed', async () => {
    const damaged = await damage('idToken')
    const refused = page.waitForResponse((answer) => answer.status() === 401)
    await page.reload()
    await refused
    await row.first().waitFor()
    await page.getByText(anna.email).first().waitFor()
    assert.equal(await page.getByRole('alert').count(), 0)
    assert.notEqual(await stored('idToken'), damaged)
  })

  await step('a session that cannot be refreshed ends, and the page says so', async () => {
    await damage('refreshToken')
    await damage('idToken')
    await page.reload()
    await page.getByText('Your session has ended and could not be refreshed.').waitFor()
    await signInTab.waitFor()
    await look('session-ended')
    await typeCredentials({ ...anna, password: 'Wrong-1-password' })
    await page.locator('.amplify-alert--error').waitFor()
    await page.getByText('Incorrect username or password.').waitFor()
    await look('wrong-password')
    await signIn(anna)
    await row.first().waitFor()
  })

  await step('signing out forgets the tokens, also after a reload', async () => {
    await signOut.click()
    await signInTab.waitFor()
    assert.equal(await stored('idToken'), undefined)
    assert.equal(await stored('refreshToken'), undefined)
    await page.reload()
    await signInTab.waitFor()
    assert.equal(await row.count(), 0)
  })

  await step('signing out in one tab signs out the other', async () => {
    await signIn(anna)
    const other = await context.newPage()
    await other.goto(address)
    await other.getByRole('button', { name: 'Sign out' }).click()
    await signInTab.waitFor()
    await other.close()
  })

  await step('another account with her e-mail is refused, with the API’s detail and code', async () => {
    await signUp(rival)
    const alert = page.getByRole('alert')
    await alert.getByText('email_linked').waitFor()
    assert.match(await alert.innerText(), /even after a refresh\.\s+\S.*\s+Code/s)
    assert.equal(await row.count(), 0)
    await look('refused')
    await alert.getByRole('button', { name: 'Sign in again' }).click()
    await signInTab.waitFor()
  })

  await step('without its settings, the page says which are missing', async () => {
    await withoutSettings(async (elsewhere) => {
      await page.goto(elsewhere)
      for (const name of ['VITE_USER_POOL_ID', 'VITE_USER_POOL_CLIENT_ID']) {
        await page.getByRole('listitem').filter({ hasText: `${name} is not set` }).waitFor()
      }
      await look('settings')
    })
  })

  assert.deepEqual(unexpected, [], 'messages in the browser’s console')
} catch (error) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/failure.png`, fullPage: true })
  console.error(`\n${error.stack}\n\nConsole: ${unexpected.join('\n') || 'nothing'}\n\n${await page.innerText('body')}`)
  process.exitCode = 1
} finally {
  await browser.close()
}

async function step(name, run) {
  process.stdout.write(`${name} ... `)
  await run()
  console.log('ok')
}

async function signUp({ username, email, password }, picture) {
  await page.getByRole('tab', { name: 'Create account' }).click()
  await page.getByLabel('Username', { exact: true }).fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('Repeat the password', { exact: true }).fill(password)
  await page.getByLabel('E-mail', { exact: true }).fill(email)
  if (picture) await look(picture)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByLabel('Code', { exact: true }).fill(code)
  if (picture) await look(`${picture}-code`)
  await page.getByRole('button', { name: 'Confirm', exact: true }).click()
  // No page in between: the code has verified the e-mail.
  await signOut.waitFor()
}

async function typeCredentials({ username, password }) {
  await page.getByLabel('Username', { exact: true }).fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

async function signIn(user) {
  await typeCredentials(user)
  await signOut.waitFor()
}

async function createArticle(name) {
  await nameField.fill(name)
  await create.click()
  await row.first().filter({ hasText: name }).waitFor()
}

async function total() {
  await status.filter({ hasText: /^(\d+ article|No articles)/ }).waitFor()
  return Number.parseInt(await status.innerText(), 10) || 0
}

async function fact(name) {
  return page.locator('dl.facts div', { has: page.locator(`dt:text-is("${name}")`) }).locator('dd').innerText()
}

/** What Amplify stores in the browser under a name, such as `idToken`. */
async function stored(name) {
  return page.evaluate((end) => Object.entries(localStorage).find(([key]) => key.endsWith(`.${end}`))?.[1], name)
}

/** Damages the last part of a stored token. For an ID token, that is the signature. */
async function damage(name) {
  const token = await stored(name)
  const spoilt = token.slice(0, -8) + (token.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA')
  await page.evaluate(([end, value]) => {
    localStorage.setItem(Object.keys(localStorage).find((key) => key.endsWith(`.${end}`)), value)
  }, [name, spoilt])
  return spoilt
}

/** Serves the same page without settings. */
async function withoutSettings(run) {
  for (const name of Object.keys(process.env)) if (name.startsWith('VITE_')) delete process.env[name]
  const { createServer } = await import('vite')
  const root = fileURLToPath(new URL('..', import.meta.url))
  const server = await createServer({ root, envDir: `${root}/e2e`, logLevel: 'error', server: { port: 0, strictPort: false } })
  await server.listen()
  await run(server.resolvedUrls.local[0])
  await server.close()
}

async function look(name) {
  if (!process.env.SCREENSHOTS) return
  for (const width of [400, 1280]) {
    for (const colorScheme of ['light', 'dark']) {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme })
      const path = `${process.env.SCREENSHOTS}/${name}-${width}-${colorScheme}.png`
      await page.screenshot({ path, fullPage: true, animations: 'disabled' })
    }
  }
}
