import t from 'tap'
import { malformed } from '../../src/proxy/parser-fault.ts'

const fault = (code: string | undefined, text = '', bytesParsed = text.length) =>
  Object.assign(new Error('parse error'), {
    ...(code === undefined ? {} : { code }),
    rawPacket: Buffer.from(text, 'latin1'),
    bytesParsed,
  })

for (const [code, status] of [
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_INVALID_VERSION', 505],
  ['HPE_INVALID_CONSTANT', 400],
  ['HPE_INVALID_CHUNK_SIZE', 400],
] as const)
  t.test(`${code} is answered with ${status}`, async (t) => {
    t.match(malformed(fault(code)), { code: 'ERR_REQUEST_MALFORMED', status, reason: code })
  })

t.test('a fault without a code is 400', async (t) => {
  t.match(malformed(fault(undefined)), { status: 400, reason: 'parser error' })
})

t.test('a bare LF behind a good version is no other version', async (t) => {
  const statusOf = (text: string, parsed: number) =>
    malformed(fault('HPE_INVALID_VERSION', text, parsed)).status
  t.equal(statusOf('GET / HTTP/1.1\nHost: a\n\n', 14), 400)
  t.equal(statusOf('GET / HTTP/1.0\nHost: a\n\n', 14), 400)
  t.equal(statusOf('GET / HTTP/2.0\r\nHost: a\r\n\r\n', 14), 505)
  t.equal(statusOf('GET / HTTP/1.2\r\n', 14), 505)
})
