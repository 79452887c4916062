// Raw bytes of one connection each, delivered at once and cut at every line end, 16 connections at a time. The upstream
// keeps every byte; a strict and two lenient parsers then say what an app behind claimgate could have read.
import t, { type Test } from 'tap'
import { type RunningClaimgate, startClaimgate } from '../helpers/claimgate.ts'
import { type Case, runCorpus, type Tally } from '../helpers/corpus.ts'
import { rawClient } from '../helpers/raw-client.ts'
import { inParallel } from './wire/in-parallel.ts'
import { readLeniently, type Trust } from './wire/lenient-reading.ts'
import { isWell, PROBE } from './wire/probe.ts'
import { openRecordingUpstream } from './wire/recording-upstream.ts'
import { type Message, readAnswers, readRequests, valuesOf } from './wire/strict-reading.ts'

const FILE = 'smuggling.json'
const WIDTH = 16

type Delivery = 'at once' | 'cut at line ends'

interface Trial {
  readonly recipe: Case
  readonly delivery: Delivery
  /** The subject of its assertion: by it a request upstream is known to be of this trial. */
  readonly subject: string
  readonly bytes: string
}

/** Every method but CONNECT and TRACE is the app's own business; so is Icecast's SOURCE, which the corpus has refused. */
const OTHERWISE: Readonly<Record<string, string>> = { 'request-line/source': 'forward' }

interface Outcome extends Trial {
  readonly answers: readonly Message[]
  readonly faults: string[]
}

/** Every connection ends within seconds, whatever was sent on it. */
const SHORT = { headerTimeout: 1_000, bodyIdleTimeout: 500, keepAliveTimeout: 200 }

t.test(`${FILE}: raw bytes of one connection each`, async (t) => {
  await runCorpus<{ readonly cases: readonly Case[] }>(t, FILE, async ({ cases }, tally) => {
    const upstream = await openRecordingUpstream(t)
    const claimgate = await startClaimgate(t, upstream.port, SHORT)
    const recipes = cases.map((recipe) => ({
      ...recipe,
      outcome: OTHERWISE[recipe.id] ?? recipe.outcome,
    }))
    const trials = recipes.flatMap((recipe, i) => [
      prepare(recipe, 'at once', `case-${i}-whole`, claimgate),
      prepare(recipe, 'cut at line ends', `case-${i}-cut`, claimgate),
    ])
    const outcomes: Outcome[] = []
    await inParallel(trials, WIDTH, async (trial) => {
      outcomes.push(await run(trial, claimgate))
    })
    const wire = upstream.connections()
    for (const outcome of outcomes) judge(outcome, wire)
    tally.ran += cases.length
    report(outcomes, tally)
    tally.deviations.push(...strangers(wire))
    await inParallel(Array.from({ length: 64 }), 64, async () => {
      if (!(await isWell(claimgate))) tally.deviations.push('a pooled connection is poisoned')
    })
  })
})

function prepare(
  recipe: Case,
  delivery: Delivery,
  subject: string,
  claimgate: RunningClaimgate,
): Trial {
  const recorded = Buffer.from(recipe['b64'] as string, 'base64').toString('latin1')
  const bytes = recorded.replaceAll('{{ASSERTION}}', () => claimgate.assertion({ sub: subject }))
  return { recipe, delivery, subject, bytes }
}

async function run(trial: Trial, claimgate: RunningClaimgate): Promise<Outcome> {
  const faults: string[] = []
  const client = await rawClient(claimgate.port)
  const pieces = trial.delivery === 'at once' ? [trial.bytes] : trial.bytes.split(/(?<=[\r\n])/)
  for (const piece of pieces) {
    if (!client.socket.writable) break
    client.send(piece)
    if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve))
  }
  const received = await client.untilClose().catch(() => {
    faults.push('the connection was not closed')
    client.socket.destroy()
    return client.received()
  })
  const methods = received.includes('HEAD /t') || trial.bytes.startsWith('HEAD ') ? ['HEAD'] : []
  const { messages, end, fault } = readAnswers(received, methods)
  if (fault !== undefined || end < received.length)
    faults.push(`answered with ${fault ?? 'a piece'}`)
  if (!(await isWell(claimgate))) faults.push('not well after it')
  return { ...trial, answers: messages, faults }
}

const statusOf = ({ startLine }: Message): number => Number(startLine.slice(9, 12))
const subjectOf = ({ fields }: Message): string =>
  valuesOf(fields, 'x-pomerium-claim-sub').join(' and ')

function judge(outcome: Outcome, wire: readonly string[]): void {
  const { recipe, subject, faults } = outcome
  const readings = wire.map((text) => readRequests(text))
  const requests = readings.flatMap(({ messages }) => messages)
  // The wire is sorted by connection: two requests of one client may have gone on two, in either order.
  const place = ({ startLine }: Message) => outcome.bytes.indexOf(startLine)
  const own = requests
    .filter((request) => subjectOf(request) === subject)
    .sort((a, b) => place(a) - place(b))
  const hasPiece = readings.some(({ end }, i) => wire[i]?.slice(end).includes(`: ${subject}\r\n`))
  const passed = outcome.answers.filter((answer) => statusOf(answer) === 200)

  if (own.length !== passed.length) faults.push(`${own.length} forwarded, ${passed.length} passed`)
  const targets = own.map(({ startLine }) => startLine.replace(/ HTTP.*/, ''))
  if (passed.some(({ body }, i) => body !== '' && body !== targets[i]))
    faults.push('answers out of order')
  if (hasPiece && !mayLeavePiece(outcome)) faults.push('a piece of it reached the upstream')
  if (recipe.outcome === 'reject' && own.length > 0) faults.push('forwarded')
  const wanted = recipe['forwarded']
  if (wanted !== undefined && own.length !== wanted)
    faults.push(`${own.length} forwarded, not ${wanted}`)
  if (recipe['soft'] === true && outcome.answers.some((answer) => statusOf(answer) === 100))
    faults.push('asked for the body before the refusal')
  faults.push(...answerFaults(outcome), ...changed(outcome, own))
}

