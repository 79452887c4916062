import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, type TestContext } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { createOwner, type Owner } from '../test/helpers/program.ts'

/** What a machine without a screen, a graphics card and a way out needs. */
const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

/** Ends what a test started, the newest first. */
export function ownerOf(t: TestContext): Owner {
  const owner = createOwner()
  t.after(() => owner.end())
  return owner
}

export interface Visitor {
  readonly page: Page
  /** What the browser complained about: errors of scripts, of the policy, of the network. */
  readonly complaints: readonly string[]
}

let browser: Promise<Browser> | undefined
after(async () => (await browser)?.close())

/** A window of their own for each visitor, without a cookie of anybody else. The browser lives as long as the file. */
export async function visitor(owner: Owner, options: BrowserContextOptions = {}): Promise<Visitor> {
  browser ??= chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ARGUMENTS,
  })
  const context = await (await browser).newContext(options)
  owner.teardown(() => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  return { page, complaints }
}

/** Signs in at the stand-in by its own page, as a person does, and ends at the app's first page. */
export async function signIn(page: Page, front: string, login: string): Promise<void> {
  await page.goto(`${front}/.pomerium/sign_in`)
  await page.click(`a[href$="user=${login}"]`)
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Finding {
  readonly id: string
  readonly nodes: readonly { readonly html: string }[]
}

/** All rules of axe on the page as it is; fails with the rules that are broken and where. */
export async function assertAccessible(page: Page, about: string): Promise<void> {
  // Evaluated by the browser's debugger, which the page's policy does not concern.
  await page.evaluate(AXE)
  const found = (await page.evaluate('axe.run().then(({ violations }) => violations)')) as Finding[]
  const broken = found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  assert.deepEqual(broken, [], about)
}
