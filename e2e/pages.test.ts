import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { run } from '../test/e2e/processes.ts'
import { ROUTE_HOST, type Stage, startStage } from '../test/e2e/stage.ts'
import { createOwner, type Owner } from '../test/helpers/program.ts'
import { assertAccessible, ownerOf, signIn, type Visitor, visitor } from './browser.ts'
import { settingsFile } from './folder.ts'

/** Nothing listens there: what is shown here is claimgate's own. */
const NO_APP = 'http://127.0.0.1:9'

const LOOKS = [
  { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
  { colorScheme: 'light', viewport: { width: 390, height: 844 } },
  { colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
] as const

const TOKEN = /e[yw][\w-]{14,}\.[\w-]{16,}/

/** Goes through looks; each must be accessible, fit the window, hold no token and run nothing. */
async function inLooks(
  visited: Visitor,
  about: string,
  looks: readonly (typeof LOOKS)[number][] = LOOKS,
): Promise<void> {
  const { page } = visited
  for (const look of looks) {
    await page.emulateMedia({ colorScheme: look.colorScheme })
    await page.setViewportSize(look.viewport)
    const name = `${about}, ${look.colorScheme}, ${look.viewport.width} px`
    await assertAccessible(page, name)
    const width = (await page.evaluate('document.documentElement.scrollWidth')) as number
    assert.ok(width <= look.viewport.width, `${name}: no scrolling sideways (${width} px)`)
    await picture(page, about, look)
  }
  assert.doesNotMatch(await page.content(), TOKEN, about)
  assert.equal(await page.evaluate('document.scripts.length'), 0, about)
  // Chromium reports the status of the document as an error; there may be no other.
  const others = visited.complaints.filter(
    (text) => !/^Failed to load resource: the server responded with a status of \d{3}/.test(text),
  )
  assert.deepEqual(others, [], about)
}

/** What the documents show, of each page in one look. */
const PICTURES = ['status-light', 'refused-401-light', 'refused-403-dark']

/** Written only when asked for. */
async function picture(page: Page, about: string, look: (typeof LOOKS)[number]): Promise<void> {
  if (process.env['E2E_PICTURES'] !== 'write') return
  const size = look.viewport.width === 390 ? '-small' : ''
  const name = `${about}-${look.colorScheme}${size}`
  if (!PICTURES.includes(name)) return
  if (size === '') await page.setViewportSize({ width: 760, height: 400 })
  mkdirSync('docs/images', { recursive: true })
  await page.screenshot({ path: `docs/images/${name}.png`, fullPage: size === '' })
}

/** As people see it: with the line breaks of the layout. */
const text = (page: Page) => page.evaluate('document.body.innerText') as Promise<string>

const start = (owner: Owner, env: Readonly<Record<string, string>> = {}): Promise<Stage> =>
  startStage(owner, NO_APP, { CLAIMGATE_PRESET: 'grafana', ...env })

/** For the tests that need no settings of their own. */
let plain: Stage
const lasting = createOwner()
before(async () => {
  plain = await start(lasting)
})
after(() => lasting.end())

/** Its key set is nowhere; resolves with its address. */
async function startWithoutKeys(owner: Owner): Promise<string> {
  const program = run(owner, [process.execPath, 'dist/cli.js'], {
    CLAIMGATE_UPSTREAM: NO_APP,
    CLAIMGATE_ISSUER: ROUTE_HOST,
    CLAIMGATE_AUDIENCE: ROUTE_HOST,
    CLAIMGATE_JWKS_URI: `${NO_APP}/jwks.json`,
    CLAIMGATE_LISTEN: '127.0.0.1:0',
    CLAIMGATE_ADMIN_LISTEN: 'off',
    CLAIMGATE_DRAIN_DELAY: '0s',
  })
  const [, listen] = await program.until(/"listen":"([\d.:]+)".*"msg":"listening"/)
  return `http://${listen}`
}

test('the status page tells visitors who they are to the app', async (t) => {
  const owner = ownerOf(t)
  const { front } = plain
  const ana = await visitor(owner)
  await signIn(ana.page, front, 'ana')
  const answer = await ana.page.goto(`${front}/.claimgate`)
  assert.equal(answer?.status(), 200)
  assert.equal(await ana.page.textContent('h1'), 'Verified: Ana Kovač')
  const shown = await text(ana.page)
  for (const wanted of [
    ...['X-WEBAUTH-USER', 'ana@example.com', 'X-WEBAUTH-GROUPS', 'g-1001,g-1002,admins,staff'],
    ...['9c2de20b-7b02-4e48-9f12-2e4a3d57bd8c', 'app.example.com'],
    answer?.headers()['x-request-id'] ?? 'no request id',
  ])
    assert.ok(shown.includes(wanted), wanted)
  assert.match(shown, /issued\s+(?:just now|\d+ seconds? ago)\s+\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/)
  assert.match(shown, /expires\s+in (?:5 minutes|4 minutes \d+ seconds?)\s/)
  await inLooks(ana, 'status')
})

test('names in any alphabet are shown as they are', async (t) => {
  const owner = ownerOf(t)
  const { front } = plain
  for (const [login, name] of [
    ['lukasz', 'Łukasz Żak'],
    ['hanako', '日本 花子'],
  ] as const) {
    const { page } = await visitor(owner)
    await signIn(page, front, login)
    await page.goto(`${front}/.claimgate`)
    assert.equal(await page.textContent('h1'), `Verified: ${name}`)
    assert.match(await text(page), new RegExp(`X-WEBAUTH-NAME\\s+${name}`))
  }
})

test('the status page shows percent-encoded headers as the app gets them', async (t) => {
  const owner = ownerOf(t)
  const { front } = await start(owner, {
    CLAIMGATE_PRESET: 'none',
    CLAIMGATE_CONFIG: settingsFile(
      owner,
      'identity_headers: { X-Forwarded-User: { claim: name, encoding: percent } }',
    ),
  })
  const { page } = await visitor(owner)
  await signIn(page, front, 'lukasz')
  await page.goto(`${front}/.claimgate`)
  assert.match(await text(page), /X-Forwarded-User\s+%C5%81ukasz %C5%BBak/)
})

test('who comes around Pomerium gets a page of 401', async (t) => {
  const owner = ownerOf(t)
  const { gate } = plain
  const nobody = await visitor(owner)
  const answer = await nobody.page.goto(`${gate}/dashboard`)
  assert.equal(answer?.status(), 401)
  assert.equal(await nobody.page.textContent('h1'), 'You are not signed in here')
  const shown = await text(nobody.page)
  for (const wanted of [
    ...['ERR_ASSERTION_MISSING', 'pass_identity_headers: true'],
    answer?.headers()['x-request-id'] ?? 'no request id',
  ])
    assert.ok(shown.includes(wanted), wanted)
  await inLooks(nobody, 'refused-401')
})

test('a page of 401 without detail names no code and no setting', async (t) => {
  const owner = ownerOf(t)
  const { gate } = await start(owner, { CLAIMGATE_ERROR_DETAIL: 'none' })
  const nobody = await visitor(owner)
  await nobody.page.goto(gate)
  assert.doesNotMatch(await text(nobody.page), /ERR_|_headers|For the people who run/)
  await inLooks(nobody, 'refused-401-no-detail', [LOOKS[3]])
})

test('who the rules do not let in gets a page of 403, and no rule', async (t) => {
  const owner = ownerOf(t)
  const { front } = await start(owner, {
    CLAIMGATE_CONFIG: settingsFile(
      owner,
      'allow: [{ paths: [/admin/*], claims: { groups: [hush-hush] } }]',
    ),
  })
  const bob = await visitor(owner)
  await signIn(bob.page, front, 'bob')
  const answer = await bob.page.goto(`${front}/admin/users`)
  assert.equal(answer?.status(), 403)
  assert.equal(await bob.page.textContent('h1'), 'You may not open this')
  const shown = await text(bob.page)
  assert.match(shown, /none of them fits you/)
  assert.doesNotMatch(shown, /hush-hush|bob|example\.com|staff|\/admin/)
  await inLooks(bob, 'refused-403')
})

test('without keys there is a page of 503', async (t) => {
  const owner = ownerOf(t)
  const { mint } = plain
  const gate = await startWithoutKeys(owner)
  const ana = await visitor(owner, {
    extraHTTPHeaders: { 'X-Pomerium-Jwt-Assertion': await mint('ana') },
  })
  const answer = await ana.page.goto(gate)
  assert.equal(answer?.status(), 503)
  assert.equal(await ana.page.textContent('h1'), 'Nobody can be let in right now')
  assert.doesNotMatch(await text(ana.page), /127\.0\.0\.1|ana@|ECONN/)
  await inLooks(ana, 'refused-503')
})

test('an app that is not there leads to a page of 502', async (t) => {
  const owner = ownerOf(t)
  const { front } = plain
  const ana = await visitor(owner)
  await signIn(ana.page, front, 'ana')
  const answer = await ana.page.goto(`${front}/`)
  assert.equal(answer?.status(), 502)
  assert.equal(await ana.page.textContent('h1'), 'The app does not answer')
  assert.doesNotMatch(await text(ana.page), /127\.0\.0\.1|ECONN|was not passed on/)
  await inLooks(ana, 'refused-502', [LOOKS[1]])
})
