import t from 'tap'
import { createLoadMonitor, LOAD_PERIOD } from '../../src/policy/load.ts'

/** Ticks whose timers came late by these milliseconds. */
function overloadedAfter(...delays: number[]): boolean {
  let time = 0
  const monitor = createLoadMonitor(() => time)
  for (const delay of delays) {
    time += LOAD_PERIOD + delay
    monitor.tick()
  }
  return monitor.isOverloaded()
}

t.test('a process whose timers are on time is not overloaded', async (t) => {
  t.equal(overloadedAfter(0, 1, 0, 20), false)
})

t.test('one late timer is a hiccup, two in a row are overload', async (t) => {
  t.equal(overloadedAfter(0, 501), false)
  t.equal(overloadedAfter(0, 501, 501), true)
  t.equal(overloadedAfter(0, 500, 500, 500), false)
  t.equal(overloadedAfter(501, 0, 501), false)
})

t.test('overload ends with the first timer that is on time', async (t) => {
  t.equal(overloadedAfter(900, 900, 900, 10), false)
})
