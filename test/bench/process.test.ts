import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import {
  kibibytesOf,
  missingAccounting,
  nanosecondsOf,
  parentOf,
  processorTime,
  processTree,
  residentMemory,
} from '../../bench/measure/process.ts'

t.test('the first number of schedstat is the time on a processor', async (t) => {
  t.equal(nanosecondsOf('52190876 1203341 87\n'), 52_190_876)
  t.equal(nanosecondsOf(''), 0)
})

t.test('the parent is found behind a name with blanks and brackets', async (t) => {
  t.equal(parentOf('4711 (a (b) c) S 42 4711 4711 0 -1'), 42)
  t.equal(parentOf('4711 (node) R 1 4711'), 1)
  t.equal(parentOf(''), undefined)
})

t.test('memory is read from the field that is named', async (t) => {
  const status = 'Name:\tnode\nVmHWM:\t  90000 kB\nVmRSS:\t  81234 kB\nRssAnon:\t 400 kB\n'
  t.equal(kibibytesOf(status, 'VmRSS'), 81_234)
  t.equal(kibibytesOf(status, 'VmHWM'), 90_000)
  t.equal(kibibytesOf(status, 'VmSwap'), 0)
})

const skip = missingAccounting() ?? false

t.test('work is seen as processor time, of all threads together', { skip }, async (t) => {
  const before = processorTime([process.pid])
  const end = performance.now() + 50
  while (performance.now() < end);
  t.ok(processorTime([process.pid]) > before)
  t.ok(residentMemory([process.pid]) > 10_000)
})

t.test('a process that is gone costs nothing and is no fault', { skip }, async (t) => {
  const child = spawn('true')
  await once(child, 'exit')
  t.equal(processorTime([child.pid ?? 0]), 0)
  t.equal(residentMemory([child.pid ?? 0]), 0)
})

t.test('a tree holds what a process has started', { skip }, async (t) => {
  const child = spawn('sh', ['-c', 'exec 3<&0; cat <&3 & echo up; wait'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  t.teardown(() => child.stdin?.end())
  await once(child.stdout, 'data')
  const tree = processTree(child.pid ?? 0)
  t.equal(tree[0], child.pid)
  t.equal(tree.length, 2)
})
