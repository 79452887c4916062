import { STATUS_CODES } from 'node:http'
import { CODES, type Code, type MissingRule, type RejectedError } from '../errors.ts'
import { ADVICE, adviceByStatus } from './advice.ts'
import { htmlTemplate, type Mood, type Occasion, prose, section } from './html.ts'

export interface RefusalPageOptions {
  readonly requestId: string
  /** `none`: the page says no more than the status does. */
  readonly detail: 'code' | 'none'
  /** Milliseconds since the epoch. */
  readonly now: number
}

type Template = (occasion: Occasion) => string

/** There are as many as codes, their statuses and missing rules, each with and without detail. */
const templates = new Map<string, Template>()

/** The page for a person whose request was refused: what happened, and what they and the operator can do. */
export function refusalPage(error: RejectedError, options: RefusalPageOptions): string {
  const key = [error.code, error.status, error.missingRule, options.detail].join(' ')
  const known = templates.get(key)
  if (known !== undefined) return known(options)
  const template = templateFor(error, options.detail)
  templates.set(key, template)
  return template(options)
}

function templateFor(error: RejectedError, detail: RefusalPageOptions['detail']): Template {
  const { status } = error
  const code = detail === 'code' ? error.code : undefined
  const { heading, visitor } = wordsFor(code, status)
  const missing = code === undefined ? [] : missingWords(error.missingRule)
  const lead = [isUpstream(status) ? NO_ANSWER : NOT_PASSED_ON, ...missing]
  return htmlTemplate({
    mood: moodOf(status),
    kicker: `${status} ${STATUS_CODES[status] ?? ''}`,
    heading,
    lead: lead.map(paragraph).join('\n'),
    sections: [
      section('What you can do', paragraph(visitor)),
      ...(code === undefined ? [] : [operatorSection(code)]),
    ],
  })
}

/** Only when the app fails is it not certain that it saw nothing. */
const NOT_PASSED_ON = 'This request was not passed on to the app.'
const NO_ANSWER = 'The app gave no usable answer.'

const MISSING: Readonly<Record<MissingRule, string>> = {
  path: 'No rule lets anybody in at this address.',
  method: 'There are rules that let people in at this address, but not with this kind of request.',
  claims:
    'There are rules that let people in at this address, but none of them fits you. A group may be missing, for example.',
}

const missingWords = (missing: MissingRule | undefined): readonly string[] =>
  missing === undefined ? [] : [MISSING[missing]]

/** A code that stands for several statuses has its own words for one of them only. */
const wordsFor = (code: Code | undefined, status: number) =>
  code === undefined || status !== CODES[code].status ? adviceByStatus(status) : ADVICE[code]

const isUpstream = (status: number): boolean => status === 502 || status === 504

const moodOf = (status: number): Mood =>
  status === 503 || status === 408 || isUpstream(status) ? 'waiting' : 'refused'

const paragraph = (text: string): string => `<p>${prose(text)}</p>`

function operatorSection(code: Code): string {
  return section(
    'For the people who run this app',
    `<p><code>${code}</code> ${prose(CODES[code].title)}.</p>\n${paragraph(ADVICE[code].operator)}`,
  )
}
