import t from 'tap'
import { createAnswerReader } from '../../bench/load/answer.ts'

const answer = (body: string, fields = '') =>
  Buffer.from(`HTTP/1.1 401 Unauthorized\r\n${fields}content-length: ${body.length}\r\n\r\n${body}`)

t.test('an answer is complete with its last byte, however it is cut', async (t) => {
  const bytes = answer('abcdef')
  for (let cut = 1; cut < bytes.length; cut++) {
    const take = createAnswerReader()
    t.equal(take(bytes.subarray(0, cut)), undefined, `cut at ${cut}`)
    t.strictSame(take(bytes.subarray(cut)), { status: 401, isLast: false })
    t.strictSame(take(answer('')), { status: 401, isLast: false }, 'the next one follows')
  }
})

t.test('an answer that ends its connection says so', async (t) => {
  t.strictSame(createAnswerReader()(answer('x', 'Connection: close\r\n')), {
    status: 401,
    isLast: true,
  })
})

t.test('what cannot be counted exactly is an error', async (t) => {
  const chunked = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  t.throws(() => createAnswerReader()(chunked), { message: /without Content-Length/ })
  const tooLong = Buffer.concat([answer('x'), Buffer.from('y')])
  t.throws(() => createAnswerReader()(tooLong), { message: 'bytes beyond the end of an answer' })
  t.throws(() => createAnswerReader()(Buffer.alloc(65_537)), { message: /more than 64 KiB/ })
})
