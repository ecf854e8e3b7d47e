// Staff sign in to the admin: at the local pool's page, and at the hosted UI of ministack, a Cognito emulator.
//
//   npm ci && npm run sign-in
//
// GATEPOST_TEST_MINISTACK   the program `ministack` (`pip install ministack cryptography`); PATH by default
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { createServer } from 'node:net'
import { look, story } from './lib.mjs'

const PASSWORD = 'Vx9#kw2pLm-test'

await story('sign-in at the local user pool', {}, async ({ server, newPage, step }) => {
  const page = await newPage()
  const title = page.getByRole('heading', { level: 1 })

  await step('the sign-in page offers both ways', async () => {
    await page.goto('/admin/articles/')
    await page.getByRole('link', { name: 'Sign in with Cognito' }).waitFor()
    await look(page, 'sign-in')
  })

  await step('an e-mail without a local user is told so', async () => {
    await page.getByRole('link', { name: 'Sign in with Cognito' }).click()
    await look(page, 'local-pool')
    await page.getByLabel('E-mail').fill('nobody@example.com')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('No account here belongs to your Cognito account.').waitFor()
    await look(page, 'sign-in-refused')
  })

  await step('the first superuser lands where they wanted to go', async () => {
    await page.getByRole('link', { name: 'Sign in with another account' }).click()
    await page.getByLabel('E-mail').fill('admin@example.com')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await title.filter({ hasText: 'Articles' }).waitFor()
    assert.equal(new URL(page.url()).pathname, '/admin/articles/')
  })

  await step('it works at another name of this machine, too', async () => {
    const origin = server.origin.replace('127.0.0.1', 'localhost')
    const other = await newPage({ baseURL: origin, also: [origin] })
    await other.goto('/admin/')
    await other.getByRole('link', { name: 'Sign in with Cognito' }).click()
    await other.getByLabel('E-mail').fill('admin@example.com')
    await other.getByRole('button', { name: 'Sign in' }).click()
    await other.getByRole('heading', { level: 1 }).waitFor()
    assert.equal(new URL(other.url()).origin, origin)
  })
})

