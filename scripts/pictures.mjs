// Takes the pictures of the README and the documentation, light and dark: docs/{users,user}{,-dark}.png.
//
//   cargo build && (cd e2e && npm ci) && node scripts/pictures.mjs
//
// Needs Chromium and the fonts Liberation Sans and Liberation Mono (Debian: chromium fonts-liberation).
import { story } from '../e2e/lib.mjs'

const FONTS = ':root { --text: 0.9375rem/1.5 "Liberation Sans"; --mono: 0.875rem/1.5 "Liberation Mono"; } kbd { font-family: "Liberation Mono"; }'
const PICTURES = { users: '/admin/users/', user: '/admin/users/3/change/' }
const PEOPLE = ['Grace Hopper', 'Ada Lovelace', 'Alan Turing', 'Barbara Liskov', 'Annie Easley', 'Edsger Dijkstra', 'Margaret Hamilton',
  'Katherine Johnson', 'Donald Knuth', 'Radia Perlman', 'Frances Allen', 'Tony Hoare', 'Shafi Goldwasser', 'Dennis Ritchie',
  'Jean Sammet', 'Ken Thompson', 'Mary Shaw', 'Niklaus Wirth', 'Karen Jones', 'Robin Milner', 'Lynn Conway', 'John Backus']
const INACTIVE = ['Tony Hoare', 'John Backus']
const STAFF = ['Barbara Liskov', 'Mary Shaw']

function person(name) {
  const [first, last] = name.split(' ')
  const username = name.toLowerCase().replace(' ', '.')
  return [username, `${username}@example.com`, first, last, !INACTIVE.includes(name), STAFF.includes(name)].join(',')
}

async function furnish(server, page) {
  await page.goto('/admin/')
  await page.getByLabel('Username').fill(server.superuser.username)
  await page.getByLabel('Password').fill(server.superuser.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.goto('/admin/users/import/')
  const csv = ['username,email,first_name,last_name,is_active,is_staff', ...PEOPLE.map(person)].join('\n')
  await page.locator('input[type=file]').setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) })
  await page.getByRole('button', { name: 'Check the file' }).click()
  await page.getByRole('button', { name: /^Import \d+ rows/ }).click()
  await page.getByText('Done').first().waitFor()
  for (const name of PEOPLE.filter((name, at) => at % 4 && !INACTIVE.includes(name))) {
    const token = server.run('token', `${name.toLowerCase().replace(' ', '.')}@example.com`)
    await server.fetch('/articles/', {
      method: 'POST', body: JSON.stringify({ name: `Notes by ${name}` }),
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    })
  }
}

await story('the pictures', {}, async ({ server, newPage, step }) => {
  const first = await newPage()
  await furnish(server, first)
  const cookies = await first.context().cookies()
  for (const theme of ['light', 'dark']) {
    // Without the page's policy, its style can be changed.
    const page = await newPage({ theme, bypassCSP: true })
    await page.context().addCookies(cookies)
    for (const [name, path] of Object.entries(PICTURES)) {
      await step(`${name}, ${theme}`, async () => {
        await page.goto(path)
        await page.addStyleTag({ content: FONTS })
        const file = `../docs/${name}${theme === 'dark' ? '-dark' : ''}.png`
        await page.screenshot({ path: new URL(file, import.meta.url).pathname })
      })
    }
  }
})
