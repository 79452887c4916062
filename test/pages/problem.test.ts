import t from 'tap'
import { CODES, type Code, RejectedError } from '../../src/errors.ts'
import { internalErrorAnswer, prefersHtml, problemAnswer } from '../../src/pages/problem.ts'

const OPTIONS = { requestId: 'id-1', accept: undefined, detail: 'code' } as const
const field = (headers: readonly string[], name: string) => headers[headers.indexOf(name) + 1]

for (const [code, { status, title }] of Object.entries(CODES))
  t.test(`${code} is a problem document with its code, and never stored`, async (t) => {
    const answer = problemAnswer(new RejectedError(code as Code), OPTIONS)
    t.equal(answer.status, status)
    t.equal(field(answer.headers, 'Content-Type'), 'application/problem+json')
    t.equal(field(answer.headers, 'Cache-Control'), 'no-store')
    t.equal(field(answer.headers, 'X-Request-Id'), 'id-1')
    t.equal(answer.headers.includes('WWW-Authenticate'), status === 401)
    t.equal(answer.headers.includes('Retry-After'), status === 503)
    t.same(JSON.parse(answer.body.toString()), {
      type: `urn:claimgate:error:${code}`,
      title,
      status,
      code,
      request_id: 'id-1',
    })
  })

t.test('a more exact status is kept, with Allow for 405', async (t) => {
  const answer = problemAnswer(new RejectedError('ERR_REQUEST_MALFORMED', { status: 405 }), OPTIONS)
  t.equal(answer.status, 405)
  t.match(field(answer.headers, 'Allow'), 'GET')
})

t.test('detail none says the status and nothing more, in JSON and as a page', async (t) => {
  for (const accept of [undefined, 'text/html']) {
    const answer = problemAnswer(new RejectedError('ERR_ASSERTION_EXPIRED'), {
      ...OPTIONS,
      accept,
      detail: 'none',
    })
    t.notMatch(answer.body.toString(), /ERR_|expired/i)
    t.notMatch(answer.headers.join(' '), /ERR_/)
  }
})

t.test('the challenge names the code, but not where none is shown or nothing came', async (t) => {
  const challenge = (code: Code, detail: 'code' | 'none') =>
    field(
      problemAnswer(new RejectedError(code), { ...OPTIONS, detail }).headers,
      'WWW-Authenticate',
    )
  const bare = 'Bearer realm="claimgate"'
  t.equal(challenge('ERR_ASSERTION_MISSING', 'code'), bare)
  t.equal(challenge('ERR_ASSERTION_EXPIRED', 'none'), bare)
  t.equal(
    challenge('ERR_ASSERTION_EXPIRED', 'code'),
    `${bare}, error="invalid_token", error_description="ERR_ASSERTION_EXPIRED"`,
  )
})

t.test('a page may run nothing, and is only for who asks for one', async (t) => {
  const answerTo = (accept: string | undefined) =>
    problemAnswer(new RejectedError('ERR_POLICY_DENIED'), { ...OPTIONS, accept })
  const { headers, body } = answerTo('text/html')
  t.match(
    field(headers, 'Content-Security-Policy'),
    /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
  )
  t.notMatch(body.toString(), /<script|\son\w+=/)
  t.notOk(answerTo(undefined).headers.includes('Content-Security-Policy'))
})

t.test('the reason for the log and the cause are in no answer', async (t) => {
  const error = new RejectedError('ERR_UPSTREAM_UNAVAILABLE', {
    reason: 'ECONNREFUSED',
    cause: new Error('127.0.0.1'),
  })
  t.notMatch(problemAnswer(error, OPTIONS).body.toString(), /ECONN|127/)
})

t.test('a page does not claim that the app saw nothing when the app failed', async (t) => {
  const text = (code: Code) =>
    problemAnswer(new RejectedError(code), { ...OPTIONS, accept: 'text/html' }).body.toString()
  t.match(text('ERR_ASSERTION_EXPIRED'), 'was not passed on')
  t.notMatch(text('ERR_UPSTREAM_TIMEOUT'), 'was not passed on')
})

t.test('internalErrorAnswer() says nothing but that', async (t) => {
  const { status, body } = internalErrorAnswer('id-1')
  t.equal(status, 500)
  t.same(JSON.parse(body.toString()), {
    type: 'about:blank',
    title: 'Internal Server Error',
    status: 500,
    request_id: 'id-1',
  })
})

const ACCEPT: readonly [string | undefined, boolean][] = [
  [undefined, false],
  ['*/*', false],
  ['text/html', true],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
  ['application/json, text/html;q=0.5', false],
  ['application/problem+json, text/html;q=0.9', false],
  ['text/html;q=0', false],
  // RFC 9110 §8.3.1: media types have no case.
  ['TEXT/HTML', true],
  ['text/html;q=0.1, */*;q=1', false],
  ['text/html;q=0.2, application/*;q=0.9', false],
  ['text/html, */*;q=0.8', true],
  ['text/html;q=0.9, application/*;q=1, application/json;q=0.1', true],
  ['*/*', false],
]
for (const [accept, isHtml] of ACCEPT)
  t.test(`Accept: ${accept} gives ${isHtml ? 'a page' : 'JSON'}`, async (t) => {
    t.equal(prefersHtml(accept), isHtml)
  })
