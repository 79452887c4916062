import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { run } from '../test/e2e/processes.ts'
import { waitFor } from '../test/e2e/requests.ts'
import { type Stage, startStage } from '../test/e2e/stage.ts'
import { createOwner, type Owner } from '../test/helpers/program.ts'
import { ownerOf, signIn, visitor } from './browser.ts'
import { folder, settingsFile } from './folder.ts'

const TIDDLYWIKI = join(
  dirname(createRequire(import.meta.url).resolve('tiddlywiki/package.json')),
  'tiddlywiki.js',
)

/** TiddlyWiki decodes the header as a part of a URL. */
const SETTINGS = 'identity_headers: { X-Forwarded-User: { claim: name, encoding: percent } }'

const startWiki = async (owner: Owner): Promise<{ stage: Stage; path: string }> => {
  const path = join(folder(owner), 'wiki')
  const made = run(owner, [process.execPath, TIDDLYWIKI, path, '--init', 'server'])
  await made.until(/Copied edition/)
  const wiki = run(owner, [
    process.execPath,
    ...[TIDDLYWIKI, path, '--listen', 'host=127.0.0.1', 'port=0'],
    ...['authenticated-user-header=x-forwarded-user', 'readers=(authenticated)'],
    `writers=${WRITERS.map(({ name }) => name)}`,
  ])
  const [, origin = ''] = await wiki.until(/Serving on (http:\/\/[\d.]+:\d+)/)
  const stage = await startStage(owner, origin, {
    CLAIMGATE_PRESET: 'none',
    CLAIMGATE_CONFIG: settingsFile(owner, SETTINGS),
  })
  return { stage, path }
}

const WRITERS = [
  { login: 'ana', name: 'Ana Kovač' },
  { login: 'lukasz', name: 'Łukasz Żak' },
  { login: 'hanako', name: '日本 花子' },
] as const

/** One wiki, as people share it: whoever is signed in may read, these three may write. */
let wiki: Awaited<ReturnType<typeof startWiki>>
const lasting = createOwner()
before(async () => {
  wiki = await startWiki(lasting)
})
after(() => lasting.end())

const NEW = '.tc-page-controls button[aria-label="new tiddler"]'
const EDITOR = '.tc-tiddler-edit-frame'

/** Whether there is a file of this tiddler that says who made it. */
const isSavedBy = (title: string, name: string): boolean =>
  globSync(join(wiki.path, 'tiddlers', '*.tid')).some((file) => {
    const lines = textOf(file).split('\n')
    return [`title: ${title}`, `creator: ${name}`, `modifier: ${name}`].every((line) =>
      lines.includes(line),
    )
  })

/** Nothing of a draft that was saved, and so removed, since its name was read. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

for (const { login, name } of WRITERS)
  test(`TiddlyWiki saves what ${name} writes, under that name`, async (t) => {
    const { page, complaints } = await visitor(ownerOf(t))
    await signIn(page, wiki.stage.front, login)
    await page.click(NEW)
    const title = `Notes of ${name}`
    await page.fill(`${EDITOR} input.tc-titlebar`, title)
    await page.click(`${EDITOR} button[class*="Buttons%2Fsave"]`)
    await waitFor(async () => isSavedBy(title, name))
    // It asks for drafts and an icon that are not there.
    assert.deepEqual(
      complaints.filter((text) => !text.includes('status of 404')),
      [],
    )
  })

// Refused by name, somebody beyond Latin-1 would end TiddlyWiki 5.4.1: it puts the name into the status line.
test('TiddlyWiki lets Bob, who is not in its list of writers, read and not write', async (t) => {
  const { page } = await visitor(ownerOf(t))
  await signIn(page, wiki.stage.front, 'bob')
  await page.waitForSelector(NEW, { state: 'attached' })
  await page.waitForSelector(NEW, { state: 'hidden' })
  const status = await page.evaluate(`fetch('/status').then((answer) => answer.json())`)
  const { username, read_only } = status as Record<string, unknown>
  assert.deepEqual({ username, read_only }, { username: 'Bob Stone', read_only: true })
  for (const forged of ['{}', `{ 'X-Forwarded-User': 'Ana%20Kova%C4%8D' }`]) {
    const answer = await page.evaluate(`fetch('/recipes/default/tiddlers/Mine', {
      method: 'PUT',
      headers: { 'X-Requested-With': 'TiddlyWiki', 'Content-Type': 'application/json', ...${forged} },
      body: '{"title":"Mine"}',
    }).then(({ status }) => status)`)
    assert.equal(answer, 401, forged)
  }
  assert.deepEqual(globSync(join(wiki.path, 'tiddlers', 'Mine*')), [])
})
