// What befell comparable systems, and what the standards demand: each entry leads to cases that are run here, or to a test
// of its own.
import { existsSync } from 'node:fs'
import t from 'tap'
import { readCorpus, runCorpus } from '../helpers/corpus.ts'

interface Index {
  readonly advisories?: readonly { readonly id: string; readonly test: string }[]
  readonly requirements?: readonly { readonly id: string; readonly tests: string }[]
}

/** The files that entries refer to, each with the test that runs it. */
const RUNNERS: Readonly<Record<string, string>> = {
  'bad-tokens': 'test/corpus/bad-tokens.test.ts',
  'claim-values': 'test/corpus/claim-values.test.ts',
  'config-faults': 'test/corpus/config-faults.test.ts',
  'ecdsa-p256-p1363': 'test/corpus/wycheproof.test.ts',
  'header-spoof': 'test/corpus/header-spoof.test.ts',
  'jwks-faults': 'test/corpus/jwks-faults.test.ts',
  'jwks-wycheproof': 'test/corpus/wycheproof.test.ts',
  'jws-wycheproof': 'test/corpus/wycheproof.test.ts',
  'lifecycle-load': 'test/corpus/lifecycle-load.test.ts',
  'path-bypass': 'test/corpus/path-bypass.test.ts',
  smuggling: 'test/corpus/smuggling.test.ts',
  'upstream-faults': 'test/corpus/upstream-faults.test.ts',
  websocket: 'test/corpus/websocket.test.ts',
}

/** Entries that name no case, since their lesson is about the program as a whole, and what holds it. */
const OWN_TESTS: Readonly<Record<string, string>> = {
  'CVE-2026-25223, CVE-2026-33806, CVE-2026-3419': 'test/proxy/forward.test.ts',
  'CVE-2026-45736': 'test/proxy/splice.test.ts',
  'CVE-2023-33189 (10.0)': 'test/e2e/differential.test.ts',
}

const idsOf = (file: string): readonly string[] =>
  readCorpus(`${file}.json`).cases.map(({ id }) => id)

interface Reference {
  readonly file: string
  /** `class/case`, with `*` for any text; `undefined`: the whole file. */
  readonly pattern: string | undefined
}

/** Reads `file class/case, class/*; file …`; other words are remarks. */
function referencesOf(text: string): readonly Reference[] {
  const references: Reference[] = []
  for (const part of text.split(';')) {
    const words = part.split(/[\s,:()]+/)
    const files = words.filter((word) => Object.hasOwn(RUNNERS, word))
    for (const file of files) {
      const next = words.slice(words.indexOf(file) + 1)
      const end = next.findIndex((word) => Object.hasOwn(RUNNERS, word))
      const patterns = (end === -1 ? next : next.slice(0, end)).filter((word) =>
        /^[\w.*-]*[/*][\w.*/-]*$/.test(word),
      )
      if (patterns.length === 0) references.push({ file, pattern: undefined })
      for (const pattern of patterns) references.push({ file, pattern })
    }
  }
  return references
}

/** A class stands for more members than are listed, so a case that is not there is stood for by its class. */
function isRun({ file, pattern }: Reference): boolean {
  if (!existsSync(RUNNERS[file] ?? '')) return false
  if (pattern === undefined || pattern === '*') return true
  const [classPattern = ''] = pattern.split('/')
  const source = classPattern.replaceAll(/[.]/g, '\\.').replaceAll('*', '.*')
  const matches = new RegExp(`^${source}$`)
  return idsOf(file).some((id) => matches.test(id.split('/')[0] ?? ''))
}

for (const file of ['advisories.json', 'requirements.json']) {
  t.test(`${file}: each entry leads to cases that are run, or to a test of its own`, async (t) => {
    await runCorpus<Index>(t, file, async ({ advisories = [], requirements = [] }, tally) => {
      const entries = [
        ...advisories.map(({ id, test }) => ({ id, text: test })),
        ...requirements.map(({ id, tests }) => ({ id, text: tests })),
      ]
      for (const { id, text } of entries) {
        tally.ran += 1
        const references = referencesOf(text)
        const isHeld =
          references.length > 0 ? references.every(isRun) : existsSync(OWN_TESTS[id] ?? '')
        if (!isHeld) tally.deviations.push(`${id}: ${text}`)
      }
    })
  })
}
