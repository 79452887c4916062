import fc from 'fast-check'
import t from 'tap'
import { type ReadResult, readConfig, type Sources } from '../../src/config/read.ts'
import { envName, flagName, SETTING_NAMES, settingOf } from '../../src/config/settings.ts'
import { ConfigError } from '../../src/errors.ts'
import { GOOD } from '../helpers/settings.ts'

/** Whatever is read, it ends in a usable Config or in problems that each say source, wanted and found. */
function readOrRefuse(sources: Sources): ReadResult | undefined {
  try {
    const result = readConfig(sources)
    const { issuers, audiences, algorithms } = result.config
    if (issuers.length === 0 || audiences.length === 0) throw new Error('A check was left out')
    if (algorithms.some((name) => !/^(ES|RS|PS|Ed)/.test(name))) throw new Error('Weak algorithm')
    return result
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    if (error.problems.length === 0) throw new Error('No problem is named')
    for (const { source, message } of error.problems)
      if (source === '' || !/^\S.* must .+, got .+$/.test(message) || /\p{Cc}/u.test(message))
        throw new Error(`Not a problem: ${source}: ${message}`)
    return undefined
  }
}

const values = SETTING_NAMES.flatMap((name) => {
  const { fallback, example } = settingOf(name)
  return [fallback, example].filter((text) => text !== undefined)
})
const value = fc.oneof(
  fc.constantFrom(...values, 'off', 'on', 'true', '*', '*.a', ',', 'http://a', 'a=b', '0', '1h'),
  fc.string({ unit: 'binary' }),
  fc.string(),
)
const name = fc.constantFrom(...SETTING_NAMES)
const variable = fc.oneof(
  name.map(envName),
  name.map((each) => `${envName(each)}_FILE`),
  fc.string({ unit: 'binary' }).map((text) => `CLAIMGATE_${text}`),
  fc.constantFrom('JWKS_ENDPOINT', 'EXTRA_CA_CERTS', 'EXPECTED_JWT_ISSUER', 'NODE_OPTIONS'),
)
const env = fc.dictionary(variable, value, { maxKeys: 8 })
const flags = fc.array(
  fc.oneof(
    name.map(flagName),
    value,
    fc.tuple(name, value).map(([each, text]) => `${flagName(each)}=${text}`),
  ),
  { maxLength: 8 },
)
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    value,
    fc.constant(null),
    fc.integer(),
    fc.boolean(),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(value, fc.constantFrom('X-A', 'claim', 'only', 'max_bytes', 'transform')),
      tie('tree'),
      { maxKeys: 4 },
    ),
  ),
}))
const yaml = fc.oneof(
  fc.dictionary(fc.oneof(name, value), tree, { maxKeys: 8 }).map((map) => JSON.stringify(map)),
  fc
    .array(fc.tuple(name, value), { maxLength: 8 })
    .map((lines) => lines.map(([each, text]) => `${each}: ${text}\n`).join('')),
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...'[]{}:,-#&*!|>\'"%@ \n\tab')).map((marks) => marks.join('')),
)

t.test('readConfig() ends in a Config or a ConfigError on any settings', async (t) => {
  let accepted = 0
  fc.assert(
    fc.property(flags, env, yaml, (flags, env, text) => {
      const sources = { flags, env: { ...GOOD, CLAIMGATE_CONFIG: 'c.yaml', ...env } }
      if (readOrRefuse({ ...sources, readFile: () => text })) accepted++
    }),
    { numRuns: 1500 },
  )
  t.pass('only these two')
  t.comment(`${accepted} of 1500 accepted`)
})

t.test('any one value in any one setting is accepted or refused by name', async (t) => {
  let accepted = 0
  fc.assert(
    fc.property(name, value, (each, text) => {
      const env = { ...GOOD, [envName(each)]: text }
      if (readOrRefuse({ flags: [], env, readFile: () => '' })) accepted++
    }),
    { numRuns: 3000 },
  )
  t.ok(accepted > 100, `${accepted} of 3000 were accepted, so both ends are met`)
})

t.test('whatever reading a file throws', async (t) => {
  fc.assert(
    fc.property(fc.anything(), (thrown) => {
      const readFile = () => {
        throw thrown
      }
      readOrRefuse({ flags: ['--config=c'], env: { CLAIMGATE_ISSUER_FILE: '/x' }, readFile })
    }),
    { numRuns: 200 },
  )
  t.pass('it is a problem')
})
