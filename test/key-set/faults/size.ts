import { gzipSync } from 'node:zlib'
import { answerWith } from '../../helpers/jwks-server.ts'
import { warmUp } from '../fault-rig.ts'
import { badAnswerAfterGood, forceRefresh, type Interpreter, MIB } from './trial.ts'

export const size: Readonly<Record<string, Interpreter>> = {
  'size/huge-100mb': {
    run: async (trial) => {
      const { rig, is, ok } = trial
      await warmUp(rig)
      rig.server.answer((response) => {
        const chunk = Buffer.alloc(64 * 1024, ' ')
        response.writeHead(200, { 'content-length': String(100 * MIB) })
        const pump = (): void => {
          while (!response.destroyed) if (!response.write(chunk)) return
        }
        response.on('drain', pump)
        pump()
      })
      const before = process.memoryUsage().rss
      await forceRefresh(trial)
      const grown = Math.round((process.memoryUsage().rss - before) / MIB)
      ok(grown < 20, `RSS grew by ${grown} MiB`)
      is(rig.outcomes.join(), 'ok,error', 'counted outcomes')
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
  'size/gzip-bomb': {
    run: (trial) => {
      const bomb = gzipSync(Buffer.alloc(100 * MIB, ' '))
      return badAnswerAfterGood(trial, answerWith(200, { 'content-encoding': 'gzip' }, bomb))
    },
  },
  'size/slow-drip': {
    options: () => ({ source: { timeout: 300 } }),
    run: async (trial) => {
      const { rig, ok } = trial
      await warmUp(rig)
      rig.server.answer((response) => {
        const drip = setInterval(() => response.write(' '), 50)
        response.on('close', () => clearInterval(drip))
      })
      const started = performance.now()
      await forceRefresh(trial)
      ok(performance.now() - started < 5_000, 'the fetch ends by its total time')
      trial.is(await rig.decide(rig.good), '200', 'good token')
    },
  },
}
