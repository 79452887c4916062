import t from 'tap'
import { takeAssertion } from '../../src/assertion/take.ts'
import { RejectedError } from '../../src/errors.ts'
import { createIdentityHeaders } from '../../src/identity/headers.ts'
import { createReserved } from '../../src/identity/strip.ts'
import { upstreamHeaders } from '../../src/proxy/headers.ts'
import { drive } from './drive.ts'
import { headers, type Parts } from './headers.ts'

const SEED = 20_260_731

t.test('no field of a client is taken for one of ours, and claims are read back', async (t) => {
  const { cases, findings, tally } = await drive(headers(), { seed: SEED, limit: 2_000 })
  t.equal(cases, 2_000)
  t.same(findings, [])
  t.ok((tally.get('forwarded') ?? 0) > 500)
  t.ok((tally.get('ERR_ASSERTION_CLAIM') ?? 0) > 200)
})

/** The fields as they would be if every line were changed so. */
const eachLine =
  (change: (name: string, value: string) => readonly string[]): Parts['upstreamHeaders'] =>
  (sent, rules, added) => {
    const { lines, stripped } = upstreamHeaders(sent, rules, added)
    const changed = lines.flatMap((name, i) =>
      i % 2 === 0 ? change(name, lines[i + 1] ?? '') : [],
    )
    return { lines: changed, stripped }
  }

const PLANTED: readonly [name: string, found: RegExp, parts: Partial<Parts>][] = [
  [
    'names are compared without folding',
    /reserved field forwarded/,
    {
      createReserved: (rules) => {
        const isReserved = createReserved(rules)
        return (name, value) => !name.includes('_') && isReserved(name, value)
      },
    },
  ],
  [
    'a session of Pomerium is let through',
    /forwarded/,
    {
      createReserved: (rules) => {
        const isReserved = createReserved(rules)
        return (name) => isReserved(name, '')
      },
    },
  ],
  [
    'a client nominates our fields',
    /forwarded/,
    {
      upstreamHeaders: (sent, rules, added) =>
        upstreamHeaders([...sent, ...added], { ...rules, isReserved: () => false }, []),
    },
  ],
  [
    'our fields come first',
    /forwarded/,
    {
      upstreamHeaders: (sent, rules, added) => {
        const { lines, stripped } = upstreamHeaders(sent, rules, [])
        return { lines: [...added, ...lines], stripped }
      },
    },
  ],
  [
    'blank values are left out',
    /forwarded/,
    { upstreamHeaders: eachLine((n, v) => (v === '' ? [] : [n, v])) },
  ],
  [
    'names in lower case',
    /forwarded/,
    { upstreamHeaders: eachLine((n, v) => [n.toLowerCase(), v]) },
  ],
  [
    'identity headers twice',
    /read back as/,
    {
      createIdentityHeaders: (rows) => {
        const derive = createIdentityHeaders(rows)
        return (claims) => {
          const { lines, dropped } = derive(claims)
          return { lines: [...lines, ...lines.slice(0, 2)], dropped }
        }
      },
    },
  ],
  [
    'composed and decomposed letters become the same',
    /read back as/,
    {
      createIdentityHeaders: (rows) => {
        const derive = createIdentityHeaders(rows)
        const change = (value: unknown): unknown => {
          if (typeof value === 'string') return value.normalize('NFC')
          return Array.isArray(value) ? value.map(change) : value
        }
        return (claims) =>
          derive(Object.fromEntries(Object.entries(claims).map(([name, v]) => [name, change(v)])))
      },
    },
  ],
  [
    'control characters are cleaned away',
    /cannot be said, but sent/,
    {
      createIdentityHeaders: (rows) => {
        const derive = createIdentityHeaders(rows)
        const change = (value: unknown) =>
          typeof value === 'string' ? value.replaceAll(/\p{Cc}/gu, '') : value
        return (claims) =>
          derive(Object.fromEntries(Object.entries(claims).map(([name, v]) => [name, change(v)])))
      },
    },
  ],
  [
    'the first of several assertions counts',
    /assertion: .*, but ERR_ASSERTION_DUPLICATE/,
    {
      takeAssertion: (sent, header) => {
        const at = sent.findIndex((name) => name.toLowerCase() === header.toLowerCase())
        return takeAssertion(at === -1 ? [] : sent.slice(at, at + 2), header)
      },
    },
  ],
  [
    'a fault that is no refusal',
    /threw TypeError/,
    {
      takeAssertion: (sent, header) => {
        if (sent.some((value) => value.includes('\xa0'))) throw new TypeError()
        return takeAssertion(sent, header)
      },
    },
  ],
  [
    'a refusal where there is nothing to refuse',
    /but the claims can be said/,
    {
      createIdentityHeaders: (rows) => {
        const derive = createIdentityHeaders(rows)
        return (claims) => {
          if (JSON.stringify(claims).includes('%')) throw new RejectedError('ERR_ASSERTION_CLAIM')
          return derive(claims)
        }
      },
    },
  ],
]

for (const [name, found, parts] of PLANTED)
  t.test(`finds a planted fault: ${name}`, async (t) => {
    const { findings } = await drive(headers(parts), { seed: SEED, limit: 600 })
    t.ok(
      findings.some(({ what }) => found.test(what)),
      findings[0]?.what ?? 'nothing was found',
    )
  })
