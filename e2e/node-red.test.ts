import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { run } from '../test/e2e/processes.ts'
import { type Stage, startStage } from '../test/e2e/stage.ts'
import { createOwner, type Owner } from '../test/helpers/program.ts'
import { ownerOf, signIn, visitor } from './browser.ts'
import { folder, settingsFile } from './folder.ts'

const NODE_RED = join(
  dirname(createRequire(import.meta.url).resolve('node-red/package.json')),
  'red.js',
)

const CLAIMGATE = 'identity_headers: { X-Forwarded-User: { claim: name, encoding: percent } }'

/** The app's own settings: whom the header names may do everything if it is Ana, and look on otherwise. */
const NODE_RED_SETTINGS = `module.exports = {
  uiHost: '127.0.0.1',
  uiPort: 0,
  flowFile: 'flows.json',
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false },
  externalModules: { palette: { allowInstall: false } },
  adminAuth: {
    type: 'credentials',
    users: [],
    tokenHeader: 'x-forwarded-user',
    tokens: async (header) => {
      const username = decodeURIComponent(header)
      return { username, permissions: username === 'Ana Kovač' ? '*' : 'read' }
    },
  },
}
`

/** Says hello to the debug sidebar twice a second, and at /whoami who asks. */
const FLOWS = [
  { id: 'tab', type: 'tab', label: 'Test' },
  {
    ...{ id: 'tick', type: 'inject', z: 'tab', x: 100, y: 60, repeat: '0.5', once: true },
    ...{
      props: [{ p: 'payload' }],
      payload: 'hello sidebar',
      payloadType: 'str',
      wires: [['show']],
    },
  },
  {
    ...{ id: 'show', type: 'debug', z: 'tab', x: 300, y: 60, active: true, tosidebar: true },
    ...{ complete: 'payload', targetType: 'msg', wires: [] },
  },
  {
    ...{ id: 'ask', type: 'http in', z: 'tab', x: 100, y: 160, url: '/whoami', method: 'get' },
    wires: [['who']],
  },
  {
    ...{ id: 'who', type: 'function', z: 'tab', x: 300, y: 160, outputs: 1, wires: [['answer']] },
    func: "msg.payload = { user: decodeURIComponent(msg.req.headers['x-forwarded-user']) }; return msg",
  },
  { id: 'answer', type: 'http response', z: 'tab', x: 500, y: 160, wires: [] },
]

const startNodeRed = async (owner: Owner): Promise<Stage> => {
  const home = folder(owner)
  writeFileSync(join(home, 'settings.cjs'), NODE_RED_SETTINGS)
  writeFileSync(join(home, 'flows.json'), JSON.stringify(FLOWS))
  const app = run(owner, [
    process.execPath,
    ...[NODE_RED, '-s', join(home, 'settings.cjs'), '-u', home],
  ])
  const [, origin = ''] = await app.until(/Server now running at (http:\/\/[\d.]+:\d+)/)
  return startStage(owner, origin, {
    CLAIMGATE_PRESET: 'none',
    CLAIMGATE_CONFIG: settingsFile(owner, CLAIMGATE),
  })
}

let front: string
const lasting = createOwner()
before(async () => {
  front = (await startNodeRed(lasting)).front
})
after(() => lasting.end())

test('Node-RED knows Ana on its pages, on its WebSocket and in its flows', async (t) => {
  const { page } = await visitor(ownerOf(t))
  const frames: string[] = []
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => void frames.push(String(payload))),
  )
  await signIn(page, front, 'ana')
  await page.waitForSelector('#red-ui-header-button-deploy')
  assert.equal(await page.evaluate('RED.settings.user.username'), 'Ana Kovač')
  await page.waitForSelector('.red-ui-debug-content-list >> text=hello sidebar', {
    state: 'attached',
  })
  assert.ok(frames.some((text) => text.includes('hello sidebar')))
  assert.ok(!frames.some((text) => text.includes('"auth":"fail"')))
  const whoami = await page.evaluate(`fetch('/whoami').then((answer) => answer.json())`)
  assert.deepEqual(whoami, { user: 'Ana Kovač' })
  assert.equal(await deploy(page), 204)
})

test('Node-RED lets Łukasz and 日本 花子 look on, and nobody forge Ana', async (t) => {
  const owner = ownerOf(t)
  for (const [login, name] of [
    ['lukasz', 'Łukasz Żak'],
    ['hanako', '日本 花子'],
  ] as const) {
    const { page } = await visitor(owner)
    await signIn(page, front, login)
    await page.waitForSelector('#red-ui-header-button-user')
    assert.equal(await page.evaluate('RED.settings.user.username'), name)
    assert.equal(await page.evaluate('RED.settings.user.permissions'), 'read')
    assert.equal(await deploy(page), 401)
    assert.equal(await deploy(page, `'X-Forwarded-User': 'Ana%20Kova%C4%8D'`), 401)
  }
})

/** Sends the flows as the button does, on top of what is there; resolves with the status. */
const deploy = async (
  page: { evaluate(script: string): Promise<unknown> },
  header = '',
): Promise<unknown> =>
  page.evaluate(`fetch('/flows')
    .then((answer) => answer.text())
    .then((body) => fetch('/flows', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ${header} },
      body,
    }))
    .then(({ status }) => status)`)
