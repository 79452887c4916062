/**
 * Loaded before dist/cli.js by the bench alone: puts a verifier that believes everybody in the place of the real one, so
 * that what verification costs can be told apart from what proxying costs. Nothing else of the program is changed.
 */
import { registerHooks } from 'node:module'
import { EMAIL, HOST } from '../../tokens.ts'

const VERIFIER = '/dist/assertion/verify.js'

const verified = {
  claims: {
    iss: HOST,
    aud: HOST,
    email: EMAIL,
    groups: ['engineering', 'admins', 'grafana-editors'],
    iat: Math.floor(Date.now() / 1000),
    jti: '7b1c2a52-5f5e-4c0c-9a51-60d5f0a7b6e1',
    name: 'Ana Kovac',
    sub: '9c2de20b-7b02-4e48-9f12-2e4a3d57bd8c',
    user: '9c2de20b-7b02-4e48-9f12-2e4a3d57bd8c',
  },
  alg: 'ES256',
  kid: 'none',
  anonymous: false,
}

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith(VERIFIER)) return nextLoad(url, context)
    const source = `const verified = ${JSON.stringify(verified)}
export const createVerifier = () => async () => verified`
    return { format: 'module', source, shortCircuit: true }
  },
})
