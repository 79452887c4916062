import { DEMO_COOKIE } from './request-headers.ts'

/** What is listening where: origins such as `http://127.0.0.1:8080`, without a slash at the end. */
export interface DemoOrigins {
  /** The stand-in Pomerium: the one address people open. */
  readonly front: string
  /** claimgate, to show what it answers to those who go around Pomerium. */
  readonly gate: string
  readonly admin: string
  readonly app: string
}

const FORGED = ['X-Pomerium-Claim-Email', 'X_Pomerium_Claim_Email', 'X-WEBAUTH-USER']
  .map((name) => `-H '${name}: ana@example.com'`)
  .join(' ')

/** What the demo prints once everything answers: where to go, and three commands with what they will show. */
export const demoGuide = ({ front, gate, admin, app }: DemoOrigins): string => `
claimgate demo. All of it is on this machine; a stand-in takes the place of Pomerium.

  you ──▶ stand-in Pomerium  ${front}
      ──▶ claimgate          ${gate}
      ──▶ sample app         ${app}

Open ${front}/ and choose who you are.
Health and metrics of claimgate: ${admin}/readyz, ${admin}/metrics

1. Allowed: the stand-in adds Ana's assertion, and the app gets her verified e-mail and groups.
   $ curl -si -b ${DEMO_COOKIE}=ana ${front}/
   shows: 200, and X-WEBAUTH-USER is ana@example.com

2. Refused: straight to claimgate, without an assertion. The app is not even asked.
   $ curl -si ${gate}/
   shows: 401, and the code ERR_ASSERTION_MISSING

3. Spoofed: Bob forges three headers to be Ana. None of them arrives.
   $ curl -si -b ${DEMO_COOKIE}=bob ${FORGED} ${front}/
   shows: 200, and X-WEBAUTH-USER is bob@example.com; ana@example.com is nowhere

Ctrl-C ends it.
`
