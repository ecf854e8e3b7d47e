// Starts everything that a sign-up passes through, without AWS: cognito-local for the user pool, serverless-offline for
// the Lambda functions, Gatepost and the sample page. None of it is our own mock. scripts/demo shows it to people, and
// frontend/e2e/run.mjs runs a browser through it.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { accessSync, constants, copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join, relative, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { completeEmulator } from './emulator.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const frontend = join(root, 'frontend')
const lambda = join(root, 'lambda')
const emulators = resolve(process.env.GATEPOST_EMULATORS ?? join(root, 'target', 'demo', 'emulators'))
const node = process.execPath

/** The sign-up code that cognito-local sends to every user. */
export const CODE = '123456'

/** What each port is for, and the variable that chooses another one. */
export const PORTS = {
  page: { port: 3000, variable: 'PAGE_PORT', what: 'the page' },
  api: { port: 8000, variable: 'API_PORT', what: 'Gatepost' },
  pool: { port: 9229, variable: 'POOL_PORT', what: 'cognito-local' },
  lambda: { port: 3002, variable: 'LAMBDA_PORT', what: 'the Lambda host' },
}

/** A problem that its message explains, without a stack trace. */
export class Problem extends Error {}

/** The names of the missing tools. */
export function missingTools() {
  const missing = []
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (!(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19))) {
    missing.push(`Node 20.19, or 22.12 and later (this is ${process.versions.node})`)
  }
  if (!isOnPath('npm')) missing.push('npm')
  const program = process.env.GATEPOST_BIN
  if (program) {
    if (!isExecutable(program)) missing.push(`GATEPOST_BIN=${program}, which is not a program`)
  } else if (!isOnPath('cargo')) {
    missing.push('cargo (https://rustup.rs), or GATEPOST_BIN with a built gatepost')
  }
  return missing
}

export function isOnPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, name)))
}

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Installs and builds what is needed before the start. Shows the output of the tools. */
export async function prepare() {
  await installAll()
  if (!process.env.GATEPOST_BIN) {
    console.log('Building Gatepost ...')
    await run('cargo', ['build'], root)
  }
}

/** Installs the npm packages: the emulators in target/, the page's packages in frontend/. */
export async function installAll() {
  mkdirSync(emulators, { recursive: true })
  for (const file of ['package.json', 'package-lock.json']) {
    copyFileSync(join(root, 'scripts', 'stack', file), join(emulators, file))
  }
  await install(emulators, 'cognito-local and serverless-offline (once)')
  await install(frontend, 'the page’s packages (once)')
}

async function install(folder, what) {
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8')
  const installed = join(folder, 'node_modules', '.gatepost-lock.json')
  if (existsSync(installed) && readFileSync(installed, 'utf8') === lock) return
  console.log(`Installing ${what} ...`)
  // None of these packages needs its install script, so none of the scripts runs.
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder)
  writeFileSync(installed, lock)
}

async function run(command, args, cwd, env = process.env) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
  const code = await ended(child)
  if (code !== 0) throw new Problem(`${command} ${args[0]} failed in ${cwd} (${code})`)
}

/** Resolves to the exit code, or to the name of the signal that ended the process. */
function ended(child) {
  return new Promise((done) => {
    child.once('error', (error) => done(error.message))
    child.once('exit', (code, signal) => done(code ?? signal))
  })
}

/** A new folder for one run. */
export function newFolder(name) {
  const parent = join(root, 'target', 'demo')
  mkdirSync(parent, { recursive: true })
  return mkdtempSync(join(parent, `${name}-`))
}

/** The default ports, or those that the variables choose. Each must be free. */
export async function fixedPorts() {
  const ports = {}
  const problems = []
  for (const [name, { port, variable, what }] of Object.entries(PORTS)) {
    ports[name] = Number(process.env[variable] ?? port)
    if (!Number.isInteger(ports[name]) || ports[name] < 1 || ports[name] > 65_535) {
      problems.push(`${variable}=${process.env[variable]} is not a port.`)
    } else if (!(await isFree(ports[name]))) {
      problems.push(`Port ${ports[name]}, for ${what}, is in use. Stop that program, or choose another port: ${variable}=...`)
    }
  }
  if (new Set(Object.values(ports)).size < 4) problems.push('Two of the ports are the same.')
  if (problems.length > 0) throw new Problem(problems.join('\n'))
  return ports
}

/** Ports that are free at the moment. */
export async function freePorts() {
  const servers = await Promise.all(Object.keys(PORTS).map(() => listen(0, '127.0.0.1')))
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return Object.fromEntries(Object.keys(PORTS).map((name, index) => [name, ports[index]]))
}

/** `localhost` may mean either IP address. */
async function isFree(port) {
  for (const host of ['127.0.0.1', '::1']) {
    try {
      const server = await listen(port, host)
      await new Promise((closed) => server.close(closed))
    } catch (error) {
      if (error.code !== 'EADDRNOTAVAIL' && error.code !== 'EAFNOSUPPORT') return false
    }
  }
  return true
}

