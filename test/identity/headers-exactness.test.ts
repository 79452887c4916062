// Whatever a claim holds, a reader of the header gets exactly that, or the request is refused.
import fc from 'fast-check'
import t from 'tap'
import type { IdentityHeader, Separator } from '../../src/config/config.ts'
import { createIdentityHeaders } from '../../src/identity/headers.ts'

const row = (separator: Separator): IdentityHeader => ({
  header: 'X-Groups',
  claims: ['groups'],
  separator,
  encoding: 'utf8',
  transforms: [],
  only: [],
  maxBytes: undefined,
})

const json = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' })
const claimValue = fc.oneof(
  json,
  fc.array(fc.oneof(json, fc.string({ maxLength: 6 })), { maxLength: 5 }),
)

for (const separator of [',', '|', 'space', 'repeat', 'json'] as const) {
  t.test(`IdentityHeaders with ${separator} sends any claim exactly or refuses it`, async (t) => {
    const sent: string[] = []
    fc.assert(
      fc.property(claimValue, (claim) => {
        let lines: readonly string[]
        let dropped: number
        try {
          ;({ lines, dropped } = createIdentityHeaders([row(separator)])({ groups: claim }))
        } catch (error) {
          return (error as { code?: string }).code === 'ERR_ASSERTION_CLAIM'
        }
        const values = lines.filter((_, i) => i % 2 === 1)
        if (separator !== 'repeat' && values.length > 1) return false
        const texts = values.map((value) => Buffer.from(value, 'latin1').toString('utf8'))
        if (texts.some((text) => /\p{Cc}/u.test(text) || text === '')) return false
        sent.push(...texts)
        return isExact(claim, texts, dropped, separator)
      }),
      { numRuns: 3000 },
    )
    t.ok(sent.length > 100, `${sent.length} values`)
  })
}

/** Whether a reader who splits the texts by the separator gets the claim back, less what was left out. */
function isExact(claim: unknown, texts: readonly string[], dropped: number, separator: Separator) {
  const [text] = texts
  const isEmpty = (item: unknown) => item === null || item === ''
  if (separator === 'json') {
    if (text === undefined) return Array.isArray(claim) ? claim.every(isEmpty) : isEmpty(claim)
    return text === JSON.stringify(claim)
  }
  if (!Array.isArray(claim)) return isEmpty(claim) ? text === undefined : text === String(claim)
  const delimiter = separator === 'space' ? ' ' : separator === 'repeat' ? ',' : separator
  const items = claim.filter((item) => !isEmpty(item)).map(String)
  const kept = items.filter((item) => !item.includes(delimiter))
  const read = separator === 'repeat' ? texts : texts.flatMap((text) => text.split(delimiter))
  return JSON.stringify(read) === JSON.stringify(kept) && items.length - kept.length === dropped
}
