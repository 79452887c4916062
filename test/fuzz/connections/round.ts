import { setTimeout as wait } from 'node:timers/promises'
import { count, type Late, type Tally } from '../fuzzer.ts'
import type { Gate } from './gates.ts'
import { faultOfArrival, judgeAnswers, judgeVisit, subjectOf, type Visited } from './judge.ts'
import type { Arrival, RecordingUpstream } from './recording-upstream.ts'

export interface Scene {
  readonly gate: Gate
  readonly upstream: RecordingUpstream
  readonly tally: Tally
}

/** Waits until nothing is under way any more, then holds what arrived against what was sent. */
export async function judgeRound(visited: readonly Visited[], scene: Scene): Promise<Late[]> {
  const { gate, upstream, tally } = scene
  const isQuiet = await untilQuiet(scene)
  const { arrivals, faults } = upstream.take()
  const general = [...(isQuiet ? [] : ['never quiet']), ...gate.takeFaults(), ...faults]
  const found = general.map((what) => ofCase(what, visited))
  const decisions = countEach(gate.takeDecisions())
  const bySubject = Map.groupBy(arrivals, subjectOf)
  count(tally, 'forwarded', arrivals.length)
  for (const each of visited) {
    const own = each.passes.flatMap(({ sub }) => take(bySubject, sub))
    const what =
      own.map(faultOfArrival).find((fault) => fault !== undefined) ??
      judgeVisit(each, own, decisions) ??
      judgeAnswers(each)
    if (what !== undefined) found.push(late(what, each))
  }
  for (const [subject, strays] of bySubject) {
    found.push({ index: -1, what: `for ${subject || 'nobody'}: ${JSON.stringify(strays)}` })
  }
  return found
}

/** A target is sent by one case alone, so where one is named, the case is known. */
function ofCase(what: string, visited: readonly Visited[]): Late {
  const target = /\/m[a-p]{8}/.exec(what)?.[0]
  const sender = target && visited.find(({ text }) => text.includes(target))
  return sender ? late(what, sender) : { index: -1, what }
}

const late = (what: string, { index, text }: Visited): Late => ({
  index,
  what: `${what}\n  sent: ${JSON.stringify(text)}`,
})

function take(bySubject: Map<string, Arrival[]>, subject: string): Arrival[] {
  const own = bySubject.get(subject) ?? []
  bySubject.delete(subject)
  return own
}

function countEach(items: readonly string[]): Map<string, number> {
  const times = new Map<string, number>()
  for (const item of items) count(times, item)
  return times
}

const QUIET_LOOKS = 3
const LOOK_PERIOD = 15
const LONGEST_WAIT = 20_000

/** Whether everything came to its end: no request under way, and for a while no new log line and no byte. */
async function untilQuiet({ gate, upstream }: Scene): Promise<boolean> {
  const deadline = performance.now() + LONGEST_WAIT
  let seen = ''
  for (let looks = 0; performance.now() < deadline; ) {
    await wait(LOOK_PERIOD)
    const now = `${gate.logged()} ${upstream.bytes()}`
    looks = now === seen && (await gate.inFlight()) === 0 ? looks + 1 : 0
    if (looks === QUIET_LOOKS) return true
    seen = now
  }
  return false
}
