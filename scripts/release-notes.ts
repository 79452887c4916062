/** The sections that an entry of the changelog has to have: people look for what they must do. */
const SECTIONS = ['Operators must']

/**
 * What is missing in the notes for the version to be released, for people; none when all is there. The heading is
 * `## 1.2.3 – 2026-12-24`, and it is the first one.
 */
export function releaseProblems(changelog: string, version: string): string[] {
  const newest = changelog.split(/^(?=## )/m).find((entry) => entry.startsWith('## '))
  const [heading = '', ...rest] = newest?.split('\n') ?? []
  const body = rest.join('\n')
  const named = /^## (\S+)/.exec(heading)?.[1]
  if (named !== version)
    return [`the first entry is of ${named ?? 'nothing'}, wanted is ${version}`]
  return [
    ...(/ – \d{4}-\d{2}-\d{2}$/.test(heading) ? [] : [`the entry has no date: "${heading}"`]),
    ...SECTIONS.filter((name) => !body.includes(`### ${name}\n`)).map(
      (name) => `the entry has no section "${name}"`,
    ),
  ]
}
