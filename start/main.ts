import { House } from './house.ts'
import { readOptions } from './options.ts'
import { makePlan, PlanError, type Plan } from './plan.ts'
import { createScreen } from './screen/screen.ts'

// Ctrl-C reaches a process from the terminal, and once more from whoever passes signals on.
const SAME_SIGNAL_MS = 500

const options = readOptions(process.argv.slice(2), process.env)
const plan = planOrExit()
const screen = createScreen(process.stdout)
const house = new House(plan, screen)

const asked = Promise.withResolvers<string>()
let isAsked = false
let askedAt = 0
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(signal))
process.on('SIGHUP', () => house.reload())
// Nobody reads any more: `npm start | head`.
process.stdout.on('error', () => end('output closed'))
// A signal to npm ends the shell between npm and this process, which then hears nothing of it.
const { ppid } = process
if (process.env['npm_lifecycle_event'] !== undefined) {
  setInterval(() => {
    if (process.ppid !== ppid && !isAsked) end('npm is gone')
  }, 500).unref()
}

try {
  screen.say(`siplb ${options.isDemo ? 'demo' : 'starts'} with ${options.configFile}`)
  screen.say(`config    loaded again when the file changes, and by kill -HUP ${process.pid}`)
  await Promise.race([house.open(), asked.promise])
  if (!isAsked) house.watch(process.stdout.isTTY)
  screen.say(`ending (${await asked.promise})`)
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`${error instanceof Error ? error.message : 'could not start'}\nNot started.\n`)
}
await house.close()
process.exit()

function end(cause: string): void {
  const now = performance.now()
  if (!isAsked) {
    isAsked = true
    askedAt = now
    asked.resolve(cause)
  } else if (now - askedAt > SAME_SIGNAL_MS) {
    house.kill()
    process.exit(1)
  }
}

function planOrExit(): Plan {
  try {
    return makePlan(options, process.env)
  } catch (error) {
    if (!(error instanceof PlanError)) throw error
    process.stderr.write(`${error.message}\nNot started.\n`)
    return process.exit(2)
  }
}
