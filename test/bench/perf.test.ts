import t from 'tap'
import { parseCounters } from '../../bench/measure/perf.ts'

t.test('both counters are read from what perf writes', async (t) => {
  const text = [
    '# started on Wed Nov 25 22:01:47 2026',
    '',
    '123456789,,instructions:u,1000,100.00,1.1,insn per cycle',
    '98765432,,cycles:u,1000,100.00,,',
  ].join('\n')
  t.strictSame(parseCounters(text), { instructions: 123_456_789, cycles: 98_765_432 })
})

t.test('a machine without counters has none, not zero', async (t) => {
  const text = '<not supported>,,instructions,0,100.00,,\n<not supported>,,cycles,0,100.00,,\n'
  t.equal(parseCounters(text), undefined)
  t.equal(parseCounters('12,,instructions,1,100.00,,\n<not counted>,,cycles,0,0.00,,\n'), undefined)
  t.equal(parseCounters(''), undefined)
})
