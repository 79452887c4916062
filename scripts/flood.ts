/**
 * What a flood of bad requests leaves to good ones: `npm run flood`. Good connections alone and good connections beside as
 * many bad ones take turns in one run. Ends with 1 when good traffic keeps less than half of its throughput.
 * Where `taskset` is at hand claimgate has one processor, and everything else another.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { startApp } from '../test/e2e/app.ts'
import { requestBytes } from '../test/helpers/claimgate.ts'
import { startIssuer } from '../test/helpers/issuer.ts'
import { keepAliveClient } from '../test/helpers/keep-alive-client.ts'
import { createOwner, pause, startProgram } from '../test/helpers/program.ts'

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '16' },
    turns: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '2' },
    kind: { type: 'string', default: '' },
  },
})
const connections = Number(values.connections)
const turns = Number(values.turns)
const seconds = Number(values.seconds)

const isPinned =
  availableParallelism() > 1 && spawnSync('taskset', ['-cp', '1', `${process.pid}`]).status === 0
const owner = createOwner()
const issuer = await startIssuer(owner)
const app = await startApp(owner)
const program = await startProgram(owner, {
  env: { ...issuer.env, CLAIMGATE_UPSTREAM: `http://127.0.0.1:${app.port}` },
  ...(isPinned ? { before: 'set -- taskset -c 0 "$@"' } : {}),
})
await program.untilReady()

const good = Array.from({ length: 64 }, () => requestBytes(issuer.assertion()))
const tokens = Array.from({ length: 64 }, () => issuer.assertion().split('.'))
const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T
const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

const BAD: Readonly<Record<string, () => string>> = {
  'bad signature': () => {
    const [header, payload, signature = ''] = pick(tokens)
    // The first character stands for six whole bits: another one is another signature.
    const first = signature.startsWith('A') ? 'B' : 'A'
    return requestBytes(`${header}.${payload}.${first}${signature.slice(1)}`)
  },
  'unknown kid': () => {
    const [, payload, signature] = pick(tokens)
    return requestBytes(
      `${text({ alg: 'ES256', kid: `k${Math.random()}` })}.${payload}.${signature}`,
    )
  },
  garbage: () => requestBytes('not.an.assertion'),
  missing: () => requestBytes(undefined),
}

interface Turn {
  /** Good requests answered with 200, each second. */
  readonly rate: number
  readonly latencies: readonly number[]
  readonly badRate: number
}

async function turn(makeBad: (() => string) | undefined): Promise<Turn> {
  const state = { isOver: false, bad: 0 }
  const latencies: number[] = []
  const work = async (make: () => string, status: number, onAnswer: (ms: number) => void) => {
    const client = await keepAliveClient(program)
    while (!state.isOver) {
      const started = performance.now()
      const reply = await client.ask(make())
      // The machine is late: no work was done, and none is counted.
      if (reply.status === 503) continue
      if (reply.status !== status) throw new Error(`${reply.status} instead of ${status}`)
      onAnswer(performance.now() - started)
    }
    client.end()
  }
  const each = <T>(make: () => T) => Array.from({ length: connections }, make)
  const workers = [
    ...each(() =>
      work(
        () => pick(good),
        200,
        (ms) => latencies.push(ms),
      ),
    ),
    ...(makeBad === undefined
      ? []
      : each(() =>
          work(makeBad, 401, () => {
            state.bad += 1
          }),
        )),
  ]
  await pause(seconds * 1_000)
  state.isOver = true
  await Promise.all(workers)
  return { rate: latencies.length / seconds, latencies, badRate: state.bad / seconds }
}

const median = (numbers: readonly number[]) => percentile(numbers, 0.5)
function percentile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length * share)] ?? 0
}

await turn(undefined)
const begin = performance.now()
const fetchesAtBegin = issuer.server().requests.length
console.log(
  `${connections} good connections, beside as many bad ones; ${turns} turns of ${seconds} s each` +
    `${isPinned ? ', claimgate on a processor of its own' : ''}`,
)
const ratios: number[] = []
for (const [name, makeBad] of Object.entries(BAD)) {
  if (!name.includes(values.kind)) continue
  const alone: Turn[] = []
  const beside: Turn[] = []
  for (let i = 0; i < turns; i += 1) {
    alone.push(await turn(undefined))
    beside.push(await turn(makeBad))
  }
  const rates = (list: readonly Turn[]) => median(list.map(({ rate }) => rate))
  const p99 = (list: readonly Turn[]) =>
    percentile(
      list.flatMap(({ latencies }) => latencies),
      0.99,
    )
  const ratio = rates(beside) / rates(alone)
  ratios.push(ratio)
  console.log(
    `${name}: good ${rates(alone).toFixed(0)}/s alone, ${rates(beside).toFixed(0)}/s beside ` +
      `${median(beside.map(({ badRate }) => badRate)).toFixed(0)}/s bad: ${ratio.toFixed(2)}; ` +
      `p99 ${p99(alone).toFixed(1)} -> ${p99(beside).toFixed(1)} ms`,
  )
}
const minutes = (performance.now() - begin) / 60_000
const fetches = issuer.server().requests.length - fetchesAtBegin
console.log(
  `key set: ${fetches} fetches in ${minutes.toFixed(2)} min; RSS ${program.usage().rss.toFixed(0)} MB`,
)
await owner.end()
process.exitCode = Math.min(...ratios) >= 0.5 ? 0 : 1
