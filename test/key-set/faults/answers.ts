import { answerWith, startJwksServer } from '../../helpers/jwks-server.ts'
import { createKey, publicJwk } from '../../helpers/keys.ts'
import type { Rig } from '../fault-rig.ts'
import {
  badAnswerAfterGood,
  type Interpreter,
  KEY_UNKNOWN,
  recovers,
  staysUnusable,
} from './trial.ts'

const GARBAGE: Readonly<Record<string, (good: object) => string | Uint8Array>> = {
  'empty-body': () => '',
  'json-array': () => '[]',
  'keys-null': () => '{"keys":null}',
  'keys-object': () => '{"keys":{}}',
  'no-keys': () => '{}',
  'nested-10000': () => '['.repeat(10_000),
  utf16: (good) => Buffer.from(`\ufeff${JSON.stringify(good)}`, 'utf16le'),
}

export const duplicateMember = (good: object): string =>
  JSON.stringify(good).replace('{"keys":', '{"keys":[],"keys":')

function garbage(name: string): readonly (readonly [string, Interpreter])[] {
  const serve = ({ server, goodSet }: Rig) =>
    server.answer(answerWith(200, {}, GARBAGE[name]?.(goodSet)))
  const atStart: Interpreter = {
    run: async (trial) => {
      serve(trial.rig)
      await staysUnusable(trial)
      await recovers(trial)
    },
  }
  const afterGood: Interpreter = {
    run: async (trial) => {
      const body = GARBAGE[name]?.(trial.rig.goodSet)
      await badAnswerAfterGood(trial, answerWith(200, {}, body))
    },
  }
  return [
    [`garbage-at-start/${name}`, atStart],
    [`garbage-after-good/${name}`, afterGood],
  ]
}

function status(code: number, headers: Readonly<Record<string, string>> = {}): Interpreter {
  return { run: (trial) => badAnswerAfterGood(trial, answerWith(code, headers)) }
}

function redirect(code: number): Interpreter {
  return {
    run: async (trial) => {
      const attacker = createKey()
      const other = await startJwksServer(trial.t)
      other.serve({ keys: [publicJwk(attacker)] })
      await badAnswerAfterGood(trial, answerWith(code, { location: String(other.uri) }))
      trial.is(other.requests.length, 0, 'requests to the other origin')
      trial.is(await trial.rig.decide(attacker), KEY_UNKNOWN, 'token of the attacker')
    },
  }
}

export const answers: ReadonlyMap<string, Interpreter> = new Map([
  ...Object.keys(GARBAGE).flatMap(garbage),
  ['status/st-204', status(204)],
  ['status/st-302', redirect(302)],
  ['status/st-307', redirect(307)],
  ['status/st-403', status(403)],
  ['status/st-429', status(429, { 'retry-after': '30' })],
  ['status/st-502', status(502)],
])
