import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import type { Encoding } from '../src/config/config.ts'
import { startHttpbin, withoutHttpbin } from '../test/e2e/apps.ts'
import { startStage } from '../test/e2e/stage.ts'
import { decode } from '../test/helpers/decode.ts'
import { ownerOf, signIn, visitor } from './browser.ts'
import { settingsFile } from './folder.ts'

const skip = withoutHttpbin()

/** What httpbin shows as JSON on the page that is open. */
const shown = async (page: Page): Promise<{ form: unknown; headers: Record<string, string> }> =>
  JSON.parse((await page.textContent('pre')) ?? '')

test('a form of httpbin arrives as it was filled in, with the verified user', {
  skip,
}, async (t) => {
  const owner = ownerOf(t)
  const { front } = await startStage(owner, await startHttpbin(owner))
  const { page } = await visitor(owner)
  await signIn(page, front, 'ana')
  await page.goto(`${front}/forms/post`)
  await page.fill('input[name="firstname"]', 'Łukasz & <日本>')
  await page.fill('input[name="lastname"]', "O'Žak")
  await page.click('input[type="submit"]')
  await page.waitForURL('**/post')
  const { form, headers } = await shown(page)
  assert.deepEqual(form, { firstname: 'Łukasz & <日本>', lastname: "O'Žak" })
  assert.equal(headers['X-Pomerium-Claim-Email'], 'ana@example.com')
  assert.equal(headers['X-Pomerium-Jwt-Assertion'], undefined)
})

const ENCODINGS: readonly Encoding[] = ['utf8', 'percent', 'base64', 'quoted-printable', 'rfc2047']

test('names in any alphabet arrive in every encoding', { skip }, async (t) => {
  const owner = ownerOf(t)
  const rows = ENCODINGS.map(
    (encoding) => `  X-Name-${encoding}: { claim: name, encoding: ${encoding} }`,
  )
  const { front } = await startStage(owner, await startHttpbin(owner), {
    CLAIMGATE_PRESET: 'none',
    CLAIMGATE_CONFIG: settingsFile(owner, ['identity_headers:', ...rows].join('\n')),
  })
  for (const [login, name] of [
    ['ana', 'Ana Kovač'],
    ['lukasz', 'Łukasz Żak'],
    ['hanako', '日本 花子'],
  ] as const) {
    const { page } = await visitor(owner)
    await signIn(page, front, login)
    await page.goto(`${front}/headers`)
    const { headers } = await shown(page)
    for (const encoding of ENCODINGS) {
      // httpbin, as WSGI has it, shows the bytes of a header as Latin-1, and names in its own spelling.
      const field = Object.keys(headers).find((one) => one.toLowerCase() === `x-name-${encoding}`)
      assert.equal(decode(headers[field ?? ''] ?? '', encoding), name, encoding)
    }
  }
})
