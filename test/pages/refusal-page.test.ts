import t from 'tap'
import { CODES, type Code, RejectedError } from '../../src/errors.ts'
import { ADVICE, adviceByStatus } from '../../src/pages/advice.ts'
import { escapeHtml, prose } from '../../src/pages/html.ts'
import { refusalPage } from '../../src/pages/refusal-page.ts'

const OPTIONS = { requestId: 'id-1', now: 1_767_323_045_000 } as const
const pageOf = (error: RejectedError, detail: 'code' | 'none' = 'code') =>
  refusalPage(error, { ...OPTIONS, detail })

for (const [code, { status, title }] of Object.entries(CODES))
  t.test(`${code}: the page says what it means to the visitor and to the operator`, async (t) => {
    const page = pageOf(new RejectedError(code as Code))
    const { heading, visitor, operator } = ADVICE[code as Code]
    for (const text of [escapeHtml(heading), prose(visitor), prose(operator), code, title, 'id-1'])
      t.ok(page.includes(text), text)
    t.match(page, new RegExp(`${status} \\w+`))
  })

for (const status of [400, 401, 403, 405, 408, 417, 431, 501, 502, 503, 504, 505])
  t.test(`${status} without a code tells no more than the status does`, async (t) => {
    const code = Object.keys(CODES).find((one) => CODES[one as Code].status === status)
    const page = pageOf(
      new RejectedError((code ?? 'ERR_REQUEST_MALFORMED') as Code, {
        status,
        missingRule: 'claims',
      }),
      'none',
    )
    const { heading, visitor } = adviceByStatus(status)
    t.ok(page.includes(escapeHtml(heading)) && page.includes(prose(visitor)))
    t.notMatch(page, /ERR_|For the people who run|let people in/)
    t.match(page, 'id-1')
  })

t.test('a page of 403 tells the kind of rule that is missing', async (t) => {
  const about = (missingRule: 'path' | 'method' | 'claims' | undefined) =>
    pageOf(new RejectedError('ERR_POLICY_DENIED', { missingRule }))
  t.match(about('path'), 'No rule lets anybody in')
  t.match(about('method'), 'not with this kind of request')
  t.match(about('claims'), 'none of them fits you')
  t.notMatch(about(undefined), /No rule lets|this kind of request|none of them fits/)
})

t.test('a status that a code does not have by itself has its own words', async (t) => {
  const page = pageOf(new RejectedError('ERR_REQUEST_MALFORMED', { status: 405 }))
  t.match(page, 'This cannot be done here')
  t.match(page, '405 Method Not Allowed')
})

t.test('reason and cause are on no page', async (t) => {
  const error = new RejectedError('ERR_UPSTREAM_UNAVAILABLE', {
    reason: 'ECONNREFUSED',
    cause: new Error('127.0.0.1'),
  })
  t.notMatch(pageOf(error), /ECONN|127\./)
})
