import t from 'tap'
import { readCarelessly, readRequests } from './reading.ts'

const HEAD = 'GET /a HTTP/1.1\r\nHost: h\r\n'
const CHUNKED = 'POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n'

const targets = (text: string) => readRequests(text).requests.map(({ target }) => target)

t.test('requests follow each other by their lengths and chunks', async (t) => {
  const post = 'POST /b HTTP/1.1\r\nContent-Length: 4\r\n\r\nGET '
  const chunks = `${CHUNKED}3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nT: u\r\n\r\n`
  const { requests, end, fault } = readRequests(`\r\n${HEAD}\r\n${post}${chunks}`)
  t.same(
    requests.map(({ target, body, isWhole }) => [target, body, isWhole]),
    [
      ['/a', '', true],
      ['/b', 'GET ', true],
      ['/c', 'abcd', true],
    ],
  )
  t.equal(end, `\r\n${HEAD}\r\n${post}${chunks}`.length)
  t.equal(fault, undefined)
})

t.test('what has not come whole is no fault', async (t) => {
  t.match(readRequests(HEAD), { requests: [], end: 0, fault: undefined })
  const cut = readRequests(`${HEAD}\r\n${CHUNKED}5\r\nab`)
  t.same(
    cut.requests.map(({ body, isWhole }) => [body, isWhole]),
    [
      ['', true],
      ['ab', false],
    ],
  )
  t.equal(cut.end, `${HEAD}\r\n`.length)
})

const FAULTS: readonly [name: string, text: string][] = [
  ['a bare line feed', `${HEAD.replace('\r\n', '\n')}\r\n`],
  ['a bare carriage return in a value', `${HEAD}X: a\rb\r\n\r\n`],
  ['a folded line', `${HEAD} folded: yes\r\n\r\n`],
  ['a blank before the colon', `${HEAD}X : a\r\n\r\n`],
  ['a name without a colon', `${HEAD}X\r\n\r\n`],
  ['two lengths', `${HEAD}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`],
  ['a length and chunks', `${HEAD}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['a coding before chunked', `${HEAD}Transfer-Encoding: x, chunked\r\n\r\n`],
  ['a signed length', `${HEAD}Content-Length: +1\r\n\r\n`],
  ['another version', 'GET /a HTTP/2.0\r\n\r\n'],
  ['a blank in the target', 'GET /a b HTTP/1.1\r\n\r\n'],
]
for (const [name, text] of FAULTS)
  t.test(`${name} is a fault, and nothing behind it is read`, async (t) => {
    t.type(readRequests(text).fault, 'string')
    t.same(targets(`${text}${HEAD}\r\n`), [])
  })

t.test('a fault in the chunks leaves the request, cut off', async (t) => {
  for (const chunks of ['x\r\n', '3\r\nabcd\r\n', '0\r\nno trailer\r\n', '\r\n']) {
    const { requests, fault } = readRequests(`${CHUNKED}${chunks}${HEAD}\r\n`)
    t.same(
      requests.map(({ isWhole }) => isWhole),
      [false],
    )
    t.type(fault, 'string')
  }
})

t.test(
  'a careless reader sees the same requests in clean bytes, and others in odd ones',
  async (t) => {
    const clean = `${HEAD}\r\n${CHUNKED}3\r\nabc\r\n0\r\n\r\nPUT /d HTTP/1.1\r\nContent-Length: 1\r\n\r\nx`
    t.same(readCarelessly(clean), ['GET /a HTTP/1.1', 'POST /c HTTP/1.1', 'PUT /d HTTP/1.1'])
    const hidden = 'GET /hidden HTTP/1.1\n\n'
    t.same(readCarelessly(`POST /x HTTP/1.1\r\ncontent_length : 0\r\n\r\n${hidden}`), [
      'POST /x HTTP/1.1',
      'GET /hidden HTTP/1.1',
    ])
    t.same(
      readCarelessly(`POST /x HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`),
      ['POST /x HTTP/1.1', 'GET /hidden HTTP/1.1'],
    )
  },
)
