import type { Test } from 'tap'
import type { Answering } from '../../helpers/jwks-server.ts'
import { createKey } from '../../helpers/keys.ts'
import { type Rig, type RigOptions, warmUp } from '../fault-rig.ts'

export const MIB = 1024 * 1024
export const UNAVAILABLE = '503 ERR_KEY_SET_UNAVAILABLE'
export const KEY_UNKNOWN = '401 ERR_ASSERTION_KEY_UNKNOWN'
export const BAD_SIGNATURE = '401 ERR_ASSERTION_SIGNATURE'

export interface Trial {
  readonly rig: Rig
  readonly t: Test
  /** Notes a deviation unless `actual` is `wanted`. */
  readonly is: (actual: unknown, wanted: unknown, what: string) => void
  readonly ok: (holds: boolean, what: string) => void
}

export interface Interpreter {
  readonly options?: () => RigOptions
  readonly run: (trial: Trial) => Promise<void>
}

/** Has the key set asked for a name it does not hold, past every cooldown. */
export async function forceRefresh({ rig, is }: Trial): Promise<void> {
  await rig.pass(10_000)
  is(await rig.decide(createKey()), KEY_UNKNOWN, 'unknown-kid token')
}

/** Nothing usable is served: 503 without waiting, back-off, told once. */
export async function staysUnusable(trial: Trial): Promise<void> {
  const { rig, is, ok } = trial
  await rig.start()
  is(await rig.decide(rig.good), UNAVAILABLE, 'good token')
  const before = rig.counts.started
  await rig.pass(60_000)
  const tries = rig.counts.started - before + 1
  ok(tries >= 2 && tries <= 20, `${tries} tries in a minute`)
  is(await rig.decide(rig.good), UNAVAILABLE, 'good token after a minute')
  is(rig.counts.started, before + tries - 1, 'fetches caused by requests')
  is(rig.log.lines.length, 1, 'log lines of one change of state')
}

export async function recovers({ rig, is }: Trial): Promise<void> {
  rig.server.serve(rig.goodSet)
  await rig.pass(15_000)
  is(await rig.decide(rig.good), '200', 'good token 15 s after the set came up')
}

export async function badAnswerAfterGood(trial: Trial, answering: Answering): Promise<void> {
  const { rig, is, ok } = trial
  await warmUp(rig)
  rig.server.answer(answering)
  await forceRefresh(trial)
  is(await rig.decide(rig.good), '200', 'good token')
  is(rig.outcomes.join(), 'ok,error', 'counted outcomes')
  is(rig.log.lines.length, 2, 'log lines')
  await rig.pass(3_600_000)
  is(await rig.decide(rig.good), '200', 'good token after an hour')
  ok(rig.counts.started <= 130, `${rig.counts.started} fetches in an hour`)
}
