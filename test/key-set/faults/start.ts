import { createAuthority } from '../../helpers/certificates.ts'
import { answerWith, startJwksServer } from '../../helpers/jwks-server.ts'
import { problemsOf, readEnvironment } from '../../helpers/settings.ts'
import { warmUp } from '../fault-rig.ts'
import { duplicateMember } from './answers.ts'
import { forceRefresh, type Interpreter, recovers, staysUnusable, UNAVAILABLE } from './trial.ts'

const authority = createAuthority()

export const start: Readonly<Record<string, Interpreter>> = {
  'start/file-url': {
    run: async ({ is }) => {
      const read = () => readEnvironment({ CLAIMGATE_JWKS_URI: 'file:///etc/passwd' })
      is(problemsOf(read).length, 1, 'problems with the settings')
    },
  },
  'start/refused': {
    run: async (trial) => {
      const { rig, is, t } = trial
      await rig.server.stop()
      await staysUnusable(trial)
      const server = await startJwksServer(t, { port: rig.server.port })
      server.serve(rig.goodSet)
      await rig.pass(15_000)
      is(await rig.decide(rig.good), '200', 'good token 15 s after the port opened')
    },
  },
  'start/hangs': {
    options: () => ({ source: { timeout: 20 } }),
    run: async (trial) => {
      const { rig, is } = trial
      rig.server.answer(() => undefined)
      rig.keySet.start()
      const started = performance.now()
      const decisions = Array.from({ length: 100 }, () => rig.decide(rig.good))
      is([...new Set(await Promise.all(decisions))].join(), UNAVAILABLE, 'good tokens meanwhile')
      trial.ok(performance.now() - started < 1_000, 'answered within 1 s')
      is(rig.counts.started, 1, 'fetches')
      await rig.landed()
      await staysUnusable(trial)
      is(rig.counts.most, 1, 'fetches at a time')
      await recovers(trial)
    },
  },
  'start/tls-wrong-host': {
    options: () => ({ tls: authority.issue({ names: ['other.example.test'] }) }),
    run: async (trial) => {
      trial.rig.server.serve(trial.rig.goodSet)
      await staysUnusable(trial)
      trial.is(trial.rig.server.requests.length, 0, 'requests on a connection that is not trusted')
    },
  },
  'garbage-at-start/dup-keys-member': {
    run: async ({ rig, ok }) => {
      rig.server.answer(answerWith(200, {}, duplicateMember(rig.goodSet)))
      await rig.start()
      const decision = await rig.decide(rig.good)
      ok(['200', UNAVAILABLE].includes(decision), decision)
    },
  },
  'garbage-after-good/dup-keys-member': {
    // Taken as a good set (the last member counts), so there is no error to count.
    run: async (trial) => {
      const { rig, is } = trial
      await warmUp(rig)
      rig.server.answer(answerWith(200, {}, duplicateMember(rig.goodSet)))
      await forceRefresh(trial)
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
}
