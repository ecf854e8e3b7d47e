// The browsable API and Swagger UI, used with a token.
//
//   npm ci && npm run api
import assert from 'node:assert/strict'
import { look, story } from './lib.mjs'

await story('the browsable API and Swagger UI', {}, async ({ server, newPage, step }) => {
  const token = server.run('token', 'alice@example.com')
  const stranger = server.run('token', 'bob@example.com')
  const asAlice = { Authorization: `Bearer ${token}` }
  const page = await newPage()
  const title = page.getByRole('heading', { level: 1 })
  const status = page.locator('[data-status]')
  const body = page.locator('[data-body]')
  const nameField = page.getByLabel('Name', { exact: true })
  const answered = (text) => status.filter({ hasText: text }).waitFor()

  async function enterToken(value) {
    await page.getByLabel('idToken').fill(value)
    await page.getByRole('button', { name: 'Use token', exact: true }).click()
  }

  await step('without a token, the page says what is missing and how to get it', async () => {
    await page.goto('/articles/')
    await answered('401 Unauthorized')
    await page.getByText('token alice@example.com').waitFor()
    assert.match(await body.innerText(), /"code": "no_token"/)
    assert.equal(await page.getByRole('button', { name: 'POST' }).count(), 0)
    await look(page, 'stranger')
  })

  await step('a refused token is reported, forgotten, and nowhere in the page', async () => {
    await enterToken(`${token.slice(0, -6)}AAAAAA`)
    await page.getByText('The token was refused.').waitFor()
    assert.match(await body.innerText(), /"code": "signature_invalid"/)
    assert.equal((await page.content()).includes(token.slice(0, 20)), false)
    assert.equal(await page.getByLabel('idToken').inputValue(), '')
    await look(page, 'refused')
  })

  await step('with a token, the list is there', async () => {
    await enterToken(`Bearer ${token}\n`)
    await answered('200 OK')
    assert.equal(await body.innerText(), '[]')
    assert.equal(await title.innerText(), 'List Create Articles')
    await look(page, 'empty-list')
  })

  await step('what is wrong with a field is said at the field, and what was entered stays', async () => {
    await nameField.fill('x'.repeat(51))
    await page.getByRole('button', { name: 'POST' }).click()
    await answered('400 Bad Request')
    await page.locator('#errors-name').getByText('Ensure this field has no more than 50 characters.').waitFor()
    assert.equal(await nameField.getAttribute('aria-invalid'), 'true')
    assert.equal((await nameField.inputValue()).length, 51)
    assert.equal(await nameField.evaluate((field) => field === document.activeElement), true)
    await look(page, 'field-error')
  })

  await step('a form creates an article, whose URL is a link', async () => {
    await nameField.fill('<b>First</b> & "last"')
    await page.getByRole('button', { name: 'POST' }).click()
    await answered('201 Created')
    assert.match(await body.innerText(), /"name": "<b>First<\/b> & \\"last\\""/)
    assert.equal(await body.locator('b').count(), 0)
    await look(page, 'created')
    await page.locator('[data-headers] a', { hasText: /^\/articles\/1\/$/ }).click()
    await answered('200 OK')
    assert.equal(await title.innerText(), 'Article')
    assert.equal(new URL(page.url()).pathname, '/articles/1/')
    assert.equal(await nameField.inputValue(), '<b>First</b> & "last"')
    await look(page, 'detail')
  })

  await step('back and forward go through what was seen', async () => {
    await page.goBack()
    await page.getByRole('button', { name: 'POST' }).waitFor()
    assert.equal(await title.innerText(), 'List Create Articles')
    await page.goForward()
    await page.getByRole('button', { name: 'PUT' }).first().waitFor()
    assert.equal(await title.innerText(), 'Article')
  })

  await step('PUT changes it, so does PATCH with raw data, and wrong raw data stays to be corrected', async () => {
    await nameField.fill('Second')
    await page.locator('#form-html').getByRole('button', { name: 'PUT' }).click()
    await body.filter({ hasText: '"Second"' }).waitFor()
    await page.getByRole('tab', { name: 'HTML form' }).press('ArrowRight')
    const content = page.getByLabel('Content')
    assert.deepEqual(JSON.parse(await content.inputValue()), { name: 'Second' })
    await content.fill('{"name": ')
    await page.getByRole('button', { name: 'PATCH' }).click()
    await answered('400 Bad Request')
    assert.match(await body.innerText(), /JSON parse error/)
    assert.equal(await content.inputValue(), '{"name": ')
    await look(page, 'raw-error')
    await content.fill('{"name": "Third"}')
    await page.getByRole('button', { name: 'PATCH' }).click()
    await body.filter({ hasText: '"Third"' }).waitFor()
    await answered('200 OK')
  })

  await step('OPTIONS tells what there is, and JSON comes as it is', async () => {
    await page.getByRole('button', { name: 'OPTIONS' }).click()
    await body.filter({ hasText: '"renders"' }).waitFor()
    assert.equal(await nameField.inputValue(), '')
    await look(page, 'options')
    await page.getByRole('link', { name: 'JSON', exact: true }).click()
    await body.filter({ hasText: '{"id":1,"name":"Third"}' }).waitFor()
    await page.locator('[data-headers]').getByText('application/json').waitFor()
    assert.equal(await page.getByRole('link', { name: 'JSON', exact: true }).getAttribute('aria-current'), 'true')
    assert.equal(await page.locator('.page-head p').innerText(), 'GET /articles/1/?format=json')
    await look(page, 'json')
    await page.getByRole('link', { name: 'HTML', exact: true }).click()
    await page.locator('[data-headers]').getByText('application/json').waitFor()
    await body.filter({ hasText: '"id": 1' }).waitFor()
  })

  await step('a list leads on and back, and to its items', async () => {
    for (let number = 2; number <= 12; number += 1) {
      const init = { method: 'POST', headers: { ...asAlice, 'Content-Type': 'application/json' }, body: `{"name":"Article ${number}"}` }
      assert.equal((await server.fetch('/articles/', init)).status, 201)
    }
    await page.evaluate(() => history.pushState(null, '', '/articles/?limit=5&ordering=-id'))
    await page.getByRole('navigation', { name: 'Breadcrumbs' }).getByRole('link').click()
    await body.filter({ hasText: '"Article 12"' }).waitFor()
    await page.evaluate(() => { document.querySelector('[data-headers]').insertAdjacentHTML('beforeend', '<a href="/articles/?limit=5&ordering=-id">five</a>') })
    await page.getByRole('link', { name: 'five' }).click()
    await body.filter({ hasText: '"Article 8"' }).waitFor()
    const pages = page.getByRole('navigation', { name: 'Pages' })
    await pages.getByRole('link', { name: 'Next' }).click()
    await body.filter({ hasText: '"Article 7"' }).waitFor()
    await look(page, 'second-page')
    await pages.getByRole('link', { name: 'Next' }).click()
    await body.filter({ hasText: '"Article 2"' }).waitFor()
    assert.equal(await pages.getByRole('link', { name: 'Next' }).count(), 0)
    await pages.getByRole('link', { name: 'Previous' }).click()
    await body.filter({ hasText: '"Article 7"' }).waitFor()
    await pages.getByRole('link', { name: 'First' }).click()
    await body.filter({ hasText: '"Article 12"' }).waitFor()
    await body.getByRole('link', { name: '12', exact: true }).click()
    await body.filter({ hasText: /^\{\s+"id": 12,/ }).waitFor()
  })

  await step('who may not delete is told so, and the article stays', async () => {
    await page.getByRole('button', { name: 'Forget token' }).click()
    await answered('401 Unauthorized')
    await enterToken(stranger)
    await answered('200 OK')
    await page.getByRole('button', { name: 'DELETE' }).click()
    await look(page, 'delete')
    await page.getByRole('dialog').getByRole('button', { name: 'DELETE' }).click()
    await answered('403 Forbidden')
    assert.match(await body.innerText(), /permission_denied/)
    await look(page, 'forbidden')
  })

  await step('who may delete can think better of it, and then deletes', async () => {
    await page.getByRole('button', { name: 'Forget token' }).click()
    await enterToken(token)
    await answered('200 OK')
    await page.getByRole('button', { name: 'DELETE' }).click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    assert.equal((await server.fetch('/articles/12/', { headers: asAlice })).status, 200)
    await page.getByRole('button', { name: 'DELETE' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'DELETE' }).click()
    await body.filter({ hasText: '"Article 11"' }).waitFor()
    assert.equal(new URL(page.url()).pathname, '/articles/')
    assert.equal((await server.fetch('/articles/12/', { headers: asAlice })).status, 404)
  })

  await step('the token is nowhere but in the page’s memory: a new load asks for it again', async () => {
    const kept = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie, location.href].join())
    assert.equal(kept, `0,0,,${server.origin}/articles/`)
    assert.deepEqual(await page.context().cookies(), [])
    await page.reload()
    await answered('401 Unauthorized')
    assert.equal(server.log().includes(token.slice(0, 40)), false)
  })

  await step('who is signed in to the admin needs no token', async () => {
    const staff = await newPage()
    const there = (text) => staff.locator('[data-body]').filter({ hasText: text }).waitFor()
    await staff.goto('/articles/?search=staff')
    await staff.getByRole('link', { name: 'sign in to the admin' }).click()
    await staff.getByLabel('Username').fill(server.superuser.username)
    await staff.getByLabel('Password').fill(server.superuser.password)
    await staff.getByRole('button', { name: 'Sign in' }).click()
    await staff.getByText('You are signed in to the admin as').waitFor()
    assert.equal(new URL(staff.url()).search, '?search=staff')
    await there('[]')
    await look(staff, 'session')
    await staff.getByLabel('Name', { exact: true }).fill('Of the staff')
    await staff.getByRole('button', { name: 'POST' }).click()
    await there('"Of the staff"')
    await staff.locator('[data-headers] a', { hasText: '/articles/' }).click()
    await staff.getByRole('button', { name: 'DELETE' }).click()
    await staff.getByRole('dialog').getByRole('button', { name: 'DELETE' }).click()
    await there('"Article 11"')
    // JSON is for tokens alone, whatever cookie comes along.
    const status = await staff.evaluate(async () => (await fetch('/me/', { headers: { Accept: 'application/json' } })).status)
    assert.equal(status, 401)
    await staff.context().close()
  })

  await step('Swagger UI reads the document', async () => {
    await page.goto('/docs/')
    await page.locator('.opblock').first().waitFor()
    await look(page, 'docs')
  })

  await step('“Authorize” takes the token', async () => {
    await page.locator('.btn.authorize').click()
    await page.getByLabel('idToken').fill(token)
    await look(page, 'docs-authorize')
    await page.locator('.auth-btn-wrapper .authorize').first().click()
    await page.getByRole('button', { name: 'Logout' }).waitFor()
    await page.locator('.btn-done').first().click()
  })

  await step('“Try it out” creates an article with it', async () => {
    const operation = page.locator('#operations-articles-createArticle')
    await operation.locator('.opblock-summary-control').click()
    await operation.getByRole('button', { name: 'Try it out' }).click()
    await operation.getByLabel('Request body').fill('{"name": "From Swagger UI"}')
    await operation.getByRole('button', { name: 'Execute' }).click()
    await operation.locator('.live-responses-table').getByText('"name": "From Swagger UI"').waitFor()
    const list = await (await server.fetch('/articles/?search=Swagger', { headers: asAlice })).json()
    assert.deepEqual(list.map(({ name }) => name), ['From Swagger UI'])
    await look(page, 'docs-tried')
  })
})
