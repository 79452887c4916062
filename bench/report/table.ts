/** A table of a report. */
export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  /** The first cell is text, all others are figures. */
  readonly rows: readonly (readonly string[])[]
  /** Below the table. */
  readonly notes: readonly string[]
}

/** A figure with as many digits as it can bear; `–` where there is none. */
export function figure(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  if (size >= 100) return value.toFixed(0)
  return size >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** GitHub's Markdown. */
export function markdownTable({ title, columns, rows, notes }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = line(columns.map((_, index) => (index === 0 ? '---' : '--:')))
  const table = [line(columns), rule, ...rows.map(line)].join('\n')
  const below = notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')]
  return [`### ${title}`, table, ...below].join('\n\n')
}
