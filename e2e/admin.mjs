// How the admin loads, fits and is used by the keyboard.
//
//   npm ci && npm run admin
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { look, lookAtState, story } from './lib.mjs'

const PAGES = [
  '/admin/', '/admin/users/', '/admin/users/add/', '/admin/users/1/change/', '/admin/users/2/change/', '/admin/users/2/activity/',
  '/admin/users/2/articles/', '/admin/users/2/token/', '/admin/users/1/sessions/', '/admin/users/2/refusals/', '/admin/users/2/history/',
  '/admin/users/2/delete/', '/admin/users/2/password/', '/admin/users/import/',
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

  await step('all icons and the logo are drawn', async () => {
    await page.goto('/admin/')
    const size = await page.evaluate(async () => {
      const mask = getComputedStyle(document.querySelector('.icon')).maskImage
      const image = new Image()
      image.src = mask.slice(5, -2)
      await image.decode()
      return [image.width, image.height % 20]
    })
    assert.deepEqual(size, [20, 0])
  })

  await step('a list shows at least 20 rows at 1280 x 900, one line each', async () => {
    for (const path of ['/admin/users/', '/admin/articles/']) {
      await page.goto(path)
      const heights = await page.locator('#rows > tr').evaluateAll((rows) => rows
        .map((row) => row.getBoundingClientRect()).filter(({ bottom }) => bottom <= innerHeight).map(({ height }) => height))
      assert.ok(heights.length >= 20, `${path}: ${heights.length} rows`)
      assert.ok(Math.max(...heights) < 34, `${path}: ${heights}`)
    }
  })

  await step('rows are cards of two lines up to 900 px, and the headings a menu', async () => {
    for (const width of [400, 768, 900]) {
      const narrow = await visit({ width })
      await narrow.goto('/admin/users/')
      const heights = await narrow.locator('#rows > tr').evaluateAll((rows) => rows.map((row) => row.getBoundingClientRect().height))
      assert.ok(Math.min(...heights) > 40 && Math.max(...heights) < 64, `${width}: ${heights}`)
      await narrow.getByRole('button', { name: 'Sort' }).click()
      await narrow.getByRole('link', { name: 'E-mail' }).click()
      await narrow.waitForURL(/o=email/)
      await narrow.context().close()
    }
  })

  await step('no page scrolls sideways, with and without JavaScript', async () => {
    const wrong = []
    for (const javaScriptEnabled of [true, false]) {
      for (const width of [400, 768]) {
        const narrow = await visit({ width, javaScriptEnabled })
        for (const path of PAGES) {
          await narrow.goto(path)
          const content = await narrow.evaluate(() => document.scrollingElement.scrollWidth)
          if (content > width) wrong.push(`${path} at ${width}: ${content} px, script ${javaScriptEnabled}`)
        }
        await narrow.context().close()
      }
    }
    assert.deepEqual(wrong, [])
  })

  await step('what is suggested does not cover "Add member"', async () => {
    const narrow = await visit({ width: 400 })
    await narrow.goto('/admin/groups/1/members/')
    await narrow.getByLabel('Username or e-mail').pressSequentially('user')
    await narrow.getByRole('option').first().waitFor()
    const list = await narrow.getByRole('listbox', { name: 'Suggestions' }).boundingBox()
    const button = await narrow.getByRole('button', { name: 'Add member' }).boundingBox()
    assert.ok(list.y >= button.y + button.height || list.y + list.height <= button.y, JSON.stringify({ list, button }))
    await narrow.context().close()
  })

  await step('a form at 200 % zoom keeps its bar in a fifth of the page, and the rest one click away', async () => {
    const zoomed = await visit({ viewport: { width: 640, height: 450 } })
    await zoomed.goto('/admin/users/2/change/')
    const { height } = await zoomed.locator('.button-bar').boundingBox()
    assert.ok(height < 450 / 5, `${height} px`)
    await zoomed.getByRole('button', { name: 'More' }).click()
    await zoomed.getByRole('button', { name: 'Save and continue editing' }).click()
    await zoomed.getByText('You may edit it again below.').waitFor()
    await zoomed.context().close()
  })

  await step('the list marks the row that was saved, and shows it', async () => {
    await page.goto('/admin/users/?o=-username')
    await page.getByRole('link', { name: 'user060' }).click()
    await page.getByLabel('First name').fill('Grace')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    const row = page.locator('tr[aria-current=true]')
    await row.getByRole('link', { name: 'user060' }).waitFor()
    const { y, height } = await row.boundingBox()
    assert.ok(y >= 0 && y + height <= 900, `at ${y}`)
  })

  await step('rows that are ticked right after a search stay ticked', async () => {
    await page.goto('/admin/users/')
    await page.getByRole('searchbox', { name: 'Search users' }).pressSequentially('user06')
    await page.locator('#result-count').filter({ hasText: '10 of 121 users' }).waitFor()
    await page.getByLabel('Select all on this page').click()
    await page.waitForTimeout(500)
    assert.equal(await page.locator('[data-selection-count]').textContent(), '10 of 10 selected')
    // And the palette has what can be done with them, also for somebody who types faster than its script loads.
    await page.route('**/palette.js', async (route) => {
      await new Promise((loaded) => setTimeout(loaded, 500))
      await route.continue()
    })
    await page.keyboard.press('Control+k')
    await page.keyboard.type('add selected')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Add 10 users to a group' }).waitFor()
    assert.equal(await page.evaluate(() => document.activeElement.id), 'choice')
    await page.goto('/admin/users/')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('add selected')
    await page.locator('#palette-list').filter({ hasText: 'Nothing found.' }).waitFor()
  })

  await step('the links that skip the navigation do not load the list again', async () => {
    await page.goto('/admin/users/')
    const asked = []
    const note = (request) => asked.push(request.url())
    page.on('request', note)
    for (const key of ['Tab', 'Tab', 'Enter']) await page.keyboard.press(key)
    await page.waitForURL(/#rows/)
    await page.waitForTimeout(300)
    page.off('request', note)
    assert.deepEqual(asked.filter((url) => url.includes('/admin/users/')), [])
  })

  await step('the first field of a new row has the focus, but not before what is wrong', async () => {
    await page.goto('/admin/users/add/')
    const focused = () => page.evaluate(() => document.activeElement.id)
    await page.keyboard.type('grace')
    assert.equal(await focused(), 'id_username')
    await page.keyboard.press('Control+a')
    await page.keyboard.type('user001')
    await page.keyboard.press('Control+s')
    await page.getByText('Nothing has been saved.').waitFor()
    assert.equal(await focused(), 'error-summary')
  })

  await step('previous and next follow the list one came from', async () => {
    await page.goto('/admin/users/?q=user06&o=-username')
    await page.getByRole('link', { name: 'user065' }).click()
    const title = page.getByRole('heading', { level: 1 })
    await page.getByRole('link', { name: 'Next in the list' }).click()
    await title.filter({ hasText: 'user064' }).waitFor()
    await page.getByRole('link', { name: 'Previous in the list' }).click()
    await title.filter({ hasText: 'user065' }).waitFor()
  })

  await step('the first row is at most 5 Tab stops away', async () => {
    for (const path of ['/admin/users/', '/admin/articles/', '/admin/groups/']) {
      await page.goto(path)
      await page.keyboard.press('Tab')
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.keyboard.press('Tab')
      assert.equal(await page.evaluate(() => document.activeElement.closest('tr') === document.querySelector('#rows > tr')), true, path)
    }
  })

  await step('j, k, x and Enter go through a list', async () => {
    await page.goto('/admin/articles/')
    const names = await page.locator('#rows th a').allTextContents()
    for (const [key, expected] of [['j', 0], ['j', 1], ['j', 2], ['k', 1]]) {
      await page.keyboard.press(key)
      await page.waitForFunction((name) => document.activeElement.textContent.trim() === name, names[expected].trim())
    }
    await page.keyboard.press('x')
    await page.getByText('1 of 100 selected').first().waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: names[1].trim() }).waitFor()
    await page.goto('/admin/articles/')
    await page.getByRole('searchbox', { name: 'Search articles' }).pressSequentially('jkx')
    await page.getByText('No article matches').waitFor()
  })

  await step('single keys are listed, and can be turned off', async () => {
    await page.goto('/admin/articles/')
    await page.keyboard.press('?')
    await page.getByText('Next, previous row of a list').waitFor()
    await look(page, 'keys')
    await page.getByLabel('Single-key shortcuts').uncheck()
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    await page.keyboard.press('?')
    assert.equal(await page.evaluate(() => document.activeElement.closest('#rows, dialog')), null)
    await page.evaluate(() => localStorage.clear())
  })

  await step('axe-core finds nothing wrong in any state of a page', async () => {
    // The first of them is inactive.
    const select = async (rows) => {
      await page.goto('/admin/users/?o=username&q=user00')
      for (let at = 0; at < rows; at += 1) await page.locator('input[name=_selected_action]').nth(at).check()
    }
    await select(3)
    await lookAtState(page, 'bulk-bar')
    await page.getByLabel('Action').selectOption({ label: 'Deactivate selected users' })
    await page.getByRole('button', { name: 'Go', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Deactivate' }).waitFor()
    await lookAtState(page, 'confirmation')
    await page.goto('/admin/users/2/delete/')
    await lookAtState(page, 'deletion')
    await page.goto('/admin/users/?q=user00')
    await page.getByRole('button', { name: 'Columns and page size' }).click()
    await lookAtState(page, 'columns')
    await page.goto('/admin/users/?staff=no&q=user00')
    await page.setViewportSize({ width: 400, height: 900 })
    await page.getByRole('button', { name: 'Filters' }).click()
    await lookAtState(page, 'filter-panel', [400, 768])
    await page.setViewportSize({ width: 1280, height: 900 })
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('user00')
    await page.getByRole('dialog', { name: 'Search or go to' }).getByRole('option', { name: 'user001' }).first().waitFor()
    await lookAtState(page, 'palette-with-rows')
    await page.goto('/admin/users/add/')
    await page.getByLabel('Username').fill('user001')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Nothing has been saved.').waitFor()
    await lookAtState(page, 'form-with-errors')
    for (const tab of ['change', 'activity', 'articles', 'sessions', 'refusals', 'token', 'history']) {
      await page.goto(`/admin/users/2/${tab}/`)
      await lookAtState(page, `user-${tab}`)
    }
  })

  await step('a deletion of many rows shows its progress, and then what it did', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatepost-rows-'))
    const file = join(folder, 'articles.csv')
    writeFileSync(file, ['name', ...Array.from({ length: 6000 }, (_, at) => `One of many ${at}`)].join('\n'))
    server.run('import', 'articles', file)
    rmSync(folder, { recursive: true })
    await page.goto('/admin/articles/?q=many')
    await page.getByLabel('Select all on this page').check()
    await page.getByLabel(/Select all .* that match/).check()
    await page.getByLabel('Action').selectOption({ label: 'Delete selected articles' })
    await page.getByRole('button', { name: 'Go', exact: true }).click()
    await page.getByRole('button', { name: /^Delete more than/ }).click()
    await page.getByRole('progressbar').waitFor()
    const job = page.url()
    // As it is now, for as long as the checks take.
    await page.route(job, (route) => route.abort())
    await lookAtState(page, 'progress')
    await page.unroute(job)
    await page.getByText('Deleted 6000 articles.').waitFor({ timeout: 120_000 })
    await lookAtState(page, 'job-done')
  })

  await step('the palette runs commands, and knows recent rows until the user signs out', async () => {
    const dialog = page.getByRole('dialog', { name: 'Search or go to' })
    const choose = async (typed, name) => {
      await page.keyboard.press('Control+k')
      await page.keyboard.type(typed)
      await dialog.getByRole('option', { name }).first().waitFor()
      await page.keyboard.press('Enter')
    }
    await page.goto('/admin/users/3/change/')
    const user = await page.getByRole('heading', { level: 1 }).textContent()
    // The page of the list has the same name.
    await choose(`articles ${user}`, new RegExp(`^Articles.*${user}`))
    await page.waitForURL(/\/admin\/users\/3\/articles\//)
    await choose('theme: dark', 'Theme: dark')
    await page.locator('html[data-theme=dark]').waitFor()
    await page.keyboard.press('Escape')
    await page.goto('/admin/users/3/change/')
    await page.keyboard.press('Control+k')
    await dialog.getByRole('group', { name: 'Recent' }).getByRole('option', { name: user }).waitFor()
    await dialog.getByRole('group', { name: 'Commands' }).getByRole('option', { name: 'Change password' }).waitFor()
    await look(page, 'palette')
    await page.keyboard.type('sign out')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Signed out' }).waitFor()
    assert.equal(await page.evaluate(() => localStorage.getItem('gatepost-recent')), null)
  })

  await step('recent rows are gone once the session has ended', async () => {
    const other = await visit({})
    await other.goto('/admin/login/')
    await other.evaluate(() => localStorage.setItem('gatepost-recent', '{}'))
    await other.goto('/admin/users/3/change/')
    await other.waitForURL(/\/admin\/login\//)
    await other.waitForFunction(() => localStorage.getItem('gatepost-recent') === null)
    await other.context().close()
  })
})
