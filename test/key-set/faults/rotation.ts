import { createKey, publicJwk } from '../../helpers/keys.ts'
import { BAD_SIGNATURE, type Interpreter, KEY_UNKNOWN } from './trial.ts'

export const rotation: Readonly<Record<string, Interpreter>> = {
  'rotation/rotate-overlap': {
    run: async ({ rig, is }) => {
      const [a, b] = [rig.good, createKey()]
      rig.server.serve(rig.goodSet)
      await rig.start()
      is(await rig.decide(a), '200', 'A of {A}')
      rig.server.serve({ keys: [publicJwk(a), publicJwk(b)] })
      is(await rig.decide(b), '200', 'B as soon as it is listed')
      is(rig.counts.started, 2, 'fetches: one forced refresh')
      is(await rig.decide(a), '200', 'A of {A,B}')
      rig.server.serve({ keys: [publicJwk(b)] })
      await rig.pass(60_000)
      is(await rig.decide(a), KEY_UNKNOWN, 'A one refresh interval after its removal')
      is(await rig.decide(b), '200', 'B of {B}')
    },
  },
  'rotation/same-kid-new-key': {
    run: async ({ rig, is }) => {
      const [a, b] = [createKey('ES256', 'k1'), createKey('ES256', 'k1')]
      rig.server.serve({ keys: [publicJwk(a)] })
      await rig.start()
      rig.server.serve({ keys: [publicJwk(b)] })
      for (let times = 0; times < 50; times += 1) await rig.decide(b)
      is(rig.counts.started, 1, 'fetches after bad signatures under a known kid')
      await rig.pass(60_000)
      is(await rig.decide(a), BAD_SIGNATURE, 'A after the refresh')
      is(await rig.decide(b), '200', 'B after the refresh')
    },
  },
  'rotation/flap': {
    run: async ({ rig, ok }) => {
      const keys = [createKey(), createKey()] as const
      const serve = (second: number) => {
        const key = keys[second % 2 === 0 ? 0 : 1]
        rig.server.serve({ keys: [publicJwk(key)] })
      }
      serve(0)
      await rig.start()
      for (let second = 0; second < 60; second += 1) {
        serve(second)
        await Promise.all(keys.map((key) => rig.decide(key)))
        await rig.pass(1_000)
      }
      ok(rig.counts.started <= 60 / 10 + 2, `${rig.counts.started} fetches in a minute`)
    },
  },
  'rotation/dup-kid': {
    run: async ({ rig, is, ok }) => {
      const [a, b] = [createKey('ES256', 'k1'), createKey('ES256', 'k1')]
      rig.server.serve({ keys: [publicJwk(a), publicJwk(b)] })
      await rig.start()
      is(await rig.decide(a), '200', 'first key of the name')
      is(await rig.decide(b), '200', 'second key of the name')
      ok(JSON.stringify(rig.log.lines).includes('two keys share a kid'), 'logged')
    },
  },
  'rotation/null-member': {
    run: async ({ rig, is }) => {
      rig.server.serve({ keys: [null, 5, 'x', ...rig.goodSet.keys] })
      await rig.start()
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
  'rotation/p256-bad-point': {
    run: async ({ rig, is }) => {
      const bad = createKey()
      const { y } = publicJwk(createKey())
      rig.server.serve({ keys: [{ ...publicJwk(bad), y }, ...rig.goodSet.keys] })
      await rig.start()
      is(await rig.decide(bad), KEY_UNKNOWN, 'token of the bad point')
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
  'rotation/alg-es384-on-p256': {
    run: async ({ rig, is }) => {
      const odd = createKey()
      const keys = [{ ...publicJwk(odd), alg: 'ES384' }, ...rig.goodSet.keys]
      rig.server.serve({ keys })
      await rig.start()
      is(await rig.decide(odd), KEY_UNKNOWN, 'token of the mislabelled key')
      is(await rig.decide(rig.good), '200', 'good token')
    },
  },
}
