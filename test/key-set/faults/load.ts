import { createKey } from '../../helpers/keys.ts'
import { warmUp } from '../fault-rig.ts'
import { type Interpreter, KEY_UNKNOWN } from './trial.ts'

export const load: Readonly<Record<string, Interpreter>> = {
  // The part of the key set: fetches. Latency and memory of the program are measured elsewhere.
  'flood/unknown-kid-10k': {
    run: async ({ rig, is, ok }) => {
      await warmUp(rig)
      const signer = createKey()
      for (let step = 0; step < 100; step += 1) {
        const flood = Array.from({ length: 100 }, (_, index) =>
          rig.decide(signer, `${step}-${index}`),
        )
        is([...new Set(await Promise.all(flood))].join(), KEY_UNKNOWN, 'tokens of unknown keys')
        is(await rig.decide(rig.good), '200', 'good token meanwhile')
        await rig.pass(600)
      }
      ok(rig.counts.started <= 60 / 10 + 2, `${rig.counts.started} fetches in a minute`)
    },
  },
  'flood/garbage-50k': {
    run: async ({ rig, is }) => {
      await warmUp(rig)
      for (let index = 0; index < 50_000; index += 1) {
        const decision = await rig.decideText(`garbage ${index}`)
        if (!decision.startsWith('401 ')) is(decision, '401', 'garbage')
      }
      is(rig.counts.started, 1, 'fetches')
    },
  },
  'age/refresh-ahead': {
    run: async ({ rig, is }) => {
      await warmUp(rig)
      for (let round = 0; round < 3; round += 1) {
        const waiting: (() => void)[] = []
        rig.server.answer((response) => {
          waiting.push(() =>
            response.setHeader('cache-control', 'max-age=60').end(JSON.stringify(rig.goodSet)),
          )
        })
        await rig.clock.advance(60_000)
        for (let tries = 0; waiting.length === 0 && tries < 2_000; tries += 1) {
          await new Promise((resolve) => setTimeout(resolve, 1))
        }
        const decisions = Array.from({ length: 20 }, () => rig.decide(rig.good))
        is([...new Set(await Promise.all(decisions))].join(), '200', 'good tokens during a refresh')
        is(rig.counts.running, 1, 'refresh still under way')
        for (const answer of waiting) answer()
        await rig.landed()
      }
      is(rig.counts.started, 4, 'fetches in three minutes')
    },
  },
  // The part of the key set: its age. What the claims say about time is judged elsewhere.
  'age/clock-back-1h': {
    run: async ({ rig, t, is }) => {
      await warmUp(rig)
      const now = Date.now
      t.intercept(Date, 'now', { value: () => now() - 3_600_000 })
      await rig.pass(60_000)
      is(rig.counts.started, 2, 'fetches: one refresh on schedule')
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
  'age/clock-jump-loop': {
    run: async ({ rig, t, is, ok }) => {
      await warmUp(rig)
      let jump = 300_000
      const now = Date.now
      t.intercept(Date, 'now', { value: () => now() + jump })
      for (let step = 0; step < 12; step += 1) {
        jump = -jump
        await rig.pass(10_000)
        is(await rig.decide(rig.good), '200', 'good token')
      }
      ok(rig.counts.started <= 4, `${rig.counts.started} fetches in two minutes`)
    },
  },
}