await story('a second factor', { REQUIRE_SECOND_FACTOR: 'superusers' }, async ({ server, newPage, step }) => {
  const { username, password } = server.superuser
  const page = await newPage()
  const title = page.getByRole('heading', { level: 1 })
  const givePassword = async (tab) => {
    await tab.getByLabel('Username').fill(username)
    await tab.getByLabel('Password').fill(password)
    await tab.getByRole('button', { name: 'Sign in' }).click()
  }
  let [secret, codes] = ['', []]

  await step('a superuser without one gets only the page to set it up', async () => {
    await page.goto('/admin/articles/')
    await givePassword(page)
    await page.getByText('Your account needs a second factor.').waitFor()
    await look(page, 'second-factor-required')
    await page.getByLabel('Current password').fill('wrong')
    await page.getByRole('button', { name: 'Set up' }).click()
    await page.getByText('Your password was entered incorrectly.').waitFor()
    await look(page, 'second-factor-wrong-password')
  })

  await step('the page shows the secret as a QR code, a text and a link', async () => {
    await page.getByLabel('Current password').fill(password)
    await page.getByRole('button', { name: 'Set up' }).click()
    await page.getByRole('img', { name: 'QR code with the key' }).waitFor()
    secret = (await page.locator('.secret').textContent()).replaceAll(' ', '')
    const uri = await page.locator('a[href^="otpauth:"]').getAttribute('href')
    assert.equal(new URL(uri).searchParams.get('secret'), secret)
    await look(page, 'second-factor-confirm-required')
    await page.getByLabel('Code', { exact: true }).fill('000000')
    await page.getByRole('button', { name: 'Turn on' }).click()
    await page.getByText('This code is wrong').waitFor()
  })

  await step('the right code turns it on, and the way leads on', async () => {
    await page.getByLabel('Code', { exact: true }).fill(codeOf(secret, 0))
    await page.getByRole('button', { name: 'Turn on' }).click()
    await title.filter({ hasText: 'Recovery codes' }).waitFor()
    codes = await page.locator('#recovery-codes li').allTextContents()
    assert.equal(codes.length, 10)
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Copy' }).click()
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    assert.equal(copied, codes.join('\n'))
    await look(page, 'recovery-codes')
    await page.getByRole('link', { name: 'Continue' }).click()
    await title.filter({ hasText: 'Articles' }).waitFor()
  })

  await step('a sign-in asks for a code, which counts once', async () => {
    const other = await newPage()
    await other.goto('/admin/history/')
    await givePassword(other)
    await other.getByRole('heading', { name: 'Enter a code' }).waitFor()
    await look(other, 'code')
    await other.getByLabel('Code', { exact: true }).fill('000 000')
    await other.getByRole('button', { name: 'Sign in' }).click()
    await other.getByText('This code is wrong').waitFor()
    await look(other, 'code-wrong')
    // The code of the next step counts already.
    const next = codeOf(secret, 1)
    await other.getByLabel('Code', { exact: true }).fill(next)
    await other.getByRole('button', { name: 'Sign in' }).click()
    await other.getByRole('heading', { name: 'History', level: 1 }).waitFor()
    const third = await newPage()
    await third.goto('/admin/')
    await givePassword(third)
    await third.getByLabel('Code', { exact: true }).fill(next)
    await third.getByRole('button', { name: 'Sign in' }).click()
    await third.getByText('This code is wrong').waitFor()
    await third.getByLabel('Code', { exact: true }).fill(codes[0].toLowerCase())
    await third.getByRole('button', { name: 'Sign in' }).click()
    await third.getByText('You have used a recovery code. 9 are left.').waitFor()
  })

  await step('the page of the account shows the state and turns it off', async () => {
    await page.getByRole('button', { name: username }).click()
    await page.getByRole('link', { name: 'Second factor' }).click()
    await page.getByText('Recovery codes left').waitFor()
    await look(page, 'second-factor-on')
    await page.getByLabel('Current password').fill(password)
    await page.getByLabel('Code', { exact: true }).fill(codes[1])
    await page.getByRole('button', { name: 'Turn off' }).click()
    await page.getByText('Your account needs a second factor.').waitFor()
  })

  await step('who has signed in with Cognito finds the page in the frame of the admin', async () => {
    const byCognito = await newPage()
    await byCognito.goto('/admin/')
    await byCognito.getByRole('link', { name: 'Sign in with Cognito' }).click()
    await byCognito.getByLabel('E-mail').fill('admin@example.com')
    await byCognito.getByRole('button', { name: 'Sign in' }).click()
    await byCognito.goto('/admin/second_factor/')
    await look(byCognito, 'second-factor')
    await byCognito.getByLabel('Current password').fill(password)
    await byCognito.getByRole('button', { name: 'Set up' }).click()
    await byCognito.getByRole('img', { name: 'QR code with the key' }).waitFor()
    await look(byCognito, 'second-factor-confirm')
  })

  await step('no secret and no code is in the log', () => {
    for (const text of [secret, ...codes]) assert.equal(server.log().includes(text), false)
  })
})