/**
 * A body is streamed, so what came before its fault may have gone on, as a request that never ends: when the fault came
 * later than the head, or when the body is legal so far and just never ends.
 */
function mayLeavePiece({ recipe, delivery }: Trial): boolean {
  if (!['chunk-framing', 'trailer', 'truncated'].includes(recipe.class)) return false
  return delivery === 'cut at line ends' || recipe.outcome === 'either'
}

/** Refusals are 4xx or 5xx; after one that is about HTTP itself nothing more is read. */
function answerFaults({ answers, recipe }: Outcome): string[] {
  const faults: string[] = []
  for (const [i, answer] of answers.entries()) {
    const status = statusOf(answer)
    if (status >= 500 && status !== 501 && status !== 505) faults.push(`answered ${status}`)
    if ([400, 408, 431, 501, 505].includes(status)) {
      if (valuesOf(answer.fields, 'connection').join() !== 'close')
        faults.push(`${status} without close`)
      if (i < answers.length - 1) faults.push(`an answer after ${status}`)
    }
  }
  const isRefused = answers.every((answer) => statusOf(answer) >= 400)
  if (recipe.outcome === 'reject' && !isRefused) faults.push('not refused')
  return faults
}

/** Where the client's bytes have one strict reading, the upstream got the same target, body and other fields. */
function changed({ bytes }: Trial, own: readonly Message[]): string[] {
  const sent = readRequests(bytes)
  return own.flatMap((request, i) => {
    const original = sent.messages[i]
    if (original === undefined) return []
    const faults: string[] = []
    if (request.startLine !== original.startLine) faults.push('another request line')
    if (request.body !== original.body) faults.push('another body')
    if (othersOf(request) !== othersOf(original)) faults.push('other fields')
    return faults
  })
}

const OURS = /^(?:x-pomerium-.*|connection|content-length|expect|host|transfer-encoding|upgrade)$/i

const othersOf = ({ fields }: Message): string =>
  fields
    .flatMap((name, i) => (i % 2 === 0 && !OURS.test(name) ? [`${name}: ${fields[i + 1]}`] : []))
    .join('\n')

/** What is upstream and of no trial, or reads in more than one way. */
function strangers(wire: readonly string[]): string[] {
  const faults: string[] = []
  for (const text of wire) {
    const { messages, fault } = readRequests(text)
    if (fault !== undefined) faults.push(`not HTTP upstream: ${fault}`)
    for (const message of messages) {
      const subject = subjectOf(message)
      if (subject !== PROBE && !subject.startsWith('case-'))
        faults.push(`undecided: ${message.startLine}`)
    }
    const heads = messages.map(({ startLine }) => startLine)
    faults.push(...otherReadings(text, heads))
  }
  return faults
}

function otherReadings(text: string, heads: readonly string[]): string[] {
  const trusts: readonly Trust[] = ['content-length', 'transfer-encoding']
  return trusts.flatMap((trust) =>
    readLeniently(text, trust).flatMap(({ startLine, lines }, i) => {
      // A request that was cut off has a head and no end: the strict parser does not count it.
      const isKnown = heads[i] === startLine || i === heads.length
      if (!isKnown) return [`trusting ${trust} reads ${JSON.stringify(startLine)}`]
      const hidden = [startLine, ...lines].find((line) => line.includes('/smuggled'))
      return hidden === undefined ? [] : [`trusting ${trust} reads ${JSON.stringify(hidden)}`]
    }),
  )
}

function report(outcomes: readonly Outcome[], tally: Tally): void {
  for (const { recipe, delivery, faults } of outcomes)
    for (const fault of faults) tally.deviations.push(`${recipe.id} (${delivery}): ${fault}`)
}

const HIDDEN = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'

t.test('the parsers of this runner tell the readings of ambiguous bytes apart', async (t: Test) => {
  const head = 'POST /t HTTP/1.1\r\nHost: a\r\n'
  const both = `${head}Content-Length: 42\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`
  const lines = (trust: Trust) => readLeniently(both, trust).map(({ startLine }) => startLine)
  t.same(lines('content-length'), ['POST /t HTTP/1.1'])
  t.same(lines('transfer-encoding'), ['POST /t HTTP/1.1', 'GET /smuggled HTTP/1.1'])
  t.match(readRequests(both), { messages: [], fault: 'more than one framing field' })
  const spelled = `${head}Transfer_Encoding : chunked\nContent-Length: 42\r\n\r\n0\r\n\r\n${HIDDEN}`
  t.equal(readLeniently(spelled, 'transfer-encoding').length, 2)
  t.match(readRequests(spelled).fault, /field/)
  const trailer = `${head}Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n`
  t.equal(readRequests(trailer).fault, 'no line end behind a chunk')
  t.match(readRequests(HIDDEN), {
    messages: [{ startLine: 'GET /smuggled HTTP/1.1' }],
    end: HIDDEN.length,
  })
  t.equal(readRequests(HIDDEN.slice(0, -1)).end, 0)
})
