import t from 'tap'
import { preset } from '../../src/commands/preset.ts'
import { PRESET_GUIDES } from '../../src/config/preset-guides.ts'
import { PRESET_NAMES, PRESETS, type Preset } from '../../src/config/presets.ts'
import { readFileText } from '../helpers/settings.ts'

function run(...flags: string[]) {
  const [out, errors]: [string[], string[]] = [[], []]
  const code = preset({
    flags,
    write: (text) => void out.push(text),
    writeError: (text) => void errors.push(text),
  })
  return { code, text: out.join(''), errors: errors.join('') }
}

t.test('without a name it lists every preset, one line each', async (t) => {
  const { code, text } = run()
  t.equal(code, 0)
  t.strictSame(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]),
    PRESET_NAMES,
  )
  t.notMatch(text, /`|\]\(/, 'without Markdown')
  t.equal(JSON.parse(run('--json').text).length, PRESET_NAMES.length)
})

for (const name of PRESET_NAMES)
  t.test(`${name}: headers, what the app must be set to, whom it trusts, settings`, async (t) => {
    const { code, text } = run(name)
    t.equal(code, 0)
    const { headers, reserved }: Preset = PRESETS[name]
    for (const { header, claims } of headers)
      t.match(text, `  ${header}: ${claims.join(', else ')} (`)
    for (const header of reserved) t.match(text, `  ${header}\n`)
    const { app, trustedProxy } = PRESET_GUIDES[name]
    t.ok(app.length > 0 && trustedProxy.length > 10)
    for (const line of [...app, trustedProxy]) t.ok(text.includes(`  ${line}\n`), line)
    const told = JSON.parse(run('--json', name).text)
    t.match(told, { name, app, trustedProxy, headers })
    const { config } = readFileText(told.claimgate)
    t.strictSame(config.identityHeaders, headers, 'the settings it prints can be used')
  })

t.test('an app that names its headers in its settings names those that are sent', async (t) => {
  const rows = [
    ['grafana', /X-WEBAUTH-[A-Z]+/g],
    ['open-webui', /X-Pomerium-Claim-\w+/g],
    ['jenkins', /X-Forwarded-\w+/g],
    ['guacamole', /REMOTE_USER/g],
  ] as const
  for (const [name, pattern] of rows) {
    const named = PRESET_GUIDES[name].app.join('\n').match(pattern) ?? []
    const sent: readonly string[] = PRESETS[name].headers.map(({ header }) => header)
    t.strictSame([...new Set(named)].sort(), [...sent].sort(), name)
  }
})

t.test('a name that is none exits 64 and names the presets', async (t) => {
  t.match(run('grafanna'), {
    code: 64,
    text: '',
    errors: /grafana gitea .*did you mean grafana\?\n$/,
  })
  t.match(run('constructor'), { code: 64, text: '', errors: /wanted is one preset of/ })
  t.match(run('grafana', 'gitea'), { code: 64, text: '' })
})
