import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { weightTable, type WeightTable } from '@siplb/contracts'
import { nextTurn } from '@siplb/runtime'
import { uniqueText } from './unique.ts'

/** Written in one turn of the event loop: a fraction of a millisecond. */
const ROWS_PER_PIECE = 100

/** The last weight tables on disk: what a cold start goes by when the bus is down. */
export class DiskTables {
  readonly #dir: string
  readonly #isWriter: boolean
  #writes: Promise<void> = Promise.resolve()

  /** Of several processes that share the folder and the tables, one need write. */
  constructor(stateDir: string, isWriter = true) {
    this.#isWriter = isWriter
    this.#dir = join(stateDir, 'tables')
    mkdirSync(this.#dir, { recursive: true })
  }

  /** What cannot be read, or is no table, is left out. */
  read(): WeightTable[] {
    const files = readdirSync(this.#dir).filter((name) => name.endsWith('.json'))
    return files.flatMap((name) => readTable(join(this.#dir, name)) ?? [])
  }

  /** Whole or not at all: written beside and renamed. */
  write(table: WeightTable): Promise<void> {
    if (!this.#isWriter) return this.#writes
    const file = join(this.#dir, `${table.pool}.json`)
    // Several ingresses may share the folder, and processes of several containers a pid.
    const aside = `${file}.${uniqueText()}`
    this.#writes = this.#writes
      .catch(() => {})
      .then(async () => {
        await writeFile(aside, jsonOf(table))
        await rename(aside, file)
      })
    return this.#writes
  }
}

/** Piece by piece, for a table may have thousands of rows. */
async function* jsonOf({ proxies, ...head }: WeightTable): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"proxies":[`
  for (let at = 0; at < proxies.length; at += ROWS_PER_PIECE) {
    if (at > 0) await nextTurn()
    const rows = proxies.slice(at, at + ROWS_PER_PIECE).map((row) => JSON.stringify(row))
    yield `${at > 0 ? ',' : ''}${rows.join()}`
  }
  yield ']}'
}

function readTable(file: string): WeightTable | undefined {
  try {
    return weightTable.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}
