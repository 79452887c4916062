/** The text from a heading to the next one of the same or a higher level; throws when there is no such heading. */
export function section(markdown: string, heading: string): string {
  const lines = markdown.split('\n')
  const start = lines.indexOf(heading)
  if (start === -1) throw new Error(`no heading ${heading}`)
  const level = heading.indexOf(' ')
  const length = lines
    .slice(start + 1)
    .findIndex((line) => new RegExp(`^#{1,${level}} `).test(line))
  return lines.slice(start + 1, length === -1 ? undefined : start + 1 + length).join('\n')
}

/** The rows of the first table, without head and rule, as the trimmed texts of their cells. */
export function tableRows(markdown: string): string[][] {
  const lines = markdown.split('\n')
  const rule = lines.findIndex((line) => /^\|[ |:-]+\|$/.test(line))
  if (rule === -1) throw new Error('no table')
  const rows: string[][] = []
  for (const line of lines.slice(rule + 1)) {
    if (!line.startsWith('|')) break
    rows.push(
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
  }
  return rows
}

/** The texts between single backticks. */
export function codeSpans(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text ?? '')
}

/** The fenced blocks of one language. */
export function fences(markdown: string, language: string): string[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text ?? '')
}

/** The commands of the `console` blocks, each with what it prints. A line that ends with `\` goes on. */
export function commands(markdown: string): { command: string; output: string }[] {
  return fences(markdown, 'console').flatMap((block) =>
    block
      .replaceAll('\\\n', '')
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const end = text.indexOf('\n')
        return { command: text.slice(0, end), output: text.slice(end + 1).trim() }
      }),
  )
}

/** What stands behind a program's name, in the commands of all blocks and between backticks, as words. */
export function programCalls(markdown: string, program: string): string[][] {
  const lines = [
    ...fences(markdown, 'sh').flatMap((block) => block.replaceAll('\\\n', '').split('\n')),
    ...commands(markdown).map(({ command }) => command),
    ...codeSpans(markdown).filter((span) => span.startsWith(`${program} `)),
  ]
  return lines
    .map((line) => line.replace(/(?:^| )# .*/, ''))
    .map((line) => new RegExp(`(?:^|\\s)${program}\\s+(.*)`).exec(line)?.[1])
    .filter((rest) => rest !== undefined)
    .map((rest) => rest.split(/\s+/))
}
