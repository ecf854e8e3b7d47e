// A new user's whole story in a real browser: sign-up in the page, code, trigger, token, article. Then the same with
// the trigger down. It starts and stops everything it needs; nothing is mocked. Needs Chromium and Python 3.
//
//   node e2e/run.mjs
//
// If a tool is missing, it says SKIPPED and names the tool; with CI=true that is a failure. CHROMIUM and SCREENSHOTS
// are those of story.mjs, GATEPOST_BIN that of scripts/demo. The last line is `N passed, N failed`.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import {
  CODE, Problem, freePorts, isExecutable, isOnPath, missingTools, newFolder, newStack, prepare, remove, shown, start,
} from '../../scripts/stack/stack.mjs'
import { request } from '../../scripts/stack/emulator.mjs'
import { browserPath } from '../../e2e/chromium.mjs'

const story = fileURLToPath(new URL('story.mjs', import.meta.url))
const staff = fileURLToPath(new URL('staff.mjs', import.meta.url))
const counts = { passed: 0, failed: 0 }
let stack
let browser

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(name, async () => {
    browser?.kill()
    await stack?.stop()
    process.exit(1)
  })
}

const missing = missingTools()
if (!isExecutable(browserPath)) missing.push(`Chromium at ${browserPath} (Debian: chromium)`)
if (!isOnPath('python3')) missing.push('python3')
if (missing.length > 0) {
  console.log(`SKIPPED the sign-up in a browser. Missing: ${missing.join('; ')}`)
  const isFailure = process.env.CI === 'true'
  close(isFailure ? { passed: 0, failed: 1 } : { passed: 0, failed: 0, skipped: 1 })
}

