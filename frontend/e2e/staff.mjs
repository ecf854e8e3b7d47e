// What staff see of a new user, in a real browser: the user in the admin's list and form, the article in its list and
// history.
//
//   API_URL         the URL of Gatepost
//   STAFF_PASSWORD  of the superuser `admin`
//   REPORT          the file that story.mjs wrote
//   SOURCE          how the user was created, in the admin's words
//   CHROMIUM        the browser (/usr/bin/chromium)
//   SCREENSHOTS     a folder for screenshots; without it, none are taken
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { launchOptions } from '../../e2e/chromium.mjs'

const { API_URL: api, STAFF_PASSWORD: password, SOURCE: source } = process.env
const { username, email, article } = JSON.parse(readFileSync(process.env.REPORT, 'utf8'))

const browser = await chromium.launch(launchOptions)
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
page.setDefaultTimeout(20_000)
const main = page.getByRole('main')

try {
  await step('the staff signs in to the admin', async () => {
    await page.goto(`${api}/admin/`)
    await page.getByLabel('Username').fill('admin')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { level: 1 }).waitFor()
  })

  await step('the new user stands in the list of users, linked', async () => {
    await page.goto(`${api}/admin/users/?q=${encodeURIComponent(username)}&cognito=linked`)
    const row = page.getByRole('row').filter({ hasText: email })
    assert.equal(await row.count(), 1)
    assert.doesNotMatch(await row.innerText(), /Not linked/)
    await look('users')
    await row.getByRole('link', { name: username }).click()
  })

  await step(`the form says how the user came: ${source}`, async () => {
    await main.getByText('Cognito link').waitFor()
    assert.equal(await page.getByLabel('E-mail').inputValue(), email)
    assert.match(await main.innerText(), new RegExp(source, 'i'))
    assert.match(await main.innerText(), /\bLinked\b/)
    await look('user')
    await page.getByRole('link', { name: 'History' }).first().click()
    await page.waitForURL(/\/history\//)
    const way = source.split(' ').slice(2).join(' ').replace('the ', '')
    assert.match(await main.innerText(), new RegExp(way, 'i'))
  })

  await step('the tabs of the user show the article and what happened', async () => {
    await page.goto(`${api}/admin/users/?q=${encodeURIComponent(username)}`)
    await page.getByRole('row').filter({ hasText: email }).getByRole('link', { name: username }).click()
    const tabs = page.getByRole('navigation', { name: `Pages of ${username}` })
    await tabs.getByRole('link', { name: 'Articles' }).click()
    await main.getByRole('link', { name: article }).waitFor()
    await tabs.getByRole('link', { name: 'Activity' }).click()
    await main.getByRole('table').getByText(article).first().waitFor()
    await look('activity')
  })

  await step('the article stands in the list, with its author', async () => {
    await page.goto(`${api}/admin/articles/?q=${encodeURIComponent(article)}`)
    const row = page.getByRole('row').filter({ hasText: article })
    assert.equal(await row.count(), 1)
    assert.ok((await row.innerText()).includes(username))
    await row.getByRole('link', { name: article }).click()
    await page.getByRole('link', { name: 'History' }).first().click()
    await page.waitForURL(/\/history\//)
    const history = await main.innerText()
    assert.ok(history.includes(username) && /API/.test(history) && history.includes(article), history)
    await look('article')
  })

  await step('both stand in the history of all', async () => {
    await page.goto(`${api}/admin/history/`)
    const history = await main.innerText()
    assert.ok(history.includes(username) && history.includes(article), history)
    await look('history')
  })
} catch (error) {
  console.error(error.stack)
  process.exitCode = 1
} finally {
  await browser.close()
}

async function step(name, run) {
  try {
    await run()
    console.log(`${name} ... ok`)
  } catch (error) {
    console.log(`${name} ... FAILED`)
    throw error
  }
}

async function look(name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/staff-${name}.png`, fullPage: true })
}
