// How the admin loads, fits and is used by the keyboard.
//
//   npm ci && npm run admin
import assert from 'node:assert/strict'
import { look, story } from './lib.mjs'

const PAGES = [
  '/admin/', '/admin/users/', '/admin/users/add/', '/admin/users/1/change/', '/admin/users/2/change/', '/admin/users/2/activity/',
  '/admin/users/2/articles/', '/admin/users/1/sessions/', '/admin/users/2/refusals/', '/admin/users/2/history/',
  '/admin/users/2/delete/', '/admin/users/2/password/', '/admin/users/2/action/?action=unlink', '/admin/users/import/',
  '/admin/groups/', '/admin/groups/1/change/', '/admin/groups/1/members/', '/admin/groups/1/delete/', '/admin/articles/',
  '/admin/articles/add/', '/admin/articles/1/change/', '/admin/history/', '/admin/service_accounts/', '/admin/sessions/',
  '/admin/password_change/', '/admin/second_factor/', '/admin/search/?q=user', '/admin/refusals/', '/admin/inspector/',
  '/admin/status/', '/admin/nothing/',
]
const MOST_REQUESTS = 8
const LONG = 'Trustees-of-the-society-for-the-preservation-of-gates-and-posts-'.repeat(2)

/** Signs in, and adds rows through the forms and the import. */
async function furnish(server, page) {
  await page.goto('/admin/')
  await page.getByLabel('Username').fill(server.superuser.username)
  await page.getByLabel('Password').fill(server.superuser.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor()
  const names = Array.from({ length: 120 }, (_, at) => `user${String(at).padStart(3, '0')}`)
  await importRows(page, 'users', ['username,email,first_name,last_name,is_active',
    ...names.map((name, at) => `${name},${name}.of.the.society@example.com,First${at},Lastname${at},${at % 7 ? 'true' : 'false'}`)])
  await importRows(page, 'articles', ['name', ...names.map((name) => `About ${name}`)])
  await importRows(page, 'groups', ['name', LONG, 'Editors'])
}

async function importRows(page, model, lines) {
  await page.goto(`/admin/${model}/import/`)
  await page.locator('input[type=file]').setInputFiles({ name: `${model}.csv`, mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) })
  await page.getByRole('button', { name: 'Check the file' }).click()
  await page.getByRole('button', { name: /^Import \d+ rows/ }).click()
  await page.getByText('Done').first().waitFor()
}

/** What a browser without anything in its cache asks for, and how far the page moves while it loads. */
async function load(page, path) {
  const asked = []
  const note = (request) => asked.push(request.url())
  page.on('request', note)
  await page.goto(path, { waitUntil: 'networkidle' })
  page.off('request', note)
  const moved = await page.evaluate(() => new Promise((done) => {
    let sum = 0
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) sum += entry.value
    }).observe({ type: 'layout-shift', buffered: true })
    setTimeout(() => done(sum), 100)
  }))
  return { asked, moved }
}

await story('the looks and the keys of the admin', {}, async ({ server, newPage, step }) => {
  const page = await newPage()
  await furnish(server, page)
  const cookies = await page.context().cookies()
  const visit = async (options) => {
    const other = await newPage(options)
    await other.context().addCookies(cookies)
    return other
  }

  await step(`no page takes more than ${MOST_REQUESTS} requests, or moves while it loads`, async () => {
    const wrong = []
    for (const width of [400, 1280]) {
      for (const path of PAGES) {
        const fresh = await visit({ width })
        const { asked, moved } = await load(fresh, path)
        if (asked.length > MOST_REQUESTS) wrong.push(`${path} at ${width}: ${asked.length} requests\n${asked.join('\n')}`)
        if (moved > 0) wrong.push(`${path} at ${width}: moves by ${moved}`)
        await fresh.context().close()
      }
    }
    assert.deepEqual(wrong, [])
  })
})
