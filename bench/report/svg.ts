/** One bar of a plot. */
export interface Bar {
  readonly label: string
  readonly value: number
  /** What is said at its end. */
  readonly text: string
  readonly emphasis: 'ours' | 'other' | 'floor'
}

const WIDTH = 760
const LABELS = 330
const ROW = 26
const BAR = 16
const TOP = 46
/** For the text behind the longest bar. */
const RIGHT = 130

/** Readable on white and on black. */
const COLOURS: Readonly<Record<Bar['emphasis'], string>> = {
  ours: '#2f7ed8',
  other: '#8c8c8c',
  floor: '#bdbdbd',
}

const escapeText = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')

/** Horizontal bars from zero, in the order given. Holds no script, font or link of others. */
export function barPlot(title: string, bars: readonly Bar[]): string {
  const largest = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE)
  const scale = (WIDTH - LABELS - RIGHT) / largest
  const height = TOP + bars.length * ROW + 8
  const rows = bars.map(({ label, value, text, emphasis }, index) => {
    const y = TOP + index * ROW
    const length = Math.max(1, value * scale)
    const weight = emphasis === 'ours' ? ' font-weight="bold"' : ''
    return [
      `<text x="${LABELS - 8}" y="${y + 13}" text-anchor="end"${weight}>${escapeText(label)}</text>`,
      `<rect x="${LABELS}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" fill="${COLOURS[emphasis]}"/>`,
      `<text x="${(LABELS + length + 6).toFixed(1)}" y="${y + 13}">${escapeText(text)}</text>`,
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="sans-serif" font-size="12" fill="#333">
<title>${escapeText(title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="12" y="24" font-size="15" font-weight="bold">${escapeText(title)}</text>
${rows.join('\n')}
</svg>
`
}
