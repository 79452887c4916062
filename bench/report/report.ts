import type { PartResult } from '../parts/part.ts'
import { markdownTable, type Table } from './table.ts'

/** Where and when it was measured. */
export interface Circumstances {
  readonly date: string
  readonly machine: string
  readonly versions: string
  readonly rounds: number
  /** A quick run proves nothing, and says so. */
  readonly isQuick: boolean
  readonly absent: readonly { readonly title: string; readonly why: string }[]
}

/** What a run leaves behind as JSON. */
export interface Result {
  readonly circumstances: Circumstances
  readonly parts: readonly (Omit<PartResult, 'tables'> & {
    readonly name: string
    readonly tables: readonly Table[]
  })[]
}

/** The whole report as Markdown, ready to be pasted. */
export function markdownReport({ circumstances, parts }: Result): string {
  const { date, machine, versions, rounds, isQuick, absent } = circumstances
  const warning = isQuick ? ['**A quick run: these figures mean nothing.**'] : []
  const head = `${date}, ${machine}; ${versions}; ${rounds} rounds.`
  const missing = absent.map(({ title, why }) => `- Absent: ${title}: ${why}.`)
  return [
    ...warning,
    head,
    ...(missing.length === 0 ? [] : [missing.join('\n')]),
    ...parts.flatMap(({ tables }) => tables.map(markdownTable)),
  ].join('\n\n')
}

const BEGIN = '<!-- figures: written by npm run bench -- --docs -->'
const END = '<!-- end of figures -->'

/**
 * `document` with `text` between its markers.
 *
 * @throws Error when the markers are not there, once each and in order.
 */
export function betweenMarkers(document: string, text: string): string {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END)
  if (begin < 0 || end < begin || document.includes(BEGIN, begin + 1))
    throw new Error(`the document needs "${BEGIN}" and "${END}", once and in this order`)
  return `${document.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${document.slice(end)}`
}