function listen(port, host) {
  return new Promise((done, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(port, host, () => done(server))
  })
}

/**
 * The environment without the variables that one of the four programs reads. So settings of a real pool or AWS account
 * have no effect here.
 */
function environment(settings) {
  const ours = /^(AWS_|COGNITO_|CORS_|DATABASE_URL|APP_ENV|BIND_ADDRESS|ALLOWED_HOSTS|MAX_BODY|LOG_FORMAT|RUST_LOG|POST_CONFIRMATION|USER_MIGRATION|GATEPOST_|VITE_|SLS_|SERVERLESS_|DJANGO_|CODE$|PORT$|HOST$|DEBUG$)/
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name))
  return { ...Object.fromEntries(inherited), NO_PROXY: 'localhost,127.0.0.1,::1', ...settings }
}

/** One of the four programs, in its own process group, so that Ctrl+C reaches only this script. */
class Service {
  constructor(name, command, args, { folder, cwd = folder, env }) {
    this.name = name
    this.log = join(folder, `${name}.log`)
    const log = openSync(this.log, 'a')
    this.child = spawn(command, args, { cwd, env: environment(env), detached: true, stdio: ['ignore', log, log] })
    this.isStopping = false
    this.hasEnded = false
    this.ended = ended(this.child).then((code) => {
      this.hasEnded = true
      return code
    })
  }

  /** Waits until `isReady` returns true. It may throw until the service is ready. */
  async ready(isReady, seconds = 60) {
    for (const deadline = Date.now() + seconds * 1000; ; await pause(100)) {
      if (this.hasEnded) throw new Problem(`${this.name} ended (${await this.ended}). ${this.lastWords()}`)
      if (await isReady().catch(() => false)) return
      if (Date.now() > deadline) throw new Problem(`${this.name} is not ready after ${seconds} s. ${this.lastWords()}`)
    }
  }

  lastWords() {
    const lines = readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-15)
    return `The end of ${shown(this.log)}:\n  ${lines.join('\n  ')}`
  }

  async stop() {
    this.isStopping = true
    if (this.hasEnded) return
    this.signal('SIGTERM')
    // Gatepost gives running requests 20 s.
    const isLate = await Promise.race([this.ended.then(() => false), pause(22_000, true, { ref: false })])
    if (isLate) this.signal('SIGKILL')
    await this.ended
  }

  signal(name) {
    try {
      process.kill(-this.child.pid, name)
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }
}

/** All four programs. `start` below fills it. */
class Stack {
  services = {}
  /** What stands before cognito-local. */
  front
  isStopping = false

  run(key, name, command, args, options) {
    // Ctrl+C may come during the start.
    if (this.isStopping) throw new Problem('Stopped.')
    this.services[key] = new Service(name, command, args, options)
  }

  /** Resolves when a program ends by itself. */
  get died() {
    return Promise.race(Object.values(this.services).map(async (service) => {
      const code = await service.ended
      if (service.isStopping) return new Promise(() => {})
      return new Problem(`${service.name} ended (${code}). ${service.lastWords()}`)
    }))
  }

  async stop() {
    this.isStopping = true
    this.front?.close()
    this.front?.closeAllConnections()
    await Promise.all(Object.values(this.services).map((service) => service.stop()))
  }

  kill() {
    for (const service of Object.values(this.services)) service.signal('SIGKILL')
  }
}

/**
 * Starts all four programs in `folder`. Returns when all of them are ready.
 *
 * `createUsers`: whether a first token may create its user; otherwise only the trigger does.
 * `settings`: additional settings for Gatepost. `isBuilt`: uses the built page with its Content-Security-Policy instead
 * of Vite's development server.
 * `stack`: filled while the programs start, so that the caller can stop them at any time.
 */
