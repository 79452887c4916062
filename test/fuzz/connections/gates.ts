import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Config } from '../../../src/config/config.ts'
import { createLog } from '../../../src/log.ts'
import { createClaimgate } from '../../../src/server.ts'
import { testConfig } from '../../helpers/claimgate.ts'
import { publicJwk, type SigningKey } from '../../helpers/keys.ts'
import { HOST } from '../../helpers/mint.ts'

/** What stands between the clients of a campaign and its upstream. */
export interface Gate {
  readonly port: number
  /** The forward decisions since the last call, `jti path` each; a decision for each time. */
  takeDecisions(): string[]
  /** Lines logged so far. */
  readonly logged: () => number
  /** Requests that have begun and not ended, and open tunnels. */
  inFlight(): Promise<number>
  /** What no run may show, since the last call. */
  takeFaults(): string[]
  close(): Promise<void>
}

export interface GateOptions {
  readonly upstreamPort: number
  readonly key: SigningKey
}

export type OpenGate = (options: GateOptions) => Promise<Gate>

/** Settings under which nothing waits for long. */
const QUICK: Partial<Config> = { keepAliveTimeout: 60_000, headerTimeout: 5_000, drainTimeout: 500 }

/** claimgate in this process. */
export const openInProcess: OpenGate = async ({ upstreamPort, key }) => {
  const { jwksFile, remove } = writeKeySet(key)
  const config = { ...testConfig(upstreamPort, jwksFile), ...QUICK }
  const reader = createLogReader()
  const log = createLog(config, { write: reader.read })
  const gate = await createClaimgate(config, { log })
  const { data, admin } = await gate.start()
  await untilReady(admin?.port ?? 0)
  return {
    ...reader,
    port: data.port,
    inFlight: () => readInFlight(admin?.port ?? 0),
    async close() {
      await gate.drain()
      remove()
    },
  }
}

const PROGRAM = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url))

/** The built program in a process of its own. */
export const openProgram: OpenGate = async ({ upstreamPort, key }) => {
  const { jwksFile, remove } = writeKeySet(key)
  const child = spawn(process.execPath, [PROGRAM], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      CLAIMGATE_UPSTREAM: `http://127.0.0.1:${upstreamPort}`,
      CLAIMGATE_ISSUER: HOST,
      CLAIMGATE_AUDIENCE: HOST,
      CLAIMGATE_JWKS_FILE: jwksFile,
      CLAIMGATE_LISTEN: '127.0.0.1:0',
      CLAIMGATE_ADMIN_LISTEN: '127.0.0.1:0',
      CLAIMGATE_HEADER_TIMEOUT: '5s',
      CLAIMGATE_DRAIN_DELAY: '0s',
      CLAIMGATE_DRAIN_TIMEOUT: '1s',
    },
  })
  const reader = createLogReader()
  const ports = await watchProgram(child, reader)
  await untilReady(ports.admin)
  return {
    ...reader,
    port: ports.data,
    inFlight: () => readInFlight(ports.admin),
    async close() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
      remove()
    },
  }
}

function watchProgram(child: ChildProcess, reader: LogReader) {
  return new Promise<{ data: number; admin: number }>((resolve, reject) => {
    const portOf = (authority: unknown) => Number(String(authority).split(':').at(-1))
    if (child.stdout === null || child.stderr === null) return reject(new Error('no pipes'))
    createInterface(child.stdout).on('line', (line) => {
      reader.read(line)
      if (!line.includes('"msg":"listening"')) return
      const { listen, admin_listen } = JSON.parse(line)
      resolve({ data: portOf(listen), admin: portOf(admin_listen) })
    })
    child.stderr.on('data', (chunk) => reader.fault(`standard error: ${chunk}`))
    child.once('exit', (code, signal) => {
      if (signal !== 'SIGTERM' && code !== 0) reader.fault(`the program ended: ${signal ?? code}`)
      reject(new Error('the program ended'))
    })
  })
}

interface LogReader extends Pick<Gate, 'takeDecisions' | 'logged' | 'takeFaults'> {
  read(line: string): void
  fault(what: string): void
}

function createLogReader(): LogReader {
  let decisions: string[] = []
  let faults: string[] = []
  let logged = 0
  return {
    logged: () => logged,
    read(line) {
      logged++
      // `error` and `fatal` of pino: an internal error, an uncaught fault.
      if (/^\{"level":[56]0/.test(line)) faults.push(line)
      if (!line.includes('"decision":"forward"')) return
      const { jti, path } = JSON.parse(line)
      decisions.push(`${jti} ${path}`)
    },
    fault: (what) => void faults.push(what),
    takeDecisions() {
      const taken = decisions
      decisions = []
      return taken
    },
    takeFaults() {
      const taken = faults
      faults = []
      return taken
    },
  }
}

function writeKeySet(key: SigningKey) {
  const folder = mkdtempSync(join(tmpdir(), 'claimgate-fuzz-'))
  const jwksFile = join(folder, 'jwks.json')
  writeFileSync(jwksFile, JSON.stringify({ keys: [publicJwk(key)] }))
  return { jwksFile, remove: () => rmSync(folder, { recursive: true }) }
}

async function untilReady(adminPort: number): Promise<void> {
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline) {
    const { status } = await fetch(`http://127.0.0.1:${adminPort}/readyz`)
    if (status === 200) return
  }
  throw new Error('claimgate did not become ready')
}

async function readInFlight(adminPort: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`)
  const text = await answer.text()
  const values = ['claimgate_requests_in_flight', 'claimgate_tunnels_open'].map((name) => {
    const [, value] = new RegExp(`^${name} (\\d+)$`, 'm').exec(text) ?? []
    if (value === undefined) throw new Error(`no ${name} in the metrics`)
    return Number(value)
  })
  return values.reduce((sum, value) => sum + value, 0)
}
