import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { FILE, fold, type Spoofs } from '../corpus/header-spoof.ts'
import { readCorpus } from '../helpers/corpus.ts'
import { fences } from '../helpers/markdown.ts'

const YAML = fences(readFileSync('docs/forward-auth.md', 'utf8'), 'yaml')
const blockWith = (text: string): string => YAML.find((block) => block.includes(text)) ?? ''
const expressionsIn = (block: string, before: RegExp): string[] =>
  [...block.matchAll(before)].map(([, expression]) => expression ?? '')

const traefik = blockWith('forwardAuth:')
const envoy = blockWith('ext_authz')

/** Go's expressions match anywhere, Envoy's the whole name, which it has in lower case. */
const EXPRESSIONS: Readonly<Record<string, readonly RegExp[]>> = {
  Traefik: expressionsIn(traefik, /authResponseHeadersRegex: '\(\?i\)(.*)'/g).map(
    (text) => new RegExp(text, 'i'),
  ),
  Envoy: expressionsIn(envoy, /safe_regex: \{ regex: (\S+) \}/g).map(
    (text) => new RegExp(`^(?:${text})$`, 'i'),
  ),
}

t.test('the examples for Traefik and Envoy are YAML', async (t) => {
  t.match(parse(traefik), { http: { middlewares: { claimgate: Object } } })
  t.match(parse(envoy), { http_filters: Array })
})

for (const [proxy, expressions] of Object.entries(EXPRESSIONS))
  t.test(
    `the expressions for ${proxy} take away every forged spelling and no other field`,
    async (t) => {
      const corpus = readCorpus<Spoofs>(FILE)
      const lines = corpus.cases.flatMap((recipe) => recipe['lines'] as readonly string[])
      const names = lines
        .map((line) => line.split(':', 1).join(''))
        .filter((name) => /^[!-~]+$/.test(name))
      t.ok(names.length > 100 && expressions.length > 0)
      const wrong = [...new Set([...names, 'Cookie', 'X-Request-Id', 'Authorization'])].filter(
        (name) =>
          expressions.some((expression) => expression.test(name)) !==
          /^x-(webauth|pomerium)-/.test(fold(name)),
      )
      t.strictSame(wrong, [])
    },
  )
