import t from 'tap'
import { report } from '../../src/commands/report.ts'
import { openBlackBox } from '../helpers/black-box.ts'
import { requestBytes } from '../helpers/claimgate.ts'

async function run(flags: readonly string[], log: string) {
  const [out, errors]: [string[], string[]] = [[], []]
  const code = await report({
    flags,
    input: (async function* () {
      yield Buffer.from(log)
    })(),
    write: (text) => void out.push(text),
    writeError: (text) => void errors.push(text),
  })
  return { code, text: out.join(''), errors: errors.join('') }
}

t.test('sums up what claimgate itself has logged', async (t) => {
  const { claimgate, send } = await openBlackBox(t, { reportOnly: 'unsafe' })
  await send(requestBytes(claimgate.assertion()))
  await send(requestBytes(undefined, { line: 'GET /ping?token=secret HTTP/1.1' }))
  await send(requestBytes(claimgate.assertion({ exp: 1_700_000_000 })))
  await send('GET / HTTP/1.1\r\n\r\n')
  const log = claimgate
    .logLines()
    .map((line) => JSON.stringify(line))
    .join('\n')
  const { code, text } = await run(['--json'], log)
  t.equal(code, 1)
  const summary = JSON.parse(text)
  t.match(summary, { would_refuse: 2, refused: 1, since: /^20/ })
  t.match(
    summary.codes.find((each: { code: string }) => each.code === 'ERR_ASSERTION_MISSING'),
    {
      would_refuse: 1,
      refused: 0,
      requests: [{ text: 'GET /ping', count: 1 }],
      changes: [{ side: 'claimgate', setting: 'public_paths' }, { side: 'Pomerium' }],
    },
  )
  t.notMatch(text, 'secret')
})

t.test('exits 0 when nothing would be refused', async (t) => {
  const { code, text } = await run([], '{"msg":"request","decision":"forward"}\nother\n')
  t.equal(code, 0)
  t.match(text, /^1 requests \(and 1 other lines\)\n0 would be refused, 0 were answered/)
})

t.test('knows one flag', async (t) => {
  for (const flags of [['--route=x'], ['log.json']])
    t.match(await run(flags, ''), { code: 64, text: '', errors: /its one flag is --json/ })
  t.equal((await run(['-'], '')).code, 0)
})
