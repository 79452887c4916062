import t from 'tap'
import { parseCompact } from '../../src/assertion/compact.ts'
import { takeAssertion } from '../../src/assertion/take.ts'
import { RejectedError } from '../../src/errors.ts'
import { createIdentityHeaders } from '../../src/identity/headers.ts'
import { createReserved } from '../../src/identity/strip.ts'
import { anyHeader } from '../helpers/any-header.ts'
import { openBlackBox } from '../helpers/black-box.ts'
import { type Case, runCorpus, type Tally } from '../helpers/corpus.ts'
import { bytesOf, FILE, faultsOf, fold, identityHeadersOf, type Spoofs } from './header-spoof.ts'

/** Name, value, name, value… as an HTTP parser gives them, or `undefined` where it refuses the line. */
function parse(lines: readonly string[]): readonly string[] | undefined {
  const raw: string[] = []
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined || /[\r\n\0]/.test(line)) return undefined
    raw.push(name, value)
  }
  return raw
}

t.test(`${FILE}: with the pure rules alone`, async (t) => {
  await runCorpus<Spoofs>(t, FILE, async ({ cases, sut_config: sut }, tally) => {
    const identityHeaders = identityHeadersOf(sut)
    const isReserved = createReserved({
      identityHeaders,
      reservedHeaders: [],
      assertionHeader: sut.assertion_header,
    })
    const { lines: ours } = createIdentityHeaders(identityHeaders)(sut.token_claims)
    for (const recipe of cases) {
      const received = parse(recipe['lines'] as readonly string[])
      // What the parser refuses never comes to these rules.
      if (received === undefined) {
        tally.notRun += 1
        continue
      }
      tally.ran += 1
      checkAssertion(recipe, received, sut.assertion_header, tally)
      checkForwarded(recipe, kept(received, isReserved), ours, tally)
    }
  })
})

function kept(received: readonly string[], isReserved: (name: string, value: string) => boolean) {
  const fields: string[] = []
  for (let i = 0; i < received.length; i += 2) {
    const [name = '', value = ''] = received.slice(i, i + 2)
    if (!isReserved(name, value)) fields.push(name, value)
  }
  return fields
}

function checkAssertion(recipe: Case, received: readonly string[], header: string, tally: Tally) {
  const token = recipe['token'] === 'valid' ? [header, 'aaaa.bbbb.cccc'] : []
  const raw = [...token, ...received].map((text) =>
    text.replace(/\{\{ASSERTION\w*\}\}/, 'aaaa.bbbb.cccc'),
  )
  try {
    // Whatever its header part holds.
    parseCompact(takeAssertion(raw, header), anyHeader)
    if (recipe.outcome === 'reject') tally.deviations.push(`${recipe.id}: an assertion was taken`)
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error
    if (recipe.outcome === 'forward') tally.deviations.push(`${recipe.id}: ${error.code}`)
  }
}

function checkForwarded(
  recipe: Case,
  fields: readonly string[],
  ours: readonly string[],
  tally: Tally,
) {
  const own = new Set(ours.filter((_, i) => i % 2 === 0).map(fold))
  for (const [i, name] of fields.entries()) {
    if (i % 2 === 1) continue
    if (!fold(name).startsWith('x-pomerium-') && !own.has(fold(name))) continue
    tally.deviations.push(`${recipe.id}: ${name} passes`)
  }
}

t.test(`${FILE}: over HTTP and WebSocket handshakes`, async (t) => {
  await runCorpus<Spoofs>(t, FILE, async ({ cases, sut_config: sut }, tally) => {
    const identityHeaders = identityHeadersOf(sut)
    const box = await openBlackBox(t, { identityHeaders, assertionHeader: sut.assertion_header })
    for (const recipe of cases) {
      tally.ran += 1
      const outcome = await box.send(bytesOf(recipe, sut, box))
      for (const fault of faultsOf(recipe, sut, outcome)) {
        tally.deviations.push(`${recipe.id}: ${fault}`)
      }
      if (!(await box.isWell())) tally.deviations.push(`${recipe.id}: not well after it`)
    }
  })
})
