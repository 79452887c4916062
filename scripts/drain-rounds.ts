/**
 * Ends the built claimgate under load again and again and counts what clients lost:
 * `npm run drain-rounds -- --rounds 100`. Exits with 1 when anything was lost.
 */
import { parseArgs } from 'node:util'
import { startApp } from '../test/e2e/app.ts'
import { type DrainResult, drainRound } from '../test/e2e/drain-round.ts'
import { startIssuer } from '../test/helpers/issuer.ts'
import { createOwner } from '../test/helpers/program.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    connections: { type: 'string', default: '20' },
    websockets: { type: 'string', default: '5' },
    delay: { type: 'string', default: '500ms' },
    reconnect: { type: 'string', default: 'while ready' },
  },
})
const webSockets = Number(values.websockets)

const owner = createOwner()
const issuer = await startIssuer(owner)
const app = await startApp(owner, { delay: 20 })

const isGood = ({ lost, closeCodes, exitCode }: DrainResult) =>
  lost.length === 0 && exitCode === 0 && closeCodes.every((code) => code === 1001)

const results: DrainResult[] = []
for (let i = 0; i < Number(values.rounds); i += 1) {
  const round = createOwner()
  const result = await drainRound(round, {
    issuer,
    app,
    delay: values.delay,
    connections: Number(values.connections),
    webSockets,
    lead: 250 + Math.random() * 100,
    reconnect: values.reconnect === 'never' ? 'never' : 'while ready',
  })
  await round.end()
  results.push(result)
  if (!isGood(result)) console.log(`round ${i + 1}: ${JSON.stringify(result)}`)
}
await owner.end()

const sum = (of: (result: DrainResult) => number) => results.reduce((n, r) => n + of(r), 0)
const lost = sum((result) => result.lost.length)
const goingAway = sum(({ closeCodes }) => closeCodes.filter((code) => code === 1001).length)
const clean = results.filter(({ exitCode }) => exitCode === 0).length
console.log(
  `drain: ${results.length} rounds, ${sum(({ answered }) => answered)} requests answered, ${lost} lost, ` +
    `${goingAway} of ${results.length * webSockets} WebSockets closed with 1001, ` +
    `${clean} exits with 0, longest ${Math.max(...results.map(({ duration }) => duration))} ms`,
)
process.exitCode = results.every(isGood) ? 0 : 1
