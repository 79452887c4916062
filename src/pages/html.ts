import { createHash } from 'node:crypto'
import { PAGE_STYLE } from './style.ts'

/** No script, nothing fetched, no frame: all that a page of ours needs is its one style element. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(PAGE_STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** Header lines of every page, beside its type: name, value, name, value. */
export const PAGE_HEADERS: readonly string[] = [
  'Content-Security-Policy',
  PAGE_POLICY,
  'Referrer-Policy',
  'no-referrer',
]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** For text and for attribute values in quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

/** A sentence of ours: escaped, and what stands between backticks as code. */
export function prose(text: string): string {
  return escapeHtml(text).replace(/`([^`]*)`/g, '<code>$1</code>')
}

/** How a page looks at first sight; each has its own colour and its own sign. */
export type Mood = 'good' | 'unknown' | 'refused' | 'waiting'

const SIGNS: Readonly<Record<Mood, string>> = {
  good: '<path d="M7 12.5l3.5 3.5L17 9"/>',
  unknown: '<path d="M9 9.5a3 3 0 1 1 4 2.8c-.8.4-1 .9-1 1.7M12 17.2v.1"/>',
  refused: '<path d="M8 8l8 8M16 8l-8 8"/>',
  waiting: '<path d="M12 7v5l3.2 2"/>',
}

export interface Page {
  readonly mood: Mood
  /** Text, also of the browser's tab. */
  readonly heading: string
  /** A few words above the heading: text. */
  readonly kicker: string
  /** HTML below the heading. */
  readonly lead: string
  /** HTML, one section after the other. */
  readonly sections: readonly string[]
}

/** What differs between two answers with the same page. */
export interface Occasion {
  readonly requestId: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** The whole document. */
export const htmlPage = (page: Page, occasion: Occasion): string => htmlTemplate(page)(occasion)

/** Makes all of a document but its last lines, which alone differ from one occasion to the next. */
export function htmlTemplate(page: Page): (occasion: Occasion) => string {
  const beginning = beginningOf(page)
  return ({ requestId, now }) => {
    const at = new Date(now).toISOString()
    return `${beginning}<p>Request number <code>${escapeHtml(requestId)}</code></p>
<p>Answered by claimgate at <time datetime="${at}">${at.slice(0, 19).replace('T', ' ')} UTC</time></p>
</footer>
</html>
`
  }
}

function beginningOf({ mood, heading, kicker, lead, sections }: Page): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(heading)}</title>
<style>${PAGE_STYLE}</style>
<main>
<header class="${mood}">
<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10"/>${SIGNS[mood]}</svg>
<div>
<p class="kicker">${escapeHtml(kicker)}</p>
<h1 dir="auto">${escapeHtml(heading)}</h1>
${lead}
</div>
</header>
${sections.join('\n')}
</main>
<footer>
`
}

/** A section with a heading; `content` is HTML. */
export function section(heading: string, content: string): string {
  return `<section>\n<h2>${escapeHtml(heading)}</h2>\n${content}\n</section>`
}