try {
  await prepare()
  await scenario('with the trigger', { createUsers: false, isBuilt: false }, async (report, calls) => {
    const trigger = calls.indexOf('POST /cognito/post-confirmation/ 200')
    const withToken = calls.findIndex((call) => /^(GET|POST) \/(me|articles)\//.test(call))
    await check('Gatepost heard of the sign-up before any token came', () => {
      assert.ok(trigger >= 0 && withToken >= 0 && trigger < withToken, calls.slice(0, 12).join('\n'))
    })
    await check('the trigger created the user, linked to the Cognito user and without rights', () => {
      created(report, 'post_confirmation')
    })
    await check('the second account with the same address got no user from the trigger either', () => {
      assert.ok(calls.includes('POST /cognito/post-confirmation/ 409'), calls.join('\n'))
      assert.deepEqual(query('SELECT count(*) AS users FROM users WHERE cognito_sub IS NOT NULL'), [{ users: 1 }])
    })
    await article(report, calls)
    await staffSees('created by sign-up')
    await oldPasswordMoves()
  })
  await scenario('with the trigger down, and the page as it is delivered', { createUsers: true, isBuilt: true }, async (report, calls) => {
    await check('the trigger did not reach Gatepost', () => {
      assert.deepEqual(calls.filter((call) => call.includes('/cognito/')), [])
    })
    await check('the first token created the user, linked to the Cognito user and without rights', () => {
      created(report, 'first_token')
    })
    await article(report, calls)
    await staffSees('created by the first token')
  }, async () => {
    await stack.services.lambda.stop()
    await check('nobody answers for the trigger', async () => assert.equal(await refusesConnections(stack.lambda), true))
  })
} catch (error) {
  console.log(error instanceof Problem ? error.message : error.stack)
  counts.failed += 1
  await stack?.stop()
}
close(counts)

/** Plays the story on a fresh stack, then checks the database and the log. */
async function scenario(name, options, examine, before = async () => {}) {
  console.log(`\n${name}`)
  const failures = counts.failed
  const folder = newFolder('e2e')
  stack = newStack()
  stack.name = options.createUsers ? 'without-trigger' : 'with-trigger'
  await start({ ...options, folder, ports: await freePorts(), settings: { LOG_FORMAT: 'json' }, stack })
  await before()
  const report = await tell(folder)
  if (report) await examine(report, accessLog())
  await stack.stop()
  if (counts.failed === failures) return remove(folder)
  console.log(`\n${stack.services.api.lastWords()}\n${stack.services.lambda.lastWords()}\nThe logs are in ${shown(folder)}.`)
}

/** Plays the user's story. Returns its report, or nothing if it failed. */
async function tell(folder) {
  const report = join(folder, 'report.json')
  const isPlayed = await play(story, { FRONTEND_URL: stack.page, CODE, REPORT: report })
  if (isPlayed && existsSync(report)) return JSON.parse(readFileSync(report, 'utf8'))
}

/** Checks what staff see. The server shows the superuser's password once, at its first start. */
async function staffSees(source) {
  const password = readFileSync(stack.services.api.log, 'utf8').match(/superuser\s+admin, password (\S+)/)?.[1]
  await play(staff, { API_URL: stack.api, STAFF_PASSWORD: password, SOURCE: source, REPORT: join(stack.folder, 'report.json') })
}

/** Plays a script in a browser and counts its steps. Returns whether it finished. */
async function play(script, settings) {
  const pictures = process.env.SCREENSHOTS && join(process.env.SCREENSHOTS, stack.name)
  if (pictures) mkdirSync(pictures, { recursive: true })
  browser = spawn(process.execPath, [script], {
    env: { ...process.env, ...settings, SCREENSHOTS: pictures ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ends a browser that hangs.
    timeout: 300_000,
  })
  for await (const line of createInterface({ input: browser.stdout })) {
    console.log(line)
    if (line.endsWith(' ... ok')) counts.passed += 1
  }
  if (browser.exitCode === null) await new Promise((done) => browser.once('exit', done))
  if (browser.exitCode === 0) return true
  counts.failed += 1
  console.log(`${script} ... FAILED`)
  return false
}

async function check(name, run) {
  try {
    await run()
    counts.passed += 1
    console.log(`${name} ... ok`)
  } catch (error) {
    counts.failed += 1
    console.log(`${name} ... FAILED\n${error.stack}`)
  }
}

function created({ username, email, idToken }, origin) {
  const { iss, sub } = JSON.parse(Buffer.from(idToken.split('.')[1], 'base64url'))
  assert.equal(iss, stack.issuer)
  const [user, ...others] = query('SELECT * FROM users WHERE email = ?', email)
  assert.deepEqual(others, [])
  const { id, is_active, is_staff, is_superuser, cognito_issuer, cognito_sub } = user
  assert.deepEqual(
    { username: user.username, origin: user.origin, is_active, is_staff, is_superuser, cognito_issuer, cognito_sub },
    { username, origin, is_active: 1, is_staff: 0, is_superuser: 0, cognito_issuer: iss, cognito_sub: sub },
  )
  // The link is part of the creation, not of a later change.
  const history = query("SELECT source, action, changes FROM history WHERE model = 'user' AND object_id = ?", id)
  assert.deepEqual(history.map(({ source, action }) => ({ source, action })), [{ source: origin, action: 'created' }])
  assert.ok(history[0].changes.includes(sub), history[0].changes)
}

async function article({ email, article: name, idToken }, calls) {
  await check('the article is in the API’s list', async () => {
    const answer = await fetch(`${stack.api}/articles/?search=${encodeURIComponent(name)}`, {
      headers: { Authorization: `Bearer ${idToken}` },
    })
    assert.deepEqual((await answer.json()).map((found) => found.name), [name])
  })
  await check('the article is in the history, with its author', () => {
    const found = query(
      `SELECT history.source, history.action, users.email FROM history JOIN users ON users.id = history.actor_id
       WHERE history.model = 'article' AND history.object = ?`, name)
    assert.deepEqual(found, [{ source: 'api', action: 'created', email }])
  })
  await check('the browser asked for permission to cross origins', () => {
    const preflight = calls.findIndex((call) => /^OPTIONS \/articles\/ 20\d$/.test(call))
    assert.ok(preflight >= 0 && preflight < calls.indexOf('POST /articles/ 201'), calls.slice(0, 20).join('\n'))
  })
}

/** A user who came from Django signs in to the pool, which asks the trigger. */
async function oldPasswordMoves() {
  const password = 'Zażółć 7 gęślą'
  const hash = 'pbkdf2_sha256$1200$SalzüBergŁódź$6F73679GbPxBYOIsqh3LuD4c/x0NMW3S9B1VZw53RVg='
  write(`INSERT INTO users (username, email, email_key, first_name, last_name, password, is_active, is_staff, is_superuser, date_joined, origin)
    VALUES ('maria', 'maria@example.com', 'maria@example.com', 'Maria', 'Lopez', ?, 1, 0, 0, '2020-01-01 00:00:00', 'command_line')`, hash)
  const signIn = (password) => pool('InitiateAuth', {
    AuthFlow: 'USER_PASSWORD_AUTH', ClientId: stack.pool.client, AuthParameters: { USERNAME: 'maria', PASSWORD: password },
  })
  const account = async () => {
    const { Users } = await (await pool('ListUsers', { UserPoolId: stack.pool.id })).json()
    const named = Users.map((user) => ({ ...user, ...Object.fromEntries(user.Attributes.map(({ Name, Value }) => [Name, Value])) }))
    return named.filter(({ email }) => email === 'maria@example.com')
  }
  await check('a wrong password moves nobody to the pool', async () => {
    assert.equal((await signIn('wrong')).status, 400)
    assert.deepEqual(await account(), [])
  })
  await check('the old password from Django opens the pool, which has the user from then on', async () => {
    const answer = await signIn(password)
    assert.equal(answer.status, 200, await answer.clone().text())
    const { IdToken } = (await answer.json()).AuthenticationResult
    assert.equal(JSON.parse(Buffer.from(IdToken.split('.')[1], 'base64url')).email, 'maria@example.com')
    const [{ name, email_verified, UserStatus }, ...others] = await account()
    assert.deepEqual([name, email_verified, UserStatus, others], ['Maria Lopez', 'false', 'CONFIRMED', []])
    const calls = accessLog().filter((call) => call.includes('user-migration'))
    assert.deepEqual(calls.slice(-2), ['POST /cognito/user-migration/ 403', 'POST /cognito/user-migration/ 200'])
  })
  await check('no log has the password', () => {
    for (const { log } of [stack.services.api, stack.services.lambda]) assert.ok(!readFileSync(log, 'utf8').includes(password), log)
  })
}

function pool(action, input) {
  return request(stack.pool.url, action, input)
}

/** The requests in the order of their answers, such as `GET /me/ 200`. */
function accessLog() {
  const lines = readFileSync(stack.services.api.log, 'utf8').split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line) => JSON.parse(line)).filter(({ target }) => target === 'gatepost::access').map(({ message }) => message)
}