/** The code that an authenticator app shows, or will show that many steps later (RFC 6238). */
function codeOf(secret, later) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)))
  const step = Buffer.alloc(8)
  step.writeBigInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later))
  const tag = createHmac('sha1', key).update(step).digest()
  const number = tag.readUInt32BE(tag[19] & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

const program = process.env.GATEPOST_TEST_MINISTACK ?? 'ministack'
if (spawnSync(program, ['--help']).error) {
  console.log('SKIPPED sign-in at ministack. Missing: ministack (pip install ministack cryptography)')
  if (process.env.CI === 'true') process.exitCode = 1
} else {
  const pool = await startPool()
  try {
    for (const kind of ['confidential', 'public']) await atHostedUi(kind, pool)
    await withAnotherPool(pool)
  } finally {
    await pool.stop()
  }
}

/** The settings of an admin at this origin, whose staff sign in at the pool's hosted UI with this client. */
function settingsFor(origin, pool, client) {
  return {
    BIND_ADDRESS: `127.0.0.1:${new URL(origin).port}`,
    PUBLIC_URL: origin,
    AWS_USER_POOLS_ID: pool.id,
    AWS_APP_CLIENT_ID: 'anotherclient',
    COGNITO_JWKS_URL: `${pool.origin}/${pool.id}/.well-known/jwks.json`,
    COGNITO_ADMIN_CLIENT_ID: client.ClientId,
    ...(client.ClientSecret && { COGNITO_ADMIN_CLIENT_SECRET: client.ClientSecret }),
    COGNITO_AUTHORIZATION_URL: `${pool.origin}/oauth2/authorize`,
    COGNITO_TOKEN_URL: `${pool.origin}/oauth2/token`,
    COGNITO_LOGOUT_URL: `${pool.origin}/logout`,
    COGNITO_STAFF_GROUP: 'staff',
  }
}

/** Goes to the hosted UI, which is asked for something else where `changes` says so. */
async function ask(tab, changes = {}) {
  await tab.goto('/admin/login/cognito/')
  if (Object.keys(changes).length > 0) await tab.goto(changed(tab.url(), changes))
}

async function signIn(tab, name) {
  await tab.getByLabel('Username').fill(`${name}@example.com`)
  await tab.getByLabel('Password').fill(PASSWORD)
  await tab.getByRole('button', { name: 'Sign in' }).click()
}

/** Signs in at the hosted UI as jane. Returns the URL that it leads back to, without going there. */
async function wayBack(tab) {
  let url
  const hold = async (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    const answer = await route.fetch({ maxRedirects: 0 })
    url = answer.headers().location
    return route.fulfill({ body: 'held up' })
  }
  await tab.route('**/*', hold)
  await signIn(tab, 'jane')
  await tab.getByText('held up').waitFor()
  await tab.unroute('**/*', hold)
  return url
}

function changed(url, parameters) {
  const other = new URL(url)
  for (const [name, value] of Object.entries(parameters)) other.searchParams.set(name, value)
  return other.href
}

async function atHostedUi(kind, pool) {
  const origin = `http://localhost:${await freePort()}`
  const away = { baseURL: origin, also: [origin, pool.origin] }
  const client = await pool.client(kind === 'confidential', origin)
  await story(`sign-in at ministack with a ${kind} client`, settingsFor(origin, pool, client), async ({ server, newPage, step }) => {
    server.run('createsuperuser', '--noinput', '--username', 'jane', '--email', 'jane@example.com')
    const page = await newPage(away)

    await step('a user without a local account is told so', async () => {
      await page.goto('/admin/')
      await page.getByRole('link', { name: 'Sign in with Cognito' }).click()
      await signIn(page, 'bob')
      await page.getByText('No account here belongs to your Cognito account.').waitFor()
    })

    await step('staff sign in, in two tabs at once, and land where they wanted to go', async () => {
      const other = await page.context().newPage()
      await page.goto('/admin/articles/')
      await other.goto('/admin/history/')
      for (const tab of [page, other]) await tab.getByRole('link', { name: 'Sign in with Cognito' }).click()
      await signIn(other, 'jane')
      await other.waitForURL(`${origin}/admin/history/`)
      await signIn(page, 'jane')
      await page.waitForURL(`${origin}/admin/articles/`)
      await other.close()
    })

    await step('a late and a repeated callback, and a forged state, are refused', async () => {
      const tab = await newPage(away)
      const refused = async (callback) => {
        assert.equal((await tab.goto(callback)).status(), 400)
        await tab.getByText('This sign-in took too long, was already used, or began in another browser.').waitFor()
      }
      const forget = (name) => tab.context().clearCookies({ name })
      await ask(tab)
      const callback = await wayBack(tab)
      await tab.goto(callback)
      await tab.waitForURL(`${origin}/admin/`)
      // Who is signed in would be led on.
      await forget(/session/)
      await refused(callback)
      await ask(tab)
      const flow = (await tab.context().cookies(origin)).filter(({ name }) => name.includes('sign_in_'))
      const left = flow[0].expires - Date.now() / 1000
      assert.ok(flow.length === 1 && left > 540 && left <= 601, `the browser keeps ${flow.length} flows, ${left} s`)
      const late = await wayBack(tab)
      // As the browser does by then. That the server looks at the time, too, is a test of the service.
      await forget(/sign_in_/)
      await refused(late)
      await refused(late.replace(/state=[^&]+/, `state=${'a'.repeat(43)}`))
    })

    await step('a wrong verifier is refused by the pool itself, so a stolen code opens nothing', async () => {
      const [victim, thief] = [await newPage(away), await newPage(away)]
      await ask(victim)
      const callback = await wayBack(victim)
      await ask(thief)
      const state = new URL(thief.url()).searchParams.get('state')
      // The pool compares the thief’s verifier with the challenge of the victim.
      const answer = await thief.goto(callback.replace(/state=[^&]+/, `state=${state}`))
      assert.equal(answer.status(), 400)
      await thief.getByText('Cognito did not accept the code of this sign-in.').waitFor()
      assert.match(server.log(), /sign-in with Cognito refused: the provider: it refused the code: invalid_grant/)
      // Nothing else was wrong with it: ministack takes the code from its owner afterwards.
      await victim.goto(callback)
      await victim.waitForURL(`${origin}/admin/`)
    })

    await step('a wrong challenge, nonce, client, pool, code and issuer are refused', async () => {
      const [sibling, foreign] = [await pool.client(false, origin), await pool.other.client(false, origin)]
      const [noCode, noToken] = ['Cognito did not accept the code of this sign-in.', 'The token from Cognito is not one for this sign-in.']
      const tab = await newPage(away)
      for (const [changes, back, text] of [
        [{ code_challenge: 'c'.repeat(43) }, {}, noCode],
        [{ nonce: 'n'.repeat(43) }, {}, noToken],
        [{ client_id: sibling.ClientId }, {}, noCode],
        [{ client_id: foreign.ClientId }, {}, noCode],
        [{}, { code: 'made-up' }, noCode],
        [{}, { iss: 'https://evil.example' }, 'Cognito’s response is incomplete.'],
      ]) {
        await ask(tab, changes)
        const callback = changed(await wayBack(tab), back)
        assert.ok((await tab.goto(callback)).status() >= 400)
        await tab.getByText(text).waitFor()
        assert.equal((await tab.context().cookies(origin)).some(({ name }) => name.includes('session')), false)
      }
      await look(tab, `provider-error-${kind}`)
    })

    await step('a pool that does not answer is a clear page, and the next try works', async () => {
      const tab = await newPage(away)
      await ask(tab)
      const callback = await wayBack(tab)
      pool.pause()
      assert.equal((await tab.goto(callback)).status(), 503)
      pool.resume()
      await tab.getByText('Cognito cannot be reached at the moment.').waitFor()
      await tab.getByRole('link', { name: 'Try again' }).click()
      await signIn(tab, 'jane')
      await tab.waitForURL(`${origin}/admin/`)
    })

    await step('a group of the pool gives its members rights, and takes them away', async () => {
      await page.goto('/admin/users/add/')
      await page.getByLabel('Username').fill('bob')
      await page.getByLabel('E-mail').fill('bob@example.com')
      await page.getByRole('button', { name: 'Save', exact: true }).click()
      await page.goto('/admin/groups/add/')
      await page.getByLabel('Name', { exact: true }).fill('Editors')
      await page.getByLabel('Cognito group').fill('editors')
      // Behind the picker.
      await page.locator('select[name=permissions]').selectOption('articles.change_article', { force: true })
      await page.getByRole('button', { name: 'Save', exact: true }).click()
      const bob = await newPage(away)
      const enter = async () => {
        await bob.goto('/admin/login/cognito/?next=/admin/articles/')
        await signIn(bob, 'bob')
      }
      await enter()
      await bob.getByText('Your account here is not a staff account.').waitFor()
      for (const group of ['staff', 'editors']) await pool.group('AdminAddUserToGroup', group)
      await enter()
      await bob.getByRole('heading', { level: 1 }).filter({ hasText: 'Articles' }).waitFor()
      await page.goto('/admin/users/?q=bob')
      await page.getByRole('link', { name: 'bob' }).click()
      await page.getByRole('heading', { name: 'Groups from Cognito' }).waitFor()
      await look(page, `cognito-groups-${kind}`)
      await pool.group('AdminRemoveUserFromGroup', 'editors')
      await bob.context().clearCookies()
      await enter()
      await bob.getByText('You do not have permission to do this.').waitFor()
      await pool.group('AdminRemoveUserFromGroup', 'staff')
      await bob.context().clearCookies()
      await enter()
      await bob.getByText('Your account here is not a staff account.').waitFor()
    })

    await step('signing out ends both sessions', async () => {
      await page.goto('/admin/')
      await page.getByRole('button', { name: 'jane' }).click()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('link', { name: 'Sign out of Cognito' }).click()
      await page.waitForURL(`${origin}/admin/login/`)
      await page.goto('/admin/')
      assert.equal(new URL(page.url()).pathname, '/admin/login/')
    })

    await step('no token, code or secret is in the log', () => {
      assert.doesNotMatch(server.log(), /eyJ|code=|refresh/)
      if (client.ClientSecret) assert.equal(server.log().includes(client.ClientSecret), false)
    })
  })
}

/** Client and keys are those of one pool, and the settings name another one. Afterwards the pool is gone. */
async function withAnotherPool(pool) {
  const origin = `http://localhost:${await freePort()}`
  const client = await pool.client(true, origin)
  const settings = { ...settingsFor(origin, pool, client), AWS_USER_POOLS_ID: pool.other.id }
  await story('sign-in at ministack with two pools', settings, async ({ server, newPage, step }) => {
    server.run('createsuperuser', '--noinput', '--username', 'jane', '--email', 'jane@example.com')
    const tab = await newPage({ baseURL: origin, also: [origin, pool.origin] })

    await step('a token of another issuer is refused, even with the right client, nonce and keys', async () => {
      await ask(tab)
      await signIn(tab, 'jane')
      await tab.getByText('The token from Cognito is not one for this sign-in.').waitFor()
      assert.match(server.log(), /the ID token: issuer_not_accepted/)
    })

    await step('without the pool, the page says so and offers the password', async () => {
      await ask(tab)
      const callback = await wayBack(tab)
      await pool.stop()
      assert.equal((await tab.goto(callback)).status(), 503)
      await tab.getByText('Cognito cannot be reached at the moment.').waitFor()
      await tab.getByRole('link', { name: 'Sign in with a password' }).click()
      await tab.getByLabel('Password').waitFor()
    })
  })
}

/** Starts ministack with a pool of two users, `jane` and `bob`, and an `other` pool like it. */
async function startPool() {
  const port = await freePort()
  const env = {
    PATH: process.env.PATH, HOME: process.env.HOME, BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port),
    SERVICES: 'cognito-idp', IOT_MTLS_ENABLED: '0',
  }
  const child = spawn(program, [], { env, stdio: 'ignore' })
  const origin = `http://127.0.0.1:${port}`
  const call = async (action, input) => {
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSCognitoIdentityProviderService.${action}`,
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20261128/eu-west-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=x',
    }
    const answer = await fetch(`${origin}/`, { method: 'POST', headers, body: JSON.stringify(input) })
    const body = await answer.json()
    assert.equal(answer.status, 200, `${action}: ${JSON.stringify(body)}`)
    return body
  }
  for (let wait = 0; wait < 300; wait += 1) {
    if (await fetch(origin).then(() => true, () => false)) break
    await new Promise((done) => { setTimeout(done, 100) })
  }
  const create = async (name) => {
    const { UserPool } = await call('CreateUserPool', { PoolName: name, AutoVerifiedAttributes: ['email'] })
    const UserPoolId = UserPool.Id
    await call('CreateUserPoolDomain', { UserPoolId, Domain: name })
    for (const user of ['jane', 'bob']) {
      const Username = `${user}@example.com`
      const UserAttributes = [{ Name: 'email', Value: Username }, { Name: 'email_verified', Value: 'true' }]
      await call('AdminCreateUser', { UserPoolId, Username, UserAttributes, MessageAction: 'SUPPRESS' })
      await call('AdminSetUserPassword', { UserPoolId, Username, Password: PASSWORD, Permanent: true })
    }
    for (const GroupName of ['staff', 'editors']) await call('CreateGroup', { UserPoolId, GroupName })
    return {
      id: UserPoolId,
      group: (action, GroupName) => call(action, { UserPoolId, GroupName, Username: 'bob@example.com' }),
      async client(isConfidential, publicOrigin) {
        const { UserPoolClient } = await call('CreateUserPoolClient', {
          UserPoolId, ClientName: 'gatepost-admin', GenerateSecret: isConfidential,
          AllowedOAuthFlowsUserPoolClient: true, AllowedOAuthFlows: ['code'],
          AllowedOAuthScopes: ['openid', 'email', 'profile'], SupportedIdentityProviders: ['COGNITO'],
          CallbackURLs: [`${publicOrigin}/admin/login/cognito/callback/`], LogoutURLs: [`${publicOrigin}/admin/login/`],
        })
        return UserPoolClient
      },
    }
  }
  return {
    ...await create('staff'),
    other: await create('other'),
    origin,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    stop: () => new Promise((done) => {
      if (child.exitCode !== null || child.signalCode !== null) return done()
      child.once('exit', done)
      child.kill('SIGKILL')
    }),
  }
}

/** A port of this machine on which nobody listens. */
async function freePort() {
  const server = createServer()
  await new Promise((done) => { server.listen(0, '127.0.0.1', done) })
  const { port } = server.address()
  await new Promise((done) => { server.close(done) })
  return port
}