export async function start({ folder, ports, createUsers, settings = {}, isBuilt = false, say = () => {}, stack = newStack() }) {
  const { services } = stack
  const [secret, migrationSecret] = [32, 32].map((length) => randomBytes(length).toString('hex'))
  stack.folder = folder
  stack.database = join(folder, 'gatepost.sqlite3')
  stack.page = `http://localhost:${ports.page}`
  stack.api = `http://localhost:${ports.api}`
  stack.lambda = `http://127.0.0.1:${ports.lambda}`
  const pool = `http://localhost:${ports.pool}`
  const emulatorPort = (await freePorts()).pool
  const emulator = `http://localhost:${emulatorPort}`

  // cognito-local reads its settings from its working directory.
  mkdirSync(join(folder, '.cognito'))
  writeJson(join(folder, '.cognito', 'config.json'), {
    UserPoolDefaults: { UsernameAttributes: [] },
    TokenConfig: { IssuerDomain: pool },
    LambdaClient: { endpoint: stack.lambda },
    TriggerFunctions: { PostConfirmation: 'post-confirmation', UserMigration: 'user-migration' },
  })
  stack.run('pool', 'cognito-local', node, [packaged('cognito-local/lib/bin/start.js')], {
    folder,
    env: { CODE, PORT: String(emulatorPort), HOST: 'localhost', AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1' },
  })

  writeJson(join(folder, 'serverless.json'), {
    service: 'gatepost',
    frameworkVersion: '3',
    plugins: ['serverless-offline'],
    provider: { name: 'aws', runtime: 'nodejs20.x', timeout: 5 },
    functions: {
      postConfirmation: {
        name: 'post-confirmation',
        handler: `${relative(folder, lambda)}/post_confirmation/index.handler`,
        environment: { GATEPOST_URL: `http://127.0.0.1:${ports.api}`, POST_CONFIRMATION_SECRET: secret },
      },
      userMigration: {
        name: 'user-migration',
        handler: `${relative(folder, lambda)}/user_migration/index.handler`,
        environment: { GATEPOST_URL: `http://127.0.0.1:${ports.api}`, USER_MIGRATION_SECRET: migrationSecret },
      },
    },
    // serverless-offline opens its other ports only for functions with their own URL.
    custom: { 'serverless-offline': { host: '127.0.0.1', lambdaPort: ports.lambda } },
  })
  stack.run('lambda', 'lambda', node, [packaged('serverless/bin/serverless.js'), 'offline'], {
    folder,
    env: { SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off', SLS_INTERACTIVE_SETUP_ENABLE: '0' },
  })

  await services.pool.ready(async () => (await fetch(`${emulator}/health`)).ok)
  stack.front = await completeEmulator({ port: ports.pool, upstream: emulator, code: CODE })
  say(`cognito-local  ${pool}`)
  const made = await settingsOfPool(pool)
  stack.issuer = made.COGNITO_ISSUER
  stack.pool = { url: pool, id: made.AWS_USER_POOLS_ID, client: made.AWS_APP_CLIENT_ID }
  const ofPage = { ...pick(made, /^VITE_/), VITE_API_URL: stack.api, VITE_EMULATOR_CODE: CODE }

  const [command, args] = process.env.GATEPOST_BIN
    ? [resolve(process.env.GATEPOST_BIN), []]
    : ['cargo', ['run', '--quiet', '--manifest-path', join(root, 'Cargo.toml')]]
  stack.run('api', 'gatepost', command, args, {
    // Not the project's folder: the .env there may name a real pool.
    folder,
    env: {
      ...pick(made, /^(AWS_|COGNITO_)/),
      APP_ENV: 'development',
      BIND_ADDRESS: `127.0.0.1:${ports.api}`,
      DATABASE_URL: `sqlite:${stack.database}`,
      CORS_ALLOWED_ORIGINS: stack.page,
      POST_CONFIRMATION_SECRETS: secret,
      USER_MIGRATION_SECRETS: migrationSecret,
      COGNITO_LINK_UNVERIFIED_EMAIL: 'false',
      COGNITO_CREATE_USERS: String(createUsers),
      ...settings,
    },
  })
  const vite = join(frontend, 'node_modules', 'vite', 'bin', 'vite.js')
  const out = ['--outDir', join(folder, 'page')]
  if (isBuilt) await run(node, [vite, 'build', '--logLevel', 'warn', '--emptyOutDir', ...out], frontend, environment(ofPage))
  stack.run('page', 'page', node, [vite, ...(isBuilt ? ['preview', ...out] : []), '--port', String(ports.page), '--strictPort'], {
    folder,
    cwd: frontend,
    env: ofPage,
  })

  // This event has no effect, but the function must be loaded to return it.
  const event = JSON.stringify({ triggerSource: 'PostConfirmation_ConfirmForgotPassword' })
  await services.lambda.ready(async () => {
    const path = '/2015-03-31/functions/post-confirmation/invocations'
    return (await (await fetch(stack.lambda + path, { method: 'POST', body: event })).text()) === event
  })
  say(`Lambda host    ${stack.lambda}`)
  await services.api.ready(async () => (await fetch(`${stack.api}/readyz`)).ok)
  say(`Gatepost       ${stack.api}`)
  await services.page.ready(async () => (await fetch(stack.page)).ok)
  say(`page           ${stack.page}`)
  return stack
}

/** The path, relative to the working directory if it is inside. */
export function shown(path) {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}

export function newStack() {
  return new Stack()
}

export function remove(folder) {
  rmSync(folder, { recursive: true, force: true })
}

function packaged(path) {
  return join(emulators, 'node_modules', path)
}

/** Creates the pool and the client, and reads the settings that pool.mjs prints for people to copy. */
async function settingsOfPool(endpoint) {
  const made = await promisify(execFile)(node, [join(frontend, 'e2e', 'pool.mjs'), endpoint]).catch(({ stderr }) => {
    throw new Problem(`The user pool could not be created: ${stderr}`)
  })
  return Object.fromEntries(Array.from(made.stdout.matchAll(/^(\w+)=(.*)$/gm), ([, name, value]) => [name, value]))
}

function pick(settings, names) {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => names.test(name)))
}

function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}
