import fastify from 'fastify'
import t from 'tap'
import { NO_SCHEMAS } from '../src/no-schemas.ts'

const open = () => fastify({ schemaController: NO_SCHEMAS })

t.test('a route without a schema is served', async (t) => {
  const app = open()
  app.get('/', () => ({ served: true }))
  t.same((await app.inject('/')).json(), { served: true })
})

for (const schema of [{ querystring: { a: {} } }, { response: { 200: { type: 'string' } } }])
  t.test(`a route with a schema for its ${Object.keys(schema)} never starts`, async (t) => {
    const app = open()
    app.get('/', { schema }, () => 'never')
    await t.rejects(async () => void (await app.ready()), { message: /no route has a schema/ })
  })
