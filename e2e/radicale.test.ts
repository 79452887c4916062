import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startRadicale, withoutRadicale } from '../test/e2e/apps.ts'
import { type Stage, startStage } from '../test/e2e/stage.ts'
import type { Owner } from '../test/helpers/program.ts'
import { ownerOf, signIn, visitor } from './browser.ts'
import { settingsFile } from './folder.ts'

const skip = withoutRadicale()

const startCalendars = async (owner: Owner, header: string): Promise<Stage> =>
  startStage(owner, await startRadicale(owner), {
    CLAIMGATE_PRESET: 'none',
    CLAIMGATE_CONFIG: settingsFile(owner, `identity_headers: { X-Remote-User: ${header} }`),
  })

/** Radicale's page asks for a name, which Radicale then does not use: it takes the header's. */
const logIn = async (page: Page, name: string): Promise<void> => {
  await page.fill('#loginscene input[data-name="user"]', name)
  await page.fill('#loginscene input[data-name="password"]', 'any')
  await page.click('#loginscene button[type="submit"]')
  await page.waitForSelector('#collectionsscene:not(.hidden)')
}

const titles = (page: Page) =>
  page.locator('#collectionsscene article:not(.hidden) [data-name="title"]').allTextContents()

test('Ana makes a calendar on the page of Radicale, and Bob does not see it', {
  skip,
}, async (t) => {
  const owner = ownerOf(t)
  const { front } = await startCalendars(owner, '{ claim: email }')
  const ana = await visitor(owner)
  await signIn(ana.page, front, 'ana')
  await ana.page.goto(`${front}/.web/`)
  await logIn(ana.page, 'ana@example.com')
  await ana.page.click('#collectionsscene a[data-name="new"]')
  await ana.page.fill(
    '#createcollectionscene input[data-name="displayname"]',
    'Dienst – 会議 – Łódź',
  )
  await ana.page.click('#createcollectionscene button[data-name="submit"]')
  await ana.page.waitForSelector('#collectionsscene article:not(.hidden)')
  assert.deepEqual(await titles(ana.page), ['Dienst – 会議 – Łódź'])
  assert.deepEqual(ana.complaints, [])

  const bob = await visitor(owner)
  await signIn(bob.page, front, 'bob')
  await bob.page.goto(`${front}/.web/`)
  await logIn(bob.page, 'ana@example.com')
  assert.deepEqual(await titles(bob.page), [], 'whatever name he types')
})

test('Radicale gives each name outside ASCII a place of its own', { skip }, async (t) => {
  const owner = ownerOf(t)
  const { front } = await startCalendars(owner, '{ claim: name, encoding: percent }')
  for (const [login, name] of [
    ['lukasz', 'Łukasz Żak'],
    ['hanako', '日本 花子'],
  ] as const) {
    const { page } = await visitor(owner)
    await signIn(page, front, login)
    const answer = (await page.evaluate(`fetch('/', {
      method: 'PROPFIND',
      headers: { Depth: '0' },
      body: '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>',
    }).then((answer) => answer.text())`)) as string
    const [, path = ''] = /<current-user-principal><href>\/([^<]+)\/<\/href>/.exec(answer) ?? []
    // Once for the URL, once for the name: Radicale keeps names as they come.
    assert.equal(decodeURIComponent(decodeURIComponent(path)), name)
  }
})
