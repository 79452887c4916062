// Starts the demo the way a newcomer does, runs the three commands it prints and compares what they show with what
// it promises. Ends with one plain line, and with 1 when a promise was not kept.
//   usage: node .ci/try-demo.mjs [PROGRAM ARG ...]      (default: npm run demo)
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'

const START_TIMEOUT_MS = 60_000
const CURL_TIMEOUT_MS = 10_000

const [program, ...args] = process.argv.length > 2 ? process.argv.slice(2) : ['npm', 'run', 'demo']

const start = () => {
  // A process group of its own, so that the end reaches the demo behind npm as well.
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const end = () => {
    if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
  }
  const guide = new Promise((resolve, reject) => {
    let text = ''
    setTimeout(() => reject(new Error('no guide within 60 s')), START_TIMEOUT_MS).unref()
    child.on('exit', (code) => reject(new Error(`the demo ended with ${code}`)))
    child.stdout.on('data', (chunk) => {
      text += chunk
      process.stdout.write(chunk)
      if (text.includes('Ctrl-C')) resolve(text)
    })
  })
  return { guide, end }
}

/** One entry for each `$ command` line and the `shows:` line after it. */
const triesOf = (guide) =>
  [...guide.matchAll(/^ *\$ (.*)\n *shows: (.*)$/gm)].map(([, command, promise]) => ({
    command,
    promise,
  }))

/** What the promise says in words, as what must and must not be in the answer. */
const problemsOf = (promise, answer) => {
  const status = /^\d+/.exec(promise)?.[0]
  const code = /the code (\w+)/.exec(promise)?.[1]
  const user = /(\S+) is (\S+@[\w.]+\w)/.exec(promise)
  const absent = /(\S+@\S+) is nowhere/.exec(promise)?.[1]
  const wanted = [`HTTP/1.1 ${status} `, code, user && `"${user[1]}": "${user[2]}"`].filter(Boolean)
  return [
    ...wanted.filter((text) => !answer.includes(text)).map((text) => `lacks ${text}`),
    ...(absent !== undefined && answer.includes(absent) ? [`shows ${absent}`] : []),
    ...(wanted.length < 2 ? ['promises too little to be checked'] : []),
  ]
}

const attempt = async ({ command, promise }) => {
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { timeout: CURL_TIMEOUT_MS })
  const problems = problemsOf(promise, stdout)
  for (const problem of problems) process.stdout.write(`not kept: ${command}: ${problem}\n`)
  return problems.length === 0
}

const demo = start()
try {
  const tries = triesOf(await demo.guide)
  let kept = 0
  for (const one of tries) if (await attempt(one)) kept++
  process.stdout.write(`demo: ${kept} of 3 commands show what they promise\n`)
  process.exitCode = kept === 3 && tries.length === 3 ? 0 : 1
} catch (error) {
  process.stdout.write(`demo: ${error.message}\n`)
  process.exitCode = 1
} finally {
  demo.end()
}
