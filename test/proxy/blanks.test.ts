// U+00A0 is one byte of a value, and white space to String.trim. Next to an Upgrade, Node's parser lets codings through
// that it does not know; a reader that trims more than the RFC would then send them to the upstream.
import t from 'tap'
import { checkHead } from '../../src/proxy/gate.ts'
import { openBlackBox } from '../helpers/black-box.ts'
import { requestBytes } from '../helpers/claimgate.ts'

const CHUNKS = '5\r\nhello\r\n0\r\n\r\n'
const CODINGS = ['\xa0chunked', 'chunked\xa0', '\x85chunked']

t.test('a coding that is chunked but for a byte is unknown', async (t) => {
  const head = { method: 'POST', target: '/', httpVersion: '1.1' }
  for (const coding of [...CODINGS, 'chunked,\xa0chunked'])
    t.throws(
      () => checkHead({ ...head, rawHeaders: ['Host', 'a', 'Transfer-Encoding', coding] }),
      { code: 'ERR_REQUEST_MALFORMED', status: 501 },
      JSON.stringify(coding),
    )
  for (const coding of ['chunked', ' chunked\t'])
    checkHead({ ...head, rawHeaders: ['Host', 'a', 'Transfer-Encoding', coding] })
})

t.test('nothing of it reaches the upstream, also next to an upgrade', async (t) => {
  const box = await openBlackBox(t)
  for (const coding of CODINGS)
    for (const upgrade of ['h2c', 'x', 'websocket']) {
      const lines = [`Upgrade: ${upgrade}`, 'Connection: upgrade', `Transfer-Encoding: ${coding}`]
      const bytes = requestBytes(box.claimgate.assertion(), { lines, body: CHUNKS })
      const { status, upstream } = await box.send(bytes)
      t.equal(status, 400, `${upgrade} and ${JSON.stringify(coding)}`)
      t.equal(upstream, '')
    }
  t.ok(await box.isWell())
})

t.test('an upgrade to websocket but for a byte opens no tunnel', async (t) => {
  const box = await openBlackBox(t)
  const lines = ['Upgrade: \xa0websocket', 'Connection: upgrade']
  const { status, upstream } = await box.send(requestBytes(box.claimgate.assertion(), { lines }))
  t.equal(status, 200)
  t.notMatch(upstream, /upgrade/i)
})

t.test('a field is not nominated by a name that is not quite its own', async (t) => {
  const box = await openBlackBox(t)
  const lines = ['Connection: \xa0X-A, \tX-B ', 'X-A: 1', 'X-B: 2']
  const { upstream } = await box.send(requestBytes(box.claimgate.assertion(), { lines }))
  t.match(upstream, 'X-A: 1\r\n')
  t.notMatch(upstream, 'X-B')
})