/** Rows as objects. Python has SQLite built in; Node has it only in recent versions. */
function query(sql, ...values) {
  const program = `import json, sqlite3, sys
database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
database.row_factory = sqlite3.Row
print(json.dumps([dict(row) for row in database.execute(sys.argv[2], json.loads(sys.argv[3]))]))`
  const python = spawnSync('python3', ['-c', program, stack.database, sql, JSON.stringify(values)], { encoding: 'utf8' })
  assert.equal(python.status, 0, python.stderr)
  return JSON.parse(python.stdout)
}

function write(sql, ...values) {
  const program = `import json, sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=30) as database: database.execute(sys.argv[2], json.loads(sys.argv[3]))`
  const python = spawnSync('python3', ['-c', program, stack.database, sql, JSON.stringify(values)], { encoding: 'utf8' })
  assert.equal(python.status, 0, python.stderr)
}

function refusesConnections(address) {
  const { hostname, port } = new URL(address)
  return new Promise((done) => {
    const socket = connect(Number(port), hostname)
    socket.once('connect', () => socket.destroy(done(false)))
    socket.once('error', ({ code }) => done(code === 'ECONNREFUSED'))
  })
}

function close({ passed, failed, skipped }) {
  console.log(`\n${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
  process.exit(failed > 0 ? 1 : 0)
}
