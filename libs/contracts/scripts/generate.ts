import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { asyncApiText } from './asyncapi.ts'
import { schemaFiles } from './json-schemas.ts'

/**
 * Writes docs/asyncapi.yaml and docs/schemas from the contract. With `--check` it writes nothing, and exits with 1 when
 * they are not what they would become. `--out` puts them elsewhere than in docs.
 */
const root = join(import.meta.dirname, '../../..')
const { values } = parseArgs({
  options: { check: { type: 'boolean' }, out: { type: 'string', default: join(root, 'docs') } },
})
const schemaFolder = join(values.out, 'schemas')

const wanted = new Map([[join(values.out, 'asyncapi.yaml'), asyncApiText()]])
for (const [name, text] of schemaFiles()) wanted.set(join(schemaFolder, name), text)

mkdirSync(schemaFolder, { recursive: true })
const stale = readdirSync(schemaFolder)
  .map((name) => join(schemaFolder, name))
  .filter((file) => !wanted.has(file))
const changed = [...wanted].filter(([file, text]) => textOf(file) !== text).map(([file]) => file)
const drifted = [...changed, ...stale].map((file) => relative(process.cwd(), file))

if (values.check !== true) {
  for (const file of changed) writeFileSync(file, wanted.get(file) ?? '')
  for (const file of stale) rmSync(file)
  console.log(drifted.length === 0 ? 'nothing changed' : `written anew or removed:\n${drifted.join('\n')}`)
} else if (drifted.length > 0) {
  console.error(`not as the contract says (libs/contracts):\n${drifted.join('\n')}\nwrite them anew: npm run contracts`)
  process.exitCode = 1
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
